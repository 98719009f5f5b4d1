"""Changes of strategies, which the hub does not key: what is there now is compared with what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesoflow.engine.effects import Call, Done, Refused, Value
from mesoflow.hubs.errors import CallRefused
from mesoflow.runtime.settling.case import Case
from mesoflow.runtime.settling.verdicts import Human, Resend, Settle, Verdict


async def create_strategy(case: Case) -> Verdict:
    """Not keyed by the hub: a strategy that was not there before, with the asked-for name or the template's, is ours."""
    assert isinstance(case.effect, Call)
    hints = case.effect.hints
    found = await _new_strategies(case, hints)
    if not found:
        await case.late_arrivals()
        found = await _new_strategies(case, hints)
    if len(found) > 1:
        return Human("several new strategies could be ours", {"strategies": found})
    if found:
        return Settle(Done({"strategy_id": found[0]}), {"new_strategy": found[0]})
    return Resend({"why": "no new strategy, late arrivals waited for"})


async def _new_strategies(case: Case, hints: Mapping[str, Value]) -> list[int]:
    listed = await _all_strategies(case)
    names = set(hints["names"])
    return [s["id"] for s in listed if s["id"] not in hints["ids_before"] and s["name"] in names]


async def _all_strategies(case: Case) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    token = None
    while True:
        page = await case.read("ListStrategies", {"limit": 50, "continuation_token": token})
        found.extend(page["strategies"])
        token = page.get("continuation_token")
        if not token:
            return found


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
