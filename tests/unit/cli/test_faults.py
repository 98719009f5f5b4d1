"""The quickstart under each dial of the simulator, over real SignalR: it ends as it should, or a person is called."""

from datetime import timedelta

import pytest

from mesoflow.simulator.faults import Loss
from mesoflow.simulator.simulator import Simulator
from tests.unit.cli.test_deciding import dial  # noqa: F401 - a fixture
from tests.unit.cli.test_running import QUICKSTART, RUN, command, home  # noqa: F401 - fixtures


def keep_ledger(monkeypatch):
    """The world is closed with the run; its ledger is asked just before."""
    kept = []
    honest = Simulator.close

    def close(self):
        if not kept or kept[-1][0] is not self:
            kept.append((self, [call.operation for call in self.world.ledger.executed()]))
        honest(self)

    monkeypatch.setattr(Simulator, "close", close)
    return lambda: kept[-1][1]


def away_from(seconds):
    """The hub is away for 30 s, from so long after the entry's moment."""

    def change(simulator):
        clock_start = simulator.last_time
        at = clock_start.replace(hour=14, minute=45) + timedelta(days=1, seconds=seconds)
        simulator.world.faults.hub_away(at, timedelta(seconds=30))

    return change


def reply_lost(simulator):
    simulator.world.faults.lose_reply.append(Loss("ApplyPaperFills"))


def still_processing(simulator):
    reply_lost(simulator)
    simulator.world.faults.record_processing["ApplyPaperFills"] = timedelta(seconds=40)


def request_lost(simulator):
    simulator.world.faults.lose_request.append(Loss("ApplyPaperFills"))


@pytest.mark.parametrize(
    "change",
    [reply_lost, still_processing, request_lost, away_from(0), away_from(0.5), away_from(1.5), away_from(2)],
    ids=["reply lost", "record processing", "request lost", "away 0", "away 0.5", "away 1.5", "away 2"],
)
def test_it_ends_done_and_each_order_was_executed_once(command, monkeypatch, dial, change):  # noqa: F811
    ledger = keep_ledger(monkeypatch)
    dial(monkeypatch, change)
    code, out, err = command("run", QUICKSTART)
    assert (code, err) == (0, ""), out
    assert ledger() == ["ApplyPaperFills", "ApplyPaperFills"]


def test_the_record_is_gone_and_a_person_is_called(command, monkeypatch, dial):  # noqa: F811
    ledger = keep_ledger(monkeypatch)

    def gone(simulator):
        reply_lost(simulator)
        simulator.world.faults.record_gone.add("ApplyPaperFills")

    dial(monkeypatch, gone)
    code, out, _ = command("run", QUICKSTART)
    assert code == 4
    assert f"{RUN}  parked (outcome_unknown)" in out
    assert ledger() == ["ApplyPaperFills"], "nothing is sent again"
