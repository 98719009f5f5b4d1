"""Findings about risk: rails that can apply and are not set, that are set and not judged, and waits that may never end well.

A rail can apply when a step trades; those that bound an entry, only when a step can open risk: an order whose plan is not
known to come from exit.prepare.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mesoflow.findings import Finding, Place
from mesoflow.playbook.language import Language
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.lint.sources import source_of
from mesoflow.playbook.outline import Outline, StepOutline
from mesoflow.playbook.tree import Mapping as MappingNode
from mesoflow.playbook.tree import Scalar, texts, to_value
from mesoflow.safety.ceilings import looser, said
from mesoflow.safety.limits import NEEDED_TO_EXIT, NEEDED_TO_OPEN, Limits

_EXAMPLES = {
    "accounts": "accounts: [PAPER-1]",
    "max_contracts_per_order": "max_contracts_per_order: 10",
    "max_distance_from_mid": "max_distance_from_mid: [15% of mid, 2.00]",
    "max_order_premium": "max_order_premium: 25000",
    "max_order_loss": "max_order_loss: 25000",
    "max_open_loss": "max_open_loss: 25000",
    "max_daily_loss": "max_daily_loss: 1% of net_liquidation",
}
_NAMED = re.compile(r"risk\.(\w+)")
_PREPARES_EXIT = "exit.prepare"


def risk(
    shape: Outline, language: Language, judged: frozenset[str], ceilings: Limits | None = None
) -> Iterator[Finding]:
    """All of them. `judged`: the rails that this version's safety judges; `ceilings`: those of a policy that it is held
    against, which also sets what the playbook leaves out."""
    trading = [step for step in shape.every if _trades(step, language)]
    opening = [step for step in trading if not _only_closes(step, shape)]
    yield from _missing(shape, trading, opening, ceilings)
    yield from _above(shape, ceilings)
    yield from _not_judged(shape, language, judged)
    yield from _stress(shape)
    yield from _live(shape, opening)
    yield from _waits(shape, trading, opening)


def _trades(step: StepOutline, language: Language) -> bool:
    action = language.actions.get(step.action or "")
    return action is not None and action.effect == "trade"


def _only_closes(step: StepOutline, shape: Outline) -> bool:
    if step.action == "position.exit":
        return True
    source = source_of(step, "exec_plan", shape)
    return source is not None and source.action == _PREPARES_EXIT


def _missing(
    shape: Outline, trading: list[StepOutline], opening: list[StepOutline], ceilings: Limits | None
) -> Iterator[Finding]:
    if not trading:
        return
    wanted = ["accounts", *(NEEDED_TO_OPEN if opening else NEEDED_TO_EXIT)]
    section = shape.section("risk")
    missing = [
        name
        for name in wanted
        if name not in section.entries and (name == "accounts" or getattr(ceilings, name, None) is None)
    ]
    if not missing:
        return
    key = shape.root.key("risk")
    place = (
        key.place()
        if key is not None
        else (trading[0].node.get("action") or trading[0].node).place(trading[0].label)
    )
    first = opening[0] if opening else trading[0]
    verb = "can open risk" if opening else "trades"
    names = ", ".join(f"`{name}`" for name in missing)
    yield Finding(
        Code.RAIL_MISSING, f"{'this rail is' if len(missing) == 1 else 'these rails are'} not set: {names}", place,
        detail=(f"{first.label} {verb}. `unlimited` is a value, where there shall be no limit.",),
        help="risk:\n" + "\n".join(f"  {_EXAMPLES[name]}" for name in missing),
    )  # fmt: skip


def _above(shape: Outline, ceilings: Limits | None) -> Iterator[Finding]:
    """Rails that are looser than the policy's: the policy's count. What holds an expression is known at the start only."""
    if ceilings is None:
        return
    for name, (_, node) in shape.section("risk").entries.items():
        if name in ("accounts", "live") or any("{{" in str(text.value) for text in texts(node)):
            continue
        try:
            written = Limits.ceilings({name: to_value(node)})
        except (ValueError, TypeError, KeyError):
            continue  # told by the schema
        if name in looser(ceilings, written):
            yield Finding(
                Code.ABOVE_POLICY,
                f"`{name}` is looser than the policy allows, and the policy counts",
                node.place("in risk"),
                "warning",
                detail=(f"the policy: {said(ceilings, name)}",),
                help="write what the policy allows, or less",
            )


def unreadable(
    section: MappingNode, value: Mapping[str, Any], read: Callable[[Mapping[str, Any]], object], within: str
) -> Iterator[Finding]:
    """What fits the schema and is yet no limit: a date that no calendar has, a move of 0%. Its sentence names the key."""
    try:
        read(value)
    except ValueError as error:
        named = _NAMED.match(str(error))
        key = section.key(named[1]) if named else None
        summary = str(error).replace("risk.", f"{within.removeprefix('in ')}.", 1)
        yield Finding(Code.WRONG_VALUE, summary, (key or section).place(within))


def _not_judged(shape: Outline, language: Language, judged: frozenset[str]) -> Iterator[Finding]:
    for name, (key, node) in shape.section("risk").entries.items():
        if name in language.defs["Risk"]["properties"] and name not in judged:
            if isinstance(node, Scalar) and node.value == "unlimited":
                continue
            summary = f"`{name}` is set, and this version does not judge it"
            yield Finding(
                Code.RAIL_NOT_JUDGED,
                summary,
                key.place("in risk"),
                help="a rail that nobody judges protects nobody; remove it",
            )


def _stress(shape: Outline) -> Iterator[Finding]:
    section = shape.section("risk")
    for name in ("max_order_loss", "max_open_loss"):
        node = section.get(name)
        if (
            isinstance(node, Scalar)
            and node.value == "unlimited"
            and "max_stress_loss" not in section.entries
        ):
            summary = f"`{name}: unlimited` needs `max_stress_loss` beside it"
            help = "max_stress_loss: {move: 10%, loss: 25000}"
            yield Finding(Code.STRESS_LOSS_MISSING, summary, node.place("in risk"), help=help)
            return


def _live(shape: Outline, opening: list[StepOutline]) -> Iterator[Finding]:
    live = shape.section("risk").get("live")
    if not isinstance(live, Scalar) or live.value != "allowed":
        return
    for step in opening:
        if "approve" not in step.node.entries:
            related = ((step.node.place(), f"{step.label} can open risk, and nobody approves it"),)
            summary = "`live: allowed`, and a step that can open risk without `approve`"
            help = "live: never (this version trades on paper accounts only)"
            yield Finding(
                Code.LIVE_WITHOUT_APPROVAL, summary, live.place("in risk"), related=related, help=help
            )
            return


# --- waits between an entry and its exit


def _waits(shape: Outline, trading: list[StepOutline], opening: list[StepOutline]) -> Iterator[Finding]:
    entries, first = [step for step in opening if _on_the_way(step)], {id(step) for step in opening}
    exits = [step for step in trading if _on_the_way(step) and id(step) not in first]
    if not entries or not exits:
        return
    for wait in shape.every:
        given = wait.inputs
        if wait.action != "wait.until" or given is None or "grace" in given.entries or not _on_the_way(wait):
            continue
        before = bisect_left(entries, wait.order, key=_order)
        after = bisect_left(exits, wait.order, key=_order)
        if before and after < len(exits):
            yield _late(wait, given, entries[before - 1], exits[after])


def _order(step: StepOutline) -> int:
    return step.order


def _on_the_way(step: StepOutline) -> bool:
    """Whether a step stands on the way that a playbook takes when nothing fails."""
    return step.slot not in ("rescue", "last", "always")


def _late(wait: StepOutline, given: MappingNode, opener: StepOutline, closer: StepOutline) -> Finding:
    at = given.get("at")
    moment = str(at.value) if isinstance(at, Scalar) else "the moment"
    key = given.key("at") or wait.node
    place = key.place(wait.label)
    related: tuple[tuple[Place, str], ...] = (
        (_line(opener), f'step "{opener.id}" has opened a position by then'),
        (_line(closer), f'step "{closer.id}" closes it, and comes after this wait'),
    )
    return Finding(
        Code.WAIT_WITHOUT_GRACE, f"if nothing runs at {moment}, this position is not closed", place, "warning",
        detail=("More than 5m late (`grace`, when not set) the wait ends in window_missed: right before an entry, wrong before an exit.",),
        related=related, help=f"with: {{at: {moment}, grace: unlimited}}",
    )  # fmt: skip


def _line(step: StepOutline) -> Place:
    place = step.node.place()
    return Place(place.file, place.line)
