"""Changes of strategies, which the hub does not key: what is there now is compared with what was asked for."""

from __future__ import annotations

from collections.abc import Mapping

from mesoflow.actions.definitions import definition_digest
from mesoflow.engine.effects import Call, Done, Refused, Value
from mesoflow.hubs.errors import CallRefused
from mesoflow.runtime.settling.case import Case
from mesoflow.runtime.settling.verdicts import Human, Resend, Settle, Verdict

# Strategies a page; there may be more.
PAGE = 50


async def create_strategy(case: Case) -> Verdict:
    """Not keyed by the hub: a strategy that was not there before is ours if it has the asked-for name, or the template's, and
    the definition that was asked for. One whose definition the hub does not tell could be anybody's."""
    assert isinstance(case.effect, Call)
    hints = case.effect.hints
    ours, untold = await _new_strategies(case, hints)
    if not ours and not untold:
        await case.late_arrivals()
        ours, untold = await _new_strategies(case, hints)
    if len(ours) + len(untold) > 1:
        return Human("several new strategies could be ours", {"strategies": sorted(ours + untold)})
    if untold:
        return Human(
            "a new strategy could be ours, and the hub does not tell its definition", {"strategies": untold}
        )
    if ours:
        return Settle(Done({"strategy_id": ours[0]}), {"new_strategy": ours[0]})
    return Resend({"why": "no new strategy of this name and definition, late arrivals waited for"})


async def _new_strategies(case: Case, hints: Mapping[str, Value]) -> tuple[list[int], list[int]]:
    """New ones of the name: those with the definition that was asked for, and those of which nobody can say."""
    names, before, wanted = set(hints["names"]), hints["ids_before"], hints.get("digest")
    ours: list[int] = []
    untold: list[int] = []
    for listed in await case.pages("ListStrategies", {"limit": PAGE}, "strategies"):
        if listed["id"] in before or listed["name"] not in names:
            continue
        found = await _definition_of(case, listed["id"])
        if found is None or wanted is None:
            untold.append(listed["id"])
        elif found == wanted:
            ours.append(listed["id"])
    return ours, untold


async def _definition_of(case: Case, strategy_id: int) -> str | None:
    """The digest of its definition; a list may leave the definition out, so the strategy itself is read."""
    try:
        answer = await case.read("GetStrategy", {"strategy_id": strategy_id})
    except CallRefused:
        return None
    return definition_digest(answer["strategy"].get("strategy_definition"))


async def changed_strategy(case: Case) -> Verdict:
    """Update and rename: read back and compare; the same is done, anything else is repeated."""
    assert isinstance(case.effect, Call)
    args = case.effect.args
    try:
        strategy = (await case.read("GetStrategy", {"strategy_id": args["strategy_id"]}))["strategy"]
    except CallRefused as refused:
        return Settle(
            Refused("hub_refused", str(refused), {"status": refused.status}), {"status": refused.status}
        )
    asked = {name: value for name, value in args.items() if name != "strategy_id" and value is not None}
    if all(strategy.get(name) == value for name, value in asked.items()):
        return Settle(Done({"strategy_id": args["strategy_id"]}), {"read_back": "as asked"})
    return Resend({"read_back": "not as asked"})


async def deleted_strategy(case: Case) -> Verdict:
    """Gone is done."""
    assert isinstance(case.effect, Call)
    try:
        await case.read("GetStrategy", {"strategy_id": case.effect.args["strategy_id"]})
    except CallRefused as refused:
        return Settle(Done({"strategy_id": case.effect.args["strategy_id"]}), {"status": refused.status})
    return Resend({"read_back": "still there"})
