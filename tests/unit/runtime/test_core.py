"""How a run ends whose clock cannot be trusted any more: parked, by the last time that it knew, with nothing sent since."""

from datetime import timedelta

import pytest

from mesoflow.engine.control import Ended
from mesoflow.runtime.clock import ClockWentBack
from mesoflow.runtime.run import Parked
from tests.support.rig import RUN, Rig
from tests.support.toys import T0


class Backward:
    """Somebody sets the clock back by an hour, so many seconds after the run began."""

    def __init__(self, clock, after):
        self._clock, self._at = clock, T0 + timedelta(seconds=after)

    def now(self):
        now = self._clock.now()
        if now >= self._at:
            raise ClockWentBack(now, now - timedelta(hours=1))
        return now

    async def sleep_until(self, when):
        await self._clock.sleep_until(when)
        self.now()

    def call_at(self, when, fn):
        return self._clock.call_at(when, fn)


def set_back(after):
    def tweak(run):
        object.__setattr__(run._setting, "clock", Backward(run._setting.clock, after))

    return tweak


def whole():
    rig = Rig()
    rig.world.flaky["FLAKY"] = 1
    return rig, rig.life()


UNCUT, END = whole()
INSTANTS = [number * UNCUT.lived[0].total_seconds() / 24 for number in range(1, 24)]


def test_it_says_what_the_clock_did_and_what_to_do():
    rig = Rig()
    parked = rig.life(tweak=set_back(0.05)).conclusion
    assert isinstance(parked, Parked)
    assert (parked.code, parked.path) == ("clock_lost", "")
    assert parked.reason.startswith("the clock went back from 2025-01-16T15:00:00.")
    assert parked.reason.endswith("; nothing more was sent: set the clock, then go on")
    last = list(rig.journal.read(RUN))[-1]
    assert last.kind == "parked"
    assert last.body["at"] <= T0 + timedelta(seconds=0.05)


@pytest.mark.parametrize("after", INSTANTS)
def test_whenever_it_happens_nothing_is_sent_by_it_and_the_run_can_be_resumed(after):
    rig = Rig()
    rig.world.flaky["FLAKY"] = 1
    parked = rig.life(tweak=set_back(after)).conclusion
    assert isinstance(parked, Parked), parked
    assert parked.code == "clock_lost"
    kinds = [record.kind for record in rig.journal.read(RUN)]
    assert kinds.count("parked") == 1
    assert kinds[-1] == "parked"
    sent = rig.world.ledger()["counts"]
    assert all(
        sent[method] <= times for method, times in UNCUT.world.ledger()["counts"].items() if method in sent
    )
    assert isinstance(END.conclusion, Ended)
    assert rig.life().conclusion == END.conclusion
    assert rig.world.ledger() == UNCUT.world.ledger()
    assert rig.paths() == UNCUT.paths()
    assert rig.executed_twice() == []


def test_a_cancel_that_comes_then_is_not_written_by_a_time_that_is_wrong():
    rig = Rig()
    parked = rig.life(cancel_after=3.0, tweak=set_back(2.9999)).conclusion
    assert parked.code == "clock_lost"
    assert "input" not in {record.kind for record in rig.journal.read(RUN)}
