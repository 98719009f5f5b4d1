"""One commit a turn; an order's verdict holds for the ledger it was made against, and for no other."""

import asyncio

import pytest

from mesoflow.engine.control import Ended
from mesoflow.journal.memory import MemoryJournal
from mesoflow.journal.records import Entry
from mesoflow.runtime.commits import Committer, Guard
from mesoflow.runtime.crashpoints import CrashPoints
from tests.support.broker_toys import walker_rig
from tests.support.rig import RUN

ACCOUNT = "PAPER-1"


def intent(run_id, path="buy"):
    return Entry(run_id, "intended", {"path": path}, ACCOUNT)


class Desk:
    """A process of run `one` with a committer; other processes write beside it."""

    def __init__(self):
        self.journal = MemoryJournal()
        self.failed, self.sent, self.moved = [], [], []

    def elsewhere(self, path):
        self.journal.commit([intent("two", path)])

    def turn(self, again, *, version=0):
        async def go():
            committer = Committer(self.journal, CrashPoints(), self.failed.append)
            committer.judged_from("one", ACCOUNT, version)
            committer.add([Entry("one", "settled", {"path": "quotes"})])
            committer.add([intent("one")], lambda: self.sent.append("buy"), Guard("one", ACCOUNT, again))
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        asyncio.run(go())
        return [(record.run_id, record.kind, record.body.get("path")) for record in self.journal.home()]

    def noted(self, entries):
        def again(moved):
            self.moved.append([record.body["path"] for record in moved])
            return entries

        return again


def test_a_ledger_that_has_not_moved_is_not_judged_again():
    desk = Desk()
    assert desk.turn(desk.noted(None)) == [("one", "settled", "quotes"), ("one", "intended", "buy")]
    assert (desk.sent, desk.moved) == (["buy"], [])


def test_what_passes_again_is_committed_with_its_new_verdict():
    desk = Desk()
    desk.elsewhere("theirs")
    records = desk.turn(desk.noted([intent("one", "buy, judged again")]))
    assert records[1:] == [("one", "settled", "quotes"), ("one", "intended", "buy, judged again")]
    assert (desk.sent, desk.moved) == (["buy"], [["theirs"]])


def test_what_is_refused_now_is_neither_written_nor_sent():
    desk = Desk()
    desk.elsewhere("theirs")
    assert desk.turn(desk.noted(None))[1:] == [("one", "settled", "quotes")]
    assert (desk.sent, desk.moved, desk.failed) == ([], [["theirs"]], [])


def test_only_what_is_new_is_told():
    desk = Desk()
    desk.elsewhere("known")
    desk.elsewhere("new")
    desk.turn(desk.noted([intent("one")]), version=1)
    assert desk.moved == [["new"]]


def test_a_ledger_that_moves_without_end_ends_the_process():
    desk = Desk()

    def again(moved):
        desk.elsewhere("theirs")
        return [intent("one")]

    desk.elsewhere("theirs")
    desk.turn(again)
    assert [type(error) for error in desk.failed] == [RuntimeError]
    assert desk.sent == []


@pytest.mark.parametrize("refused", [False, True])
def test_a_run_judges_again_when_another_has_traded_meanwhile(refused):
    """In the whole loop: what is refused then is the run's next input, and nothing of it was written or sent."""
    rig = walker_rig({1: [(1.0, 3)]})

    def tweak(run):
        gate = run._gate
        honest = gate.judge

        def judge(path, order, now):
            if path not in gate.orders:
                rig.journal.commit([Entry("another", "intended", {"path": "theirs"}, ACCOUNT)])
            elif refused:
                gate.refused[path] = "two of two orders are open"
            return honest(path, order, now)

        gate.judge = judge

    life = rig.life(tweak=tweak)
    assert ("another", "intended") in rig.run._gate.seen
    intents = [
        r.body["path"] for r in rig.journal.read(RUN) if r.kind == "intended" and "send" in r.body["path"]
    ]
    if refused:
        assert (life.conclusion.state, life.conclusion.error["code"]) == ("failed", "rail_refused")
        assert (intents, rig.world.orders) == ([], {})
    else:
        assert life.conclusion == Ended("done", outputs={"filled": 3})
        assert intents == ["walk/rung-1/send"]


def test_two_runs_of_one_process_are_judged_one_after_the_other():
    """Each sees the other's intent: the second is judged again, on what the first one's commit has brought."""
    journal, told = MemoryJournal(), []

    async def go():
        committer = Committer(journal, CrashPoints(), told.append)
        for run_id in ("one", "two"):
            committer.judged_from(run_id, ACCOUNT, 0)
        committer.add([intent("one")], lambda: told.append("one sent"), Guard("one", ACCOUNT, lambda _: None))

        def again(moved):
            told.append([record.run_id for record in moved])
            return [intent("two", "judged again")]

        committer.add([intent("two")], lambda: told.append("two sent"), Guard("two", ACCOUNT, again))
        committer.add([Entry("two", "settled", {"path": "after"})])
        for _ in range(4):
            await asyncio.sleep(0)

    asyncio.run(go())
    assert told == ["one sent", ["one"], "two sent"]
    assert [(record.run_id, record.body["path"]) for record in journal.home()] == [
        ("one", "buy"),
        ("two", "judged again"),
        ("two", "after"),
    ]
