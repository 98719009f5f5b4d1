"""Gate of the engine: every crash point of a whole playbook is reached and resumed; nothing is sent twice, nothing lost.

The uncut run lists its crash points; each one is died at and resumed, then pairs of them. What must be equal to the uncut
run: the hub's ledger, the outputs, the final state and the journal's paths.
"""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

import pytest

from mesoflow.engine.control import Ended
from mesoflow.runtime.run import Parked
from tests.support.rig import Life, Rig

SEED = 20250116


def lives_until_over(rig: Rig, *crashes: str) -> list[Life]:
    """Die at each of the points in turn, then live to the end."""
    lives = [rig.life(point) for point in crashes]
    lives.append(rig.life())
    return lives


def uncut() -> tuple[Rig, Life]:
    rig = Rig()
    rig.world.flaky["FLAKY"] = 1
    return rig, rig.life()


def broken_rig() -> Rig:
    rig = Rig()
    rig.world.flaky["FLAKY"] = 1
    return rig


UNCUT_RIG, UNCUT = uncut()
POINTS = list(dict.fromkeys(UNCUT.points))


def same_as_uncut(rig: Rig, life: Life) -> None:
    assert life.conclusion == UNCUT.conclusion
    assert rig.world.ledger() == UNCUT_RIG.world.ledger()
    assert rig.executed_twice() == []
    assert rig.paths() == UNCUT_RIG.paths()
    # What is counted from a journalled start goes on counting: a crash costs look-ups, never a second wait.
    assert sum(rig.lived, timedelta()) - UNCUT_RIG.lived[0] < timedelta(seconds=70)


def test_the_uncut_run_does_everything_once():
    assert UNCUT.conclusion == Ended(
        "done", outputs={"position_id": 4700, "cash": Decimal("250000.00"), "plans": [501, 502, 503]}
    )
    assert UNCUT_RIG.world.ledger()["counts"] == {
        "CreateStrategy": 1,
        "StartPreparePositionEntry": 4,
        "ApplyPaperFills": 1,
    }
    assert UNCUT_RIG.told == ["rejected", "over"]
    assert UNCUT_RIG.witnessed == ["trade/fill-1"]
    assert "each/each[b%2Fc]/start" in UNCUT_RIG.paths()
    assert "again~2/account" in UNCUT_RIG.paths()


@pytest.mark.parametrize("point", POINTS)
def test_died_here_and_resumed(point: str):
    rig = broken_rig()
    first, last = lives_until_over(rig, point)
    assert first.conclusion == "crashed", f"the point {point} was not reached"
    same_as_uncut(rig, last)


def test_died_twice_and_resumed():
    """Every second point after every first one: the second is one of those that the resumed run comes by."""
    pairs = 0
    for first in POINTS:
        scout = broken_rig()
        scout.life(first)
        seconds = list(dict.fromkeys(scout.life().points))
        for second in seconds:
            rig = broken_rig()
            rig.life(first)
            again = rig.life(second)
            assert again.conclusion == "crashed", f"{second} not reached after {first}"
            same_as_uncut(rig, rig.life())
            pairs += 1
    print(f"{len(POINTS)} points, {pairs} pairs")
    assert pairs > len(POINTS)


def test_resuming_twice_changes_nothing():
    """I11: recovery twice is recovery once."""
    rig = broken_rig()
    rig.life("sent:trade/fill-1")
    same_as_uncut(rig, rig.life())
    before = list(rig.journal.read("toys-2025-01-16"))
    assert before[-1].kind == "ended"


def test_cancelled_at_200_instants_nothing_is_lost():
    """I17: whatever was executed at the hub is settled in the journal, or the run parked naming it as unknown."""
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    length = (UNCUT_RIG.time - Rig().time).total_seconds()
    instants = sorted(rng.uniform(0, length) for _ in range(200))
    ended = {"cancelled": 0, "done": 0}
    for instant in instants:
        rig = broken_rig()
        life = rig.life(cancel_after=instant)
        assert isinstance(life.conclusion, Ended), f"cancelled after {instant}: {life.conclusion}"
        ended[life.conclusion.state] += 1
        settled = set(rig.paths())
        assert rig.executed_twice() == []
        assert all(path in settled for path in rig.witnessed)
        assert len(rig.world.positions) == len([p for p in settled if p.startswith("trade/fill")])
        assert rig.told.count("over") == 1, "always has run, once"
    assert ended["cancelled"] > 150


def test_cancelled_then_died_at_every_point_of_the_cancelling():
    for instant in (0.01, 1.5, 6.0, 11.6, 19.0):
        scout = broken_rig()
        uncut_life = scout.life(cancel_after=instant)
        for point in dict.fromkeys(uncut_life.points):
            rig = broken_rig()
            first = rig.life(point, cancel_after=instant)
            assert first.conclusion == "crashed"
            last = rig.life()
            assert isinstance(last.conclusion, Ended)
            assert rig.executed_twice() == []


def test_parked_at_50_instants_and_resumed():
    length = (UNCUT_RIG.time - Rig().time).total_seconds()
    rng = random.Random(SEED)
    for _ in range(50):
        rig = broken_rig()
        first = rig.life(park_after=rng.uniform(0, length))
        assert isinstance(first.conclusion, Parked) or first.conclusion == UNCUT.conclusion
        if isinstance(first.conclusion, Parked):
            same_as_uncut(rig, rig.life())


# --- unknown outcomes --------------------------------------------------------------------------------------------------


def test_the_reply_is_lost_after_the_fills_were_booked():
    rig = broken_rig()
    rig.world.lose_replies.add("ApplyPaperFills")
    same_as_uncut(rig, rig.life())


def test_the_request_is_lost_and_no_record_is_there():
    """Sent into the void: after `late_arrival`, over a new connection, with no trace of the plan, the same bytes again."""
    rig = broken_rig()
    rig.world.lose_requests.add("ApplyPaperFills")
    same_as_uncut(rig, rig.life())
    assert (rig.time - UNCUT_RIG.time) >= timedelta(seconds=29)


@pytest.mark.parametrize("method", ["StartPreparePositionEntry", "CreateStrategy"])
@pytest.mark.parametrize("dial", ["lose_replies", "lose_requests"])
def test_a_prepare_or_a_clone_is_lost(method: str, dial: str):
    rig = broken_rig()
    getattr(rig.world, dial).add(method)
    same_as_uncut(rig, rig.life())


def test_the_record_is_still_processing_for_a_while():
    rig = broken_rig()
    rig.world.processing_until = rig.time + timedelta(seconds=50)
    rig.world.lose_replies.add("ApplyPaperFills")
    same_as_uncut(rig, rig.life())


def test_the_record_stays_processing_a_human_must_look_and_nothing_is_sent():
    rig = broken_rig()
    rig.world.processing_until = rig.time + timedelta(days=1)
    rig.world.lose_replies.add("ApplyPaperFills")
    life = rig.life()
    assert isinstance(life.conclusion, Parked)
    assert (life.conclusion.code, life.conclusion.path) == ("outcome_unknown", "trade/fill-1")
    assert [m for m, _ in rig.world.executed].count("ApplyPaperFills") == 1


def test_the_record_is_gone_a_human_must_look_and_nothing_is_sent():
    rig = broken_rig()
    rig.world.lose_replies.add("ApplyPaperFills")
    rig.world.records_gone = True
    life = rig.life()
    assert isinstance(life.conclusion, Parked)
    assert life.conclusion.code == "outcome_unknown"
    assert "exec plan" in life.conclusion.reason
    assert [m for m, _ in rig.world.executed].count("ApplyPaperFills") == 1
    again = rig.life()
    assert again.conclusion.code == "outcome_unknown", "asking again changes nothing"


def test_the_record_says_failed_of_fills_that_are_there():
    rig = broken_rig()
    rig.world.fail_records.add("ApplyPaperFills")
    rig.world.lose_replies.add("ApplyPaperFills")
    life = rig.life()
    assert life.conclusion.code == "outcome_unknown"


def test_the_hub_is_away_for_30_seconds_at_40_instants():
    length = (UNCUT_RIG.time - Rig().time).total_seconds()
    for step in range(40):
        rig = broken_rig()
        start = length * step / 40

        def away(run, rig=rig, start=start):
            import asyncio

            def go():
                rig.world.away_until = rig.world.now() + timedelta(seconds=30)

            asyncio.get_running_loop().call_later(start, go)

        life = rig.life(tweak=away)
        assert life.conclusion == UNCUT.conclusion
        assert rig.world.ledger() == UNCUT_RIG.world.ledger()


def test_the_hub_stays_away_the_run_parks_and_resumes():
    rig = broken_rig()
    rig.world.away_until = rig.time + timedelta(minutes=10)
    life = rig.life()
    assert isinstance(life.conclusion, Parked)
    assert life.conclusion.code == "hub_unavailable"
    rig.time = rig.time + timedelta(minutes=10)
    last = rig.life()
    assert last.conclusion == UNCUT.conclusion
    assert rig.world.ledger() == UNCUT_RIG.world.ledger()


def test_cancelled_while_a_resend_would_be_due_nothing_is_resent():
    """A resend is a start: in a cancelled scope the absent record leaves the intent unknown, or settles it as not sent."""
    rig = broken_rig()
    rig.life("committed:trade/fill-1#intended")
    life = rig.life(cancel_after=0.0)
    assert isinstance(life.conclusion, Ended)
    assert life.conclusion.state == "cancelled"
    assert rig.world.positions == {}
