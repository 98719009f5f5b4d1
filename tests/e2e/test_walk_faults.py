"""A walk at the embedded world's broker under each dial: what befalls an order is survived, or a person is called.

Whatever happens, every run is held to the same: the checkers of mesoflow/rehearsal find nothing, a run with an order that is
alive has called a person, and what a run that is done says it holds is what is held.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from mesoflow.simulator.faults import Loss, Mishap
from mesoflow.simulator.simulator import Simulator
from tests.support.dialled import LOTS, Ended, play_walk
from tests.support.played import Dial

S = timedelta(seconds=1)


@pytest.fixture
def play(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Dial], Ended]:
    return lambda dial: play_walk(tmp_path, monkeypatch, capsys, dial)


def mishap(*mishaps: Mishap) -> Dial:
    return lambda simulator: simulator.world.faults.orders.extend(mishaps)


def reply_lost(method: str) -> Dial:
    return lambda simulator: simulator.world.faults.lose_reply.append(Loss(method))


def request_lost(method: str) -> Dial:
    return lambda simulator: simulator.world.faults.lose_request.append(Loss(method))


def processing(simulator: Simulator) -> None:
    reply_lost("SendOrder")(simulator)
    simulator.world.faults.record_processing["SendOrder"] = 20 * S


def away(seconds: float) -> Dial:
    def change(simulator: Simulator) -> None:
        simulator.world.faults.hub_away(simulator.last_time + seconds * S, 40 * S)

    return change


def silent(simulator: Simulator) -> None:
    simulator.world.faults.silence(simulator.last_time, timedelta(minutes=20))


def restarted(simulator: Simulator) -> None:
    simulator.world.faults.broker_restart("IBKR", simulator.last_time + 8 * S, 10 * S)


def agent_away(simulator: Simulator) -> None:
    simulator.world.faults.agent_away("IBKR", simulator.last_time + 8 * S, 20 * S)


PARTLY = Mishap("fills", after=3 * S, packages=1)
SURVIVED: dict[str, Dial] = {
    "reply lost after SendOrder": reply_lost("SendOrder"),
    "reply lost after CancelOrder": reply_lost("CancelOrder"),
    "request lost of SendOrder": request_lost("SendOrder"),
    "request lost of CancelOrder": request_lost("CancelOrder"),
    "the record still reads Processing": processing,
    "a fill during the cancel": mishap(Mishap("fill_wins")),
    "a part, then a fill during the cancel": mishap(PARTLY, Mishap("fill_wins")),
    "a fill told twice under its id": mishap(PARTLY, Mishap("fill_told_twice")),
    "a fill told again as a new event": mishap(PARTLY, Mishap("fill_told_again")),
    "the order id comes late": mishap(Mishap("id_late", after=6 * S)),
    "the acknowledgement comes late": mishap(Mishap("ack_late", after=20 * S)),
    "the cancel is slow": mishap(Mishap("cancel_slow", after=30 * S)),
    "limbo until it is cancelled": mishap(Mishap("frozen", after=None)),
    "the hub is away for 40 s from the first rung on": away(6),
    "the hub is away for 40 s later": away(21),
    "fills by nothing but history and reads": silent,
    "the broker restarts with new ids": restarted,
}


@pytest.mark.parametrize("dial", SURVIVED.values(), ids=SURVIVED.keys())
def test_it_is_survived_and_everything_fills_once(play: Callable[[Dial], Ended], dial: Dial) -> None:
    ended = play(dial)
    assert (ended.code, ended.state) == (0, "done"), ended.body
    assert sum(ended.filled) == LOTS


REFUSED: dict[str, tuple[Dial, str]] = {
    "a rejection on arrival": (mishap(Mishap("reject", reason="margin")), "rejected"),
    "a rejection after the acknowledgement": (mishap(Mishap("late_reject", after=4 * S)), "rejected"),
    "a person cancels our order": (mishap(Mishap("person_cancels", after=4 * S)), "not_filled"),
}


@pytest.mark.parametrize(("dial", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_it_ends_the_walk_and_nothing_is_held(play: Callable[[Dial], Ended], dial: Dial, code: str) -> None:
    ended = play(dial)
    assert (ended.code, ended.state, ended.reason) == (1, "failed", code), ended.body
    assert (len(ended.filled), ended.held) == (1, {})


def test_a_person_cancels_what_has_filled_in_part_and_the_part_is_kept(play: Callable[[Dial], Ended]) -> None:
    ended = play(mishap(PARTLY, Mishap("person_cancels", after=6 * S)))
    assert (ended.code, ended.state) == (0, "done"), ended.body
    assert ended.filled == [1]


CALLED: dict[str, Dial] = {
    "a fill after the cancel was acknowledged": mishap(Mishap("fill_after_cancel", after=8 * S)),
    "a record that says Failed of an order that the broker then takes": mishap(Mishap("record_failed")),
    "a person closes our position meanwhile": mishap(PARTLY, Mishap("person_closes", after=2 * S)),
}


@pytest.mark.parametrize("dial", CALLED.values(), ids=CALLED.keys())
def test_a_person_is_called(play: Callable[[Dial], Ended], dial: Dial) -> None:
    ended = play(dial)
    assert (ended.code, ended.state) == (4, "parked"), ended.body


def test_the_agent_is_away_during_the_walk(play: Callable[[Dial], Ended]) -> None:
    """Its reports come when it is back; no order leaves meanwhile (C15)."""
    ended = play(agent_away)
    assert ended.state == "done", ended.body
