"""Intended legs against actual legs: what our fills add up to, and what the hub shows (EXECUTION.md §4, step 6)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from mesoflow.actions.ready import open_quantities
from mesoflow.runtime.holdings import Fold, unsettled
from mesoflow.runtime.perform import Performer
from mesoflow.runtime.setting import Expected, Setting

PAGE = 200
# The hub may lag a fill (EXECUTION.md §4).
AGREE_WITHIN = timedelta(seconds=30)
LOOK_EVERY = timedelta(seconds=2)

Legs = Mapping[str, Decimal]
Differing = Mapping[int, Mapping[str, tuple[Decimal, Decimal]]]


async def legs_at_hub(performer: Performer, position: int) -> dict[str, Decimal]:
    """The open legs of a position, by name."""
    args = {"live_position_id": position, "limit": PAGE}
    return open_quantities((await performer.read_once("ListLegs", args))["legs"])


def differences(found: Mapping[int, tuple[Legs, Legs]]) -> dict[int, dict[str, tuple[Decimal, Decimal]]]:
    """By position and leg, (intended, actual) where they are not the same."""
    zero = Decimal(0)
    differing: dict[int, dict[str, tuple[Decimal, Decimal]]] = {}
    for position, (intended, actual) in found.items():
        for name in {*intended, *actual}:
            pair = intended.get(name, zero), actual.get(name, zero)
            if pair[0] != pair[1]:
                differing.setdefault(position, {})[name] = pair
    return differing


async def legs_that_differ(
    performer: Performer, setting: Setting, expected_now: Callable[[], Expected]
) -> Differing:
    """Looked at until they agree, at most half a minute; what works goes on filling meanwhile, and is told in between."""
    until = setting.clock.now() + AGREE_WITHIN
    while True:
        expected = expected_now()
        found = {
            position: (legs, await legs_at_hub(performer, position))
            for position, legs in expected.positions.items()
        }
        for plan, legs in expected.plans.items():
            position = await _position_of(performer, plan)
            found[position or -plan] = (
                legs,
                {} if position is None else await legs_at_hub(performer, position),
            )
        differing = differences(found)
        if not differing or setting.clock.now() >= until:
            return differing
        await setting.clock.sleep_until(min(setting.clock.now() + LOOK_EVERY, until))


async def _position_of(performer: Performer, plan: int) -> int | None:
    """The position that an entry's plan has made."""
    rows = (await performer.read_once("ListPositions", {"live_exec_plan_id": plan}))["positions"]
    return int(rows[0]["id"]) if rows else None


def expected_of(fold: Fold, plans: Collection[int], now: datetime) -> Expected:
    """What the home's fold says of the positions that these exec plans traded; what has settled is held by nobody."""
    wanted = set(plans)
    positions = {
        int(key): unsettled(entry, now)
        for key, entry in fold.positions.items()
        if wanted & set(entry["plans"])
    }
    pending = {
        int(key): unsettled(plan, now)
        for key, plan in fold.plans.items()
        if int(key) in wanted and plan["legs"]
    }
    return Expected(positions, pending)
