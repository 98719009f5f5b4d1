"""Orders at a broker through every crash, cancel, halt and park: nothing sent twice, no fill lost, none counted twice.

The toy walk (tests/support/broker_toys.py) sends, watches, cancels, confirms; its gate asserts I1 at every send against the
hub's own orders. What must be equal after crashes: what the hub executed, the position, the outputs, the journal's paths.
"""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from mesoflow.engine.control import Ended
from mesoflow.runtime.run import Parked
from mesoflow.runtime.setting import Expected, HubFacts
from tests.support.broker_toys import TARGET, walker_rig
from tests.support.rig import RUN, Life, Rig

SEED = 20250116
UNCUT_RIG = walker_rig()
UNCUT = UNCUT_RIG.life()
POINTS = list(dict.fromkeys(UNCUT.points))
LENGTH = (UNCUT_RIG.time - Rig().time).total_seconds()


def filled(rig: Rig) -> Decimal:
    return sum((order["cum_qty"] for order in rig.world.orders.values()), Decimal(0))


def alive(rig: Rig) -> list[int]:
    """Orders that work at the broker once everything that is on its way has happened."""
    return [
        number for number, order in rig.world.orders.items() if order["state"] not in ("Filled", "Cancelled")
    ]


def same_as_uncut(rig: Rig, life: Life) -> None:
    assert life.conclusion == UNCUT.conclusion
    assert rig.world.ledger() == UNCUT_RIG.world.ledger()
    assert rig.world.orders.keys() == UNCUT_RIG.world.orders.keys()
    assert rig.executed_twice() == []
    assert rig.paths() == UNCUT_RIG.paths()


def sound(rig: Rig, life: Life) -> None:
    """Whatever happened: nothing executed twice, at most the target filled, and the run knows all of it."""
    assert rig.executed_twice() == []
    assert filled(rig) <= TARGET
    if isinstance(life.conclusion, Ended) and life.conclusion.state == "done":
        assert life.conclusion.outputs == {"filled": filled(rig)}


def test_the_uncut_walk():
    assert UNCUT.conclusion == Ended("done", outputs={"filled": 3})
    assert UNCUT_RIG.world.ledger() == {
        "positions": {
            4700: {"id": 4700, "plan": 500, "legs": {"short_put": Decimal(-3), "long_put": Decimal(3)}}
        },
        "counts": {"SendOrder": 2, "CancelOrder": 1},
    }
    kinds = [record.kind for record in UNCUT_RIG.journal.read(RUN)]
    assert kinds.count("event") == 3, "each event of our orders is journalled as observed, once"


@pytest.mark.parametrize("point", POINTS)
def test_died_here_and_resumed(point: str):
    rig = walker_rig()
    assert rig.life(point).conclusion == "crashed"
    same_as_uncut(rig, rig.life())


def test_died_twice_and_resumed():
    pairs = 0
    for first in POINTS:
        scout = walker_rig()
        scout.life(first)
        for second in dict.fromkeys(scout.life().points):
            rig = walker_rig()
            rig.life(first)
            assert rig.life(second).conclusion == "crashed", f"{second} not reached after {first}"
            same_as_uncut(rig, rig.life())
            pairs += 1
    assert pairs > len(POINTS)


def instants(count: int) -> list[float]:
    rng = random.Random(SEED)
    return sorted(rng.uniform(0, LENGTH) for _ in range(count))


def test_cancelled_at_200_instants_no_order_stays_alive():
    """I17."""
    for instant in instants(200):
        rig = walker_rig()
        life = rig.life(cancel_after=instant)
        assert isinstance(life.conclusion, Ended), f"cancelled after {instant}: {life.conclusion}"
        assert alive(rig) == [], f"cancelled after {instant}"
        sound(rig, life)
        if life.conclusion.state == "cancelled" and rig.world.orders:
            told = [
                r.body for r in rig.journal.read(RUN) if r.kind == "settled" and "confirm" in r.body["path"]
            ]
            assert told or filled(rig) == TARGET, "what filled is in the journal"


def test_halted_at_200_instants_no_order_stays_alive_and_the_walk_goes_on_after_release():
    """C17: everything that works is withdrawn and confirmed, the run parks; after the release it goes on at the same price."""
    parked = 0
    for instant in instants(200):
        rig = walker_rig()
        life = rig.life(halt_after=instant)
        sound(rig, life)
        if life.conclusion == UNCUT.conclusion:
            continue
        parked += 1
        assert isinstance(life.conclusion, Parked)
        assert life.conclusion.code == "halted", f"halted after {instant}: {life.conclusion}"
        assert alive(rig) == [], f"halted after {instant}"
        sent = len(rig.world.orders)
        rig.halted = False
        rig.world.fills = {sent + 1: [(1.0, TARGET - int(filled(rig)))]}
        last = rig.life()
        sound(rig, last)
        assert last.conclusion == Ended("done", outputs={"filled": 3}), (
            f"halted after {instant}: {last.conclusion}"
        )
    assert parked > 180


def test_interrupted_at_100_instants_entries_are_withdrawn():
    for instant in instants(100):
        rig = walker_rig()
        life = rig.life(interrupt_after=instant)
        sound(rig, life)
        if isinstance(life.conclusion, Parked):
            assert (life.conclusion.code, alive(rig)) == ("interrupted", [])
            assert rig.life().conclusion.state == "done"


def test_a_park_for_another_reason_leaves_orders_and_names_them():
    rig = walker_rig()
    life = rig.life(park_after=2.0)
    assert life.conclusion == Parked("interrupted", "by hand", "", {"working": [601]})
    assert alive(rig) == [601]
    same_as_uncut(rig, rig.life())


@pytest.mark.parametrize("instant", [0.1, 0.3, 2.0, 5.0, 10.5, 11.2, 12.0])
def test_halted_and_died_at_every_point_of_it(instant: float):
    """The next process, the kill's own, brings every withdrawal to its end; then the walk goes on."""
    scout = walker_rig()
    for point in dict.fromkeys(scout.life(halt_after=instant).points):
        rig = walker_rig()
        assert rig.life(point, halt_after=instant).conclusion == "crashed"
        rig.halted = True
        killed = rig.life(only_withdraw=True)
        assert isinstance(killed.conclusion, Parked | Ended), point
        assert alive(rig) == [], f"after {point}"
        again = rig.life(only_withdraw=True)  # harmless twice
        assert alive(rig) == []
        assert type(again.conclusion) is type(killed.conclusion)
        rig.halted = False
        rig.world.fills = {len(rig.world.orders) + 1: [(1.0, TARGET - int(filled(rig)))]}
        last = rig.life()
        sound(rig, last)
        assert last.conclusion == Ended("done", outputs={"filled": 3}), f"{point}: {last.conclusion}"


def test_halted_between_the_commit_and_the_first_byte_nothing_leaves():
    rig = walker_rig()
    rig.halted = True
    life = rig.life()
    assert isinstance(life.conclusion, Parked)
    assert (life.conclusion.code, rig.world.orders) == ("halted", {})
    rig.halted = False
    rig.world.fills = {1: [(1.0, 3)]}
    assert rig.life().conclusion == Ended("done", outputs={"filled": 3})
    assert "walk/rung-1~2/send" in rig.paths(), "a new key, and the rails anew"


# --- lost replies ------------------------------------------------------------------------------------------------------


def lose(rig: Rig, what: str, method: str) -> Rig:
    getattr(rig.world, what).add(method)
    return rig


@pytest.mark.parametrize("method", ["SendOrder", "CancelOrder"])
@pytest.mark.parametrize("what", ["lose_replies", "lose_requests"])
def test_a_lost_request_or_reply(method: str, what: str):
    rig = lose(walker_rig(), what, method)
    same_orders(rig, rig.life())


def same_orders(rig: Rig, life: Life) -> None:
    """Asking takes time, so rungs may end elsewhere; what was executed once is executed once."""
    sound(rig, life)
    assert life.conclusion == Ended("done", outputs={"filled": 3})
    assert alive(rig) == []


def test_a_lost_reply_then_halted_the_order_is_adopted_and_withdrawn():
    """The record names it: what was unknown is asked for, adopted, and withdrawn."""
    rig = lose(walker_rig({}), "lose_replies", "SendOrder")
    life = rig.life(halt_after=0.41)
    assert isinstance(life.conclusion, Parked)
    assert (life.conclusion.code, alive(rig)) == ("halted", [])


def test_a_lost_request_while_halted_stays_unknown_and_is_named():
    rig = lose(walker_rig({}, facts=far_hub()), "lose_requests", "SendOrder")
    life = rig.life(halt_after=0.1)
    assert isinstance(life.conclusion, Parked)
    assert life.conclusion.code == "outcome_unknown"
    assert life.conclusion.path == "walk/rung-1/send"
    assert rig.world.orders == {}


def far_hub() -> HubFacts:
    return HubFacts(simulator=True)


def test_an_order_that_does_not_stop_is_named():
    rig = walker_rig({})
    rig.world.deaf_to_cancels = True
    life = rig.life(halt_after=2.0)
    assert isinstance(life.conclusion, Parked)
    assert life.conclusion.code == "outcome_unknown"
    assert life.conclusion.details == {"working": [601]}


def test_a_fill_that_wins_the_race_is_a_fill():
    rig = walker_rig({1: [(10.6, 3)]})
    rig.world.cancel_takes = rig.world.cancel_takes * 2
    assert rig.life().conclusion == Ended("done", outputs={"filled": 3})


# --- fills after the end -------------------------------------------------------------------------------------------------


def test_a_fill_after_a_terminal_state_is_counted_ends_the_walk_and_parks():
    """I1, I5: heard of while nothing watches that order."""
    rig = walker_rig({1: [], 2: []})
    late = {"when": 14.0}

    def tweak(run: Any) -> None:
        import asyncio

        asyncio.get_running_loop().call_later(
            late["when"], lambda: rig.world.happens(601, "fill", 1, even_if_over=True)
        )

    life = rig.life(tweak=tweak)
    assert isinstance(life.conclusion, Parked)
    assert (life.conclusion.code, life.conclusion.path) == ("late_fill", "walk/rung-1/send")
    assert f"{RUN}: late fill" in rig.told, "a person is called"
    inputs = [
        r.body["late_fill"] for r in rig.journal.read(RUN) if r.kind == "input" and "late_fill" in r.body
    ]
    assert inputs == [{"order": 601, "filled": Decimal(1)}]
    assert rig.life().conclusion == Ended("done", outputs={"filled": 1}), "the walk ends with what it has"
    assert alive(rig) == []
    assert [r for r in rig.journal.read(RUN) if r.kind == "input" and "late_fill" in r.body][1:] == []


def test_a_late_fill_while_nobody_lives_is_found_at_the_resume():
    rig = walker_rig({1: [], 2: []})
    rig.life("committed:walk/rung-2/send#settled")
    rig.world.happens(601, "fill", 1, even_if_over=True)
    life = rig.life()
    assert isinstance(life.conclusion, Parked)
    assert life.conclusion.code == "late_fill"


def test_a_late_fill_that_no_event_told_is_read_at_the_resume():
    """Targeted reads of every adopted order."""
    rig = walker_rig({1: [], 2: []})
    rig.world.silent_events = True
    rig.life("committed:walk/rung-2/send#settled")
    rig.world.happens(601, "fill", 1, even_if_over=True)
    life = rig.life()
    assert isinstance(life.conclusion, Parked)
    assert life.conclusion.code == "late_fill"


# --- legs ----------------------------------------------------------------------------------------------------------------


def test_legs_that_differ_at_the_resume_park_with_the_repair_written_out():
    rig = walker_rig({1: [(4.0, 1)], 2: []})
    rig.expected_legs = lambda plans: Expected({4700: {"short_put": Decimal(-1), "long_put": Decimal(1)}})
    rig.life("committed:walk/rung-2/send#settled")
    rig.world.positions[4700]["legs"]["long_put"] = Decimal(2)
    life = rig.life()
    assert life.conclusion == Parked(
        "legs_differ",
        "the legs at the hub are not those that the fills add up to; nothing is traded to mend it",
        "",
        {
            "repair": [
                "position 4700, leg long_put: +2 at the hub, +1 by our fills; sell 1",
                "look at the broker: mend it there, or take what it shows with `mesoflow clear POSITION`",
            ],
        },
    )
    marks = [record.body["position_id"] for record in rig.journal.read(RUN) if record.kind == "mark"]
    assert marks == [4700], "entries on the account are refused until `clear`"
    assert f"{RUN}: legs differ" in rig.told, "a person is called"
    assert len(rig.world.orders) == 2, "nothing trades to fix itself"


def test_what_fills_while_legs_are_compared_is_no_difference():
    """The working order goes on filling; what is intended is read anew at each look."""
    rig = walker_rig({1: [(4.0, 1)], 2: [(1.0, 2)]})

    def expected(plans: Any) -> Expected:
        told = max(
            (
                r.body["order"]["cum_qty"]
                for r in rig.journal.read(RUN)
                if r.kind == "event" and r.body["order"]["order_id"] == 602
            ),
            default=0,
        )
        return Expected({4700: {"short_put": Decimal(-1 - told), "long_put": Decimal(1 + told)}})

    rig.expected_legs = expected
    rig.life("committed:walk/rung-2/send#settled")
    assert rig.life().conclusion == Ended("done", outputs={"filled": 3})
