"""Price policies, rails and bounds in words: what an author wrote, as a reviewer reads it. Nothing is computed from quotes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from mesoflow.engine.program import Retry
from mesoflow.expressions.unknown import Unknown
from mesoflow.review.words import length, money

TRADING = frozenset({"orders.work", "orders.send", "position.exit"})
PREPARING = frozenset({"entry.prepare", "exit.prepare", "adjustment.prepare"})
PREPARE_WITHIN = "2m"
SEND_WITHIN = "2m"
# After its last price an order's cancel is confirmed within this time, or its outcome is unknown.
CONFIRMED_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Bounds:
    """What bounds a step's time: seconds where they are known, a moment, or what is unknown."""

    step: str
    text: str = ""

    def words(self) -> list[str]:
        """None, or one line."""
        return [f"{self.step}: {self.text}"] if self.text else []


def bounds_of(step: str, action: str, values: Any, retry: Retry | None) -> Bounds:  # noqa: ANN401 - inputs, evaluated
    """How long a step can take, as its inputs say it."""
    if not isinstance(values, Mapping):
        return Bounds(step)
    text = _bound(action, values)
    if text and retry is not None:
        wait = f", {length(retry.wait_s)} between" if retry.wait_s else ""
        text = f"{text}, {retry.attempts} times at most{wait}"
    return Bounds(step, text)


def _bound(action: str, values: Mapping[str, Any]) -> str:
    if action == "wait.until":
        grace = _word(values.get("grace", "5m"))
        return f"until {_word(values.get('at'))}; more than {grace} late: window_missed"
    if action == "wait.for":
        return f"{_word(values.get('duration'))}"
    if action in PREPARING:
        return f"{_word(values.get('within', PREPARE_WITHIN))} at most"
    confirmed = f"and {CONFIRMED_WITHIN_S}s to confirm"
    if action == "fills.wait":
        return f"{_word(values.get('within'))} for all orders at most, {confirmed}"
    if action == "orders.cancel":
        return f"{_word(values.get('within', f'{CONFIRMED_WITHIN_S}s'))} for each order at most"
    if action == "orders.send":
        return f"{SEND_WITHIN} for each leg group at most, until it can be priced"
    if action in TRADING:
        prepares = f"{PREPARE_WITHIN} at most to prepare, " if action == "position.exit" else ""
        return f"{prepares}{_word(values.get('within'))} for each leg group at most, {confirmed}"
    return ""


def order_words(action: str, values: Any) -> list[str]:  # noqa: ANN401
    """What a trading step would send; empty for any other."""
    if action not in TRADING or not isinstance(values, Mapping):
        return []
    fill = values.get("paper_fill", "worst")
    waits = action != "orders.send"
    lines = [f"price      {price_words(values.get('price'))}"]
    if waits:
        within = _word(values.get("within"))
        lines += [
            f"time       {within} for each leg group, then cancelled and the cancel confirmed",
            f"incomplete {_incomplete(values.get('if_incomplete', 'hold'))}",
        ]
    return [
        *lines,
        f"groups     at a broker one limit order a leg group, {_sequence(values.get('sequence', 'safest'))}",
        f"paper      on a paper account one booking for all groups, at {_word(fill)}; sequence does not apply there",
    ]


def _sequence(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, list):
        return f"in the order of {', '.join(map(str, value))}"
    return {"safest": "one after the other, the safest first", "together": "all at once"}.get(
        str(value), _word(value)
    )


def price_words(policy: Any) -> str:  # noqa: ANN401
    """`start mid, 0.05 worse every 20s, never worse than 0.30 from mid`."""
    if not isinstance(policy, Mapping):
        return _word(policy)
    start = _start(policy.get("start", "mid"))
    if policy.get("step") is None:
        worst = policy.get("worst")
        return f"{start}, one price" + (f", {_worst(worst)}" if worst else "")
    return f"{start}, {_word(policy['step'])} worse every {_word(policy.get('every'))}, {_worst(policy.get('worst'))}"


def _start(start: Any) -> str:  # noqa: ANN401
    if isinstance(start, Mapping):
        return "start " + " ".join(_bound_words(name, value) for name, value in start.items())
    return f"start {_word(start)}"


def _worst(worst: Any) -> str:  # noqa: ANN401
    if not isinstance(worst, Mapping):
        return f"worst {_word(worst)}"
    return (
        "never past "
        + ", ".join(_bound_words(name, value) for name, value in worst.items())
        + (" (the tightest counts)" if len(worst) > 1 else "")
    )


def _bound_words(name: str, value: Any) -> str:  # noqa: ANN401
    values = " and ".join(_word(one) for one in value) if isinstance(value, list) else _word(value)
    match name:
        case "from_mid":
            return f"{values} worse than mid"
        case "from_natural":
            return f"{values} worse than natural"
        case _:
            return f"{values} {name}"


def _incomplete(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, Mapping) and "unwind" in value:
        unwind = value["unwind"]
        return (
            f"what filled is traded back: {price_words(unwind.get('price'))}, {_word(unwind.get('within'))}"
        )
    return {
        "hold": "what filled stays, the step fails and a person is called",
        "keep": "whole packages that filled stay",
    }.get(str(value), _word(value))


def rails_words(risk: Mapping[str, Any]) -> list[str]:
    """The rails that the playbook sets, one a line."""
    lines = []
    for name, value in risk.items():
        if name == "accounts":
            continue
        if isinstance(value, list):
            said = " and ".join(_limit(one) for one in value) + " (the tightest counts)"
        elif isinstance(value, Mapping):
            said = ", ".join(f"{key} {_limit(one)}" for key, one in value.items())
        else:
            said = _limit(value)
        lines.append(f"{name} {said}")
    return lines


def ceilings_words(ceilings: Mapping[str, Any]) -> list[str]:
    """What a policy holds every playbook to, one a line: the tighter of it and the playbook's own counts."""
    return [f"{line} (policy)" for line in rails_words(ceilings)]


def _limit(value: Any) -> str:  # noqa: ANN401
    """Whole numbers are money or contracts; a decimal stands as it was written."""
    return money(value) if isinstance(value, int) and not isinstance(value, bool) else _word(value)


def _word(value: Any) -> str:  # noqa: ANN401
    match value:
        case None:
            return "nothing"
        case Unknown():
            return f"? ({value.type}, known after {value.until})"
        case timedelta():
            return length(int(value.total_seconds()))
        case Decimal():
            return f"{value:f}"
    return str(value)
