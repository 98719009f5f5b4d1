"""Tests of the tests: each mutant of EXECUTION.md §6 is caught by the crash matrix's own checks. A checker that has never
failed counts as missing."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from mesoflow.engine.control import Ended
from mesoflow.engine.effects import Refused
from mesoflow.engine.interpreter import EngineBug
from mesoflow.runtime import bodies, calls, core, reconcile, resuming
from mesoflow.runtime.run import ReplayDiffers, Run
from mesoflow.runtime.settling import trades
from tests.support.rig import Rig
from tests.unit.runtime import test_crash_matrix as matrix

CAUGHT = (AssertionError, EngineBug, ReplayDiffers, KeyError)


def crashed_and_resumed(point: str, rig: Rig | None = None) -> None:
    """One column of the matrix."""
    rig = rig or matrix.broken_rig()
    assert rig.life(point).conclusion == "crashed"
    matrix.same_as_uncut(rig, rig.life())


def test_no_intent(monkeypatch):
    """Every request can be derived again, so kills alone never notice: the witness does."""
    honest = Run._record

    def record(self, kind, body, then=None, account="", guard=None):
        if kind != "intended":
            honest(self, kind, body, then, account, guard)
        elif then is not None:
            self._setting.committer.add([], then)

    monkeypatch.setattr(Run, "_record", record)
    with pytest.raises(CAUGHT, match="no durable intent"):
        matrix.broken_rig().life()


def test_a_fresh_key_per_call(monkeypatch):
    count = itertools.count()
    monkeypatch.setattr(calls, "idempotency_key", lambda nonce, path, generation: f"mf-{next(count)}")

    def resend(self, path, effect, intent, case):
        return honest(self, path, effect, self._intent(path, effect, 0), case)

    honest = Run._resend
    monkeypatch.setattr(Run, "_resend", resend)
    rig = matrix.broken_rig()
    rig.world.lose_requests.add("ApplyPaperFills")
    with pytest.raises(CAUGHT):
        matrix.same_as_uncut(rig, rig.life())


def test_replay_by_path(monkeypatch):
    """Outcomes looked up by path instead of fed in the journal's order replay another history."""
    honest = Run._replay

    def replay(self, history, started_at):
        settled = sorted((r for r in history if r.kind == "settled"), key=lambda r: r.body["path"])
        others = iter(settled)
        return honest(self, [next(others) if r.kind == "settled" else r for r in history], started_at)

    monkeypatch.setattr(Run, "_replay", replay)
    with pytest.raises(CAUGHT):
        crashed_and_resumed("committed:trade/fill-1#intended")


def test_an_outcome_that_bypasses_the_codec(monkeypatch):
    """A tuple lives on as a tuple until the crash, and comes back as a list."""
    monkeypatch.setattr(core, "trip", lambda outcome: (outcome, bodies.trip(outcome)[1]))
    honest_call = matrix.broken_rig().world.__class__._GetAccount

    def account(self, args, request):
        answer = honest_call(self, args, request)
        answer["account"]["cash"] = (1, 2)
        return answer

    monkeypatch.setattr("tests.support.memory_hub.MemoryWorld._GetAccount", account)
    monkeypatch.setattr(
        "tests.support.memory_hub.decode", lambda value: value if isinstance(value, dict) else honest(value)
    )
    monkeypatch.setattr(
        "tests.support.memory_hub.encode", lambda value: value if "account" in value else real(value)
    )
    from mesoflow.journal.codec import decode as honest
    from mesoflow.journal.codec import encode as real

    whole, cut = matrix.broken_rig(), matrix.broken_rig()
    uncut = whole.life()
    cut.life("committed:mark/value#settled")
    assert uncut.conclusion != cut.life().conclusion, "the mutant was not seen"


def test_the_codec_is_what_keeps_them_equal():
    """The control of the mutant above: the honest engine ends alike, cut or uncut."""
    crashed_and_resumed("committed:mark/value#settled")


def test_absent_read_as_refused(monkeypatch):
    """No record settles as refused, at once: an order that did arrive late is then sent a second time by the retry."""

    async def trade(case):
        record = await case.record()
        if record is None:
            return reconcile.Settle(Refused("not_sent", "no record", retryable=True), {})
        return await trades.by_record(case, record)

    monkeypatch.setitem(reconcile.ROWS, "ApplyPaperFills", trade)
    rig = matrix.broken_rig()
    rig.world.lose_replies.add("ApplyPaperFills")
    rig.world.records_gone = True
    with pytest.raises(CAUGHT):
        life = rig.life()
        assert rig.world.ledger()["counts"]["ApplyPaperFills"] == 1, life.conclusion


def test_the_clock_is_not_carried_over():
    """A resumed run whose clock begins before its own records: what it waits for, it waits for again."""
    rig = matrix.broken_rig()
    rig.life("committed:legs/short/sleep#settled")
    rig.time -= timedelta(hours=1)
    with pytest.raises(CAUGHT):
        matrix.same_as_uncut(rig, rig.life())


def test_a_swallowed_cancel(monkeypatch):
    """The runtime drops the cancel: the run goes on to trade."""
    monkeypatch.setattr(
        "mesoflow.engine.interpreter.Interpreter.cancel", lambda self, reason, at: core.Turn()
    )
    rig = matrix.broken_rig()
    with pytest.raises(CAUGHT):
        life = rig.life(cancel_after=1.0)
        assert isinstance(life.conclusion, Ended)
        assert life.conclusion.state == "cancelled"


def test_results_in_order_of_arrival(monkeypatch):
    """With items of unequal length, two at once, arrival is another order than declaration."""
    from mesoflow.engine.interpreter import Interpreter

    honest = Interpreter._child_ended

    def arrival(self, task, child, ending):
        child.index = next(i for i, other in enumerate(task.group.endings) if other is None)
        honest(self, task, child, ending)

    def uneven(self, args, request):
        job = honest_start(self, args, request)
        due, plan = self.jobs[job["job_id"]]
        self.jobs[job["job_id"]] = (due + timedelta(seconds=5 if args["position_name"] == "a" else 0), plan)
        return job

    from tests.support.memory_hub import MemoryWorld

    honest_start = MemoryWorld._StartPreparePositionEntry
    monkeypatch.setattr(MemoryWorld, "_StartPreparePositionEntry", uneven)
    control = matrix.broken_rig().life().conclusion
    monkeypatch.setattr(Interpreter, "_child_ended", arrival)
    with pytest.raises(CAUGHT):
        assert matrix.broken_rig().life().conclusion == control


def test_an_intent_that_differs_on_replay_stops_with_both_shown(monkeypatch):
    """The program changed under the run: the digest of what it asks for is another one."""
    from dataclasses import replace

    rig = matrix.broken_rig()
    rig.life("committed:trade/fill-1#intended")
    steps = list(rig.program.steps)
    steps[1] = replace(steps[1], inputs={"name": "another"})
    rig.program = replace(rig.program, steps=tuple(steps))
    with pytest.raises(ReplayDiffers, match=r"at strategy/create: the journal holds an effect .*another"):
        rig.life()


def test_bytes_that_are_rendered_again(monkeypatch):
    """A resend that renders its request anew: the hub's own fence (same key, other bytes) and the witness see it."""
    honest = bodies.read_intent

    def rendered(body):
        intent = honest(body)
        return bodies.Intent(
            **{**{f: getattr(intent, f) for f in intent.__slots__}, "request": intent.request + b" "}
        )

    monkeypatch.setattr(resuming, "read_intent", rendered)
    rig = matrix.broken_rig()
    rig.life("committed:trade/fill-1#intended")
    with pytest.raises(CAUGHT, match="not those of the intent"):
        rig.life()
