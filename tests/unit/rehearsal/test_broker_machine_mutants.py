"""Tests of the test: one history under the eyes of the broker's own count and of the checkers, and engines that break it.

The machine of test_broker_machine.py finds nothing in the engine as it is; each mutant here shows that it would.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from mesoflow.actions import rungs, sent, walk
from mesoflow.actions.sent import Sent
from mesoflow.actions.way import Walk
from mesoflow.engine.effects import Refused
from mesoflow.runtime import reconcile
from mesoflow.runtime.commits import Committer
from mesoflow.runtime.gate import Gate
from mesoflow.runtime.views import Views
from tests.support.model_broker import Play
from tests.support.mutants import nothing, original_size_again


def broken() -> set[str]:
    """A part fills, a fill races the cancel, a reply is lost, the process dies and is resumed: which invariants do not hold."""
    play = Play()
    play.live()
    play.wait(5)
    play.do(lambda: play.broker.fill(1))
    play.broker.race(1, 0.5)
    play.broker.lose_reply.add("SendOrder")
    play.wait(20)
    play.wait(60)
    if play.alive:
        play.die()
    try:
        play.settle()
    except (AssertionError, KeyError, TypeError) as error:
        return {type(error).__name__, *_named(play)}
    return _named(play)


def _named(play: Play) -> set[str]:
    return {problem.split(":")[0] for problem in play.problems} | {
        found.invariant for found in play.violations()
    }


def test_the_engine_as_it_is_holds() -> None:
    assert broken() == set()


def past_worst_on_the_wire(patch: pytest.MonkeyPatch) -> None:
    honest = rungs.wire_limit
    patch.setattr(rungs, "wire_limit", lambda price, sign: honest(price, sign) + Decimal("2.00"))


def taken_for_cancelled(patch: pytest.MonkeyPatch) -> None:
    """What is asked for counts as done."""

    def mutant(ctx: Any, order: Sent, name: str) -> Any:
        if not order.over:
            yield from sent.ask_back(order, name)
            order.state = "Cancelled"

    patch.setattr(walk, "take_back", mutant)


def never_taken_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(walk, "take_back", nothing)
    patch.setattr(Walk, "live", property(lambda way: None))


def no_intent(patch: pytest.MonkeyPatch) -> None:
    """What is not written cannot be found again."""
    honest = Committer.add

    def add(self: Committer, entries: Any, then: Any = None, guard: Any = None) -> None:
        kept = [entry for entry in entries if entry.kind != "intended"]
        if kept:
            honest(self, kept, then, guard)
        elif then is not None:
            then()

    patch.setattr(Committer, "add", add)


def lost_is_refused(patch: pytest.MonkeyPatch) -> None:
    """No answer is taken for a no (lesson A2)."""

    async def row(case: reconcile.Case) -> Any:
        return reconcile.Settle(Refused("rejected", "nobody answered"), {})

    patch.setitem(reconcile.ROWS, "SendOrder", row)  # type: ignore[arg-type]


def judges_without_writing(patch: pytest.MonkeyPatch) -> None:
    honest = Gate.intend

    def intend(self: Gate, path: str, order: Any, at: Any) -> Any:
        return {"passed": True, "lines": ""}, honest(self, path, order, at)[1]

    patch.setattr(Gate, "intend", intend)


def counts_events(patch: pytest.MonkeyPatch) -> None:
    """Each word of a fill adds to it."""
    honest = Views.heard

    def heard(self: Views, event: Any) -> Any:
        view = honest(self, event)
        if view is not None and view.filled:
            view.filled += 1
        return view

    patch.setattr(Views, "heard", heard)


@pytest.mark.parametrize(
    ("mutant", "invariant"),
    [
        (original_size_again, "I1"),
        (past_worst_on_the_wire, "I6"),
        (taken_for_cancelled, "I1"),
        (never_taken_back, "I3"),
        (no_intent, "I2"),
        (lost_is_refused, "I17"),
        (judges_without_writing, "I10"),
        (counts_events, "I5"),
    ],
)
def test_a_mutant_of_the_engine_is_caught(
    monkeypatch: pytest.MonkeyPatch, mutant: Callable[[pytest.MonkeyPatch], None], invariant: str
) -> None:
    mutant(monkeypatch)
    assert invariant in broken()
