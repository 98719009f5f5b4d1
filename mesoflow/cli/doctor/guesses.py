"""One check for each guess of hubs/inferred.py, from what a visit has seen.

`agrees` and `differs` are what was read; `unseen` could have been read, had there been anything; `unreadable` cannot be
checked by reading at all, and says why. Nothing is tried that would change something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from mesoflow.cli.doctor.visit import Visit
from mesoflow.hubs.contract import callback_of
from mesoflow.hubs.inferred import ABSENT, CREDIT_SIGN, GUESSES, agent_of, error_proves_refusal
from mesoflow.hubs.models.enums import StatusCode
from mesoflow.review.words import EXCHANGE

Verdict = Literal["agrees", "differs", "unseen", "unreadable"]
JOBS = ("Entry", "Exit", "Adjustment")
# Two snapshots are not of the same instant: a package of two is worth twice the one, within this.
TWICE_WITHIN = Decimal("0.2")


@dataclass(frozen=True, slots=True)
class Checked:
    """`words` say what was seen, or why nothing could be."""

    name: str
    verdict: Verdict
    words: str


def check_all(visit: Visit) -> list[Checked]:
    """Every guess, in the order of hubs/inferred.py."""
    return [Checked(name, *_CHECKS[name](visit)) for name in GUESSES]


def credit_sign(visit: Visit) -> str | None:
    """`negative` or `positive`, as orders show that were filled for a credit; None where none was, or they disagree."""
    signs = set(_credit_signs(visit))
    return signs.pop() if len(signs) == 1 else None


def _credit_signs(visit: Visit) -> Iterable[str]:
    """Of each order that has a limit, and whose executions brought money."""
    for order in visit.rows.get("orders", []):
        limit = order.get("limit_price")
        fills = [
            row
            for row in visit.rows.get("executions", [])
            if row.get("live_order_id") == order.get("order_id")
        ]
        amounts = [row["price"] * row["qty"] for row in fills if row.get("qty") is not None]
        if limit and amounts and len(amounts) == len(fills) and sum(amounts) < 0:
            yield "negative" if limit < 0 else "positive"


Answer = tuple[Verdict, str]


def _status_codes(visit: Visit) -> Answer:
    absent = {called.status for called in visit.called.values() if called.meant and called.status}
    seen = {*absent, visit.found.get("unfit", "")} - {""}
    known = {status.value for status in StatusCode}
    strange = sorted(status for status in seen if status not in known)
    if strange:
        return "differs", f"a refusal is called {', '.join(strange)}"
    if not seen:
        return "unseen", "nothing was refused"
    return "agrees", f"refusals are called {', '.join(sorted(seen))}; those of orders cannot be read"


def _hub_errors(visit: Visit) -> Answer:
    text = str(visit.found.get("unknown_method", ""))
    if error_proves_refusal("trade", text):
        return (
            "agrees",
            "an unknown method is refused in the words that prove it; whether others prove it cannot be read",
        )
    return "differs", f"an unknown method is answered with: {text}"


def _enum_numbers(visit: Visit) -> Answer:
    ways = visit.comparison.encodings.get("enums", set())
    if "number" in ways:
        return "differs", "members come as numbers: no status is understood, and nothing can be sent"
    return ("agrees", "members come by name") if ways else ("unseen", "no member was seen")


def _moved_leg_name(visit: Visit) -> Answer:
    held = [
        (leg.get("live_position_id"), leg.get("name"))
        for leg in visit.rows["legs"]
        if leg.get("closed_at") is None
    ]
    if not held:
        return "unseen", "no leg is open"
    double = next((name for name in held if held.count(name) > 1), None)
    if double is not None:
        return "differs", f"position {double[0]} holds two legs of one name"
    return "agrees", "no open position holds two legs of one name"


def _agent_of_account(visit: Visit) -> Answer:
    accounts = visit.rows["accounts"]
    if not accounts:
        return "unseen", "there is no account"
    without = [
        str(row["broker_account_id"]) for row in accounts if agent_of(row, visit.rows["agents"]) is None
    ]
    if without:
        return "differs", f"no connected agent is found for {', '.join(without)}"
    return "agrees", "each account has a connected agent"


def _expiration_date(visit: Visit) -> Answer:
    times = [leg["live_contract"].get("expiration") for leg in visit.rows["legs"]]
    known = [at for at in times if isinstance(at, datetime)]
    if not known:
        return "unseen", "no leg has an expiration"
    # Midnight is how a mere date is written; any other time must fall on the same day at the exchange.
    for at in (at.astimezone(UTC) for at in known):
        midnight = (at.hour, at.minute) == (0, 0)
        if at.weekday() > 4 or not (midnight or at.astimezone(EXCHANGE).date() == at.date()):
            return (
                "differs",
                f"an expiration is written as {at:%Y-%m-%dT%H:%M}Z: that is no day of an expiration",
            )
    return "agrees", f"{len(known)} expirations, each on a weekday in UTC"


def _event_kinds(visit: Visit) -> Answer:
    kinds = {str(row.get("event_type")) for row in visit.rows.get("events", [])}
    strange = sorted(kind for kind in kinds if callback_of(kind) is None)
    if strange:
        return "differs", f"unknown kinds: {', '.join(strange)}"
    return ("agrees", f"{len(kinds)} kinds, all known") if kinds else ("unseen", "the history is empty")


def _events_since(visit: Visit) -> Answer:
    if "since" not in visit.found:
        return "unseen", "the history is empty"
    asked, got = visit.found["since"]
    return "agrees", f"the number itself is {'' if asked in got else 'not '}included; both are read"


def _event_order(visit: Visit) -> Answer:
    numbers = [
        row["event_seq_id"]
        for row in visit.rows.get("events", [])
        if isinstance(row.get("event_seq_id"), int)
    ]
    if len(numbers) < 2:
        return "unseen", "the history is too short"
    if numbers != sorted(numbers):
        return "differs", "the history is not in the order of its numbers"
    return "agrees", "the history is in order; callbacks are seen only as they come"


def _job_gone(visit: Visit) -> Answer:
    called = [visit.called[f"GetPreparePosition{kind}Status"] for kind in JOBS]
    odd = [one for one in called if one.status != ABSENT]
    if not odd:
        return "agrees", f"an unknown job is {ABSENT}"
    how = odd[0].status or odd[0].words or odd[0].ending
    return "differs", f"{odd[0].method} of an unknown job: {how}"


def _combo_ratio(visit: Visit) -> Answer:
    one, two = (_mark(visit.found.get(name)) for name in ("one", "two"))
    if not one or two is None:
        return "unseen", "no contract has a mark"
    if abs(two / one - 2) > TWICE_WITHIN:
        return "differs", "a package of one contract twice is not worth twice the contract"
    return "agrees", "a package of one contract twice is worth twice the contract"


def _mark(entry: Mapping[str, Any] | None) -> Decimal | None:
    prices = (entry or {}).get("prices")
    mark = prices.get("mark") if isinstance(prices, Mapping) else None
    return mark if isinstance(mark, Decimal) else None


def _credit(visit: Visit) -> Answer:
    signs = set(_credit_signs(visit))
    if not signs:
        return "unseen", "no order with a limit was filled for a credit"
    ours = "negative" if CREDIT_SIGN < 0 else "positive"
    if len(signs) > 1:
        return "differs", "orders filled for a credit have limits of both signs"
    seen = signs.pop()
    words = f"the limit of an order filled for a credit is {seen}"
    return ("agrees" if seen == ours else "differs"), words


def _cannot(words: str) -> Callable[[Visit], Answer]:
    return lambda _: ("unreadable", words)


_CHECKS: Mapping[str, Callable[[Visit], Answer]] = {
    "status_codes": _status_codes,
    "hub_errors": _hub_errors,
    "enum_numbers": _enum_numbers,
    "late_arrival": _cannot("only a call that is cut off on its way would show it"),
    "record_retention": _cannot("a record would have to be made, and waited for"),
    "credit_sign": _credit,
    "qty_multiplier": _cannot("an order would have to be sent with another multiplier than resolved"),
    "moved_leg_name": _moved_leg_name,
    "agent_of_account": _agent_of_account,
    "clone_strategy_id": _cannot("a strategy would have to be made"),
    "expiration_date": _expiration_date,
    "event_kinds": _event_kinds,
    "events_since": _events_since,
    "event_order": _event_order,
    "job_gone": _job_gone,
    "no_combo": _cannot("an order would have to be rejected"),
    "combo_ratio": _combo_ratio,
    "record_wrapper": _cannot("a record would have to be there; a key of one is not known"),
}
