"""The interpreter: each line is an input or an expectation; the seven rules of cancelling, one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mesoflow.engine.effects import Call, Done, Note, Refused, Sleep
from mesoflow.engine.errors import Cancelled, StepError
from mesoflow.engine.interpreter import EngineBug, Interpreter
from mesoflow.engine.tasks import Enter, Gather

T0 = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)


def sleep(name: str) -> Sleep:
    return Sleep(name, T0 + timedelta(minutes=1))


def send(name: str) -> Call:
    """A call that changes the world."""
    return Call(name, "SendOrder")


class World:
    """Drives one interpreter: what is asked for, what was abandoned, in order."""

    def __init__(self, body) -> None:
        self.interpreter = Interpreter(body, changes_world=lambda effect: isinstance(effect, Call))
        self.at = T0
        self.asked: list[str] = []
        self.abandoned: list[str] = []

    def _take(self, turn) -> list[str]:
        new = [path for path, _ in turn.perform]
        self.asked += new
        self.abandoned += turn.abandon
        return new

    def start(self) -> list[str]:
        return self._take(self.interpreter.start(self.at))

    def done(self, path: str, value=None) -> list[str]:
        return self._take(self.interpreter.settle(path, Done(value), self.at))

    def refused(self, path: str, code: str) -> list[str]:
        return self._take(self.interpreter.settle(path, Refused(code, code), self.at))

    def cancel(self) -> list[str]:
        return self._take(self.interpreter.cancel("operator", self.at))

    @property
    def value(self):
        over = self.interpreter.over
        assert over is not None
        assert over.error is None, over.error
        return over.value

    @property
    def error(self):
        over = self.interpreter.over
        assert over is not None
        return over.error


def worker(*names: str, make=sleep):
    """Ask for each effect in turn; answer with what came back."""
    got = []
    for name in names:
        got.append((yield make(name)))
    return got


def test_effects_are_named_by_the_frames_they_stand_in():
    def root():
        first = yield Enter("a", worker("x", "y"))
        second = yield Enter("", worker("z"))
        return [first, second]

    world = World(root())
    assert world.start() == ["a/x"]
    assert world.done("a/x", 1) == ["a/y"]
    assert world.done("a/y", 2) == ["z"]
    assert world.done("z", 3) == []
    assert world.value == [[1, 2], [3]]


def test_a_refusal_is_thrown_where_the_generator_waits():
    def root():
        try:
            yield sleep("x")
        except StepError as error:
            return error.code

    world = World(root())
    world.start()
    world.refused("x", "rejected")
    assert world.value == "rejected"


def test_two_effects_at_one_path_are_a_bug_of_ours():
    world = World(iter_gather(["x", "x"]))
    with pytest.raises(EngineBug, match="two effects at 'x'"):
        world.start()


def iter_gather(names, at_once=2, keep_going=False):
    def root():
        endings = yield Gather([worker(name) for name in names], at_once, keep_going)
        return [ending.value for ending in endings]

    return root()


def test_an_outcome_that_nobody_waits_for_is_a_bug_of_ours():
    world = World(worker("x"))
    world.start()
    with pytest.raises(EngineBug, match="'y'"):
        world.done("y")


def test_results_come_in_declaration_order_whatever_ends_first():
    world = World(iter_gather(["a", "b", "c"], at_once=2))
    assert world.start() == ["a", "b"]
    assert world.done("b", "B") == ["c"]
    assert world.done("c", "C") == []
    assert world.done("a", "A") == []
    assert world.value == [["A"], ["B"], ["C"]]


def test_depth_does_not_use_pythons_stack():
    def nest(depth):
        if depth:
            return (yield Enter("", nest(depth - 1)))
        return (yield sleep("bottom"))

    world = World(nest(5_000))
    world.start()
    world.done("bottom", "deep")
    assert world.value == "deep"


# --- cancelling --------------------------------------------------------------------------------------------------------


def test_rule_1_a_wait_is_abandoned_at_once():
    world = World(worker("x"))
    world.start()
    world.cancel()
    assert world.abandoned == ["x"]
    assert isinstance(world.error, Cancelled)


def test_rule_1_a_call_that_changes_the_world_is_awaited_then_cancelled_at_the_next_effect():
    seen = []

    def root():
        seen.append((yield send("order")))
        yield sleep("next")

    world = World(root())
    world.start()
    assert world.cancel() == []
    assert world.interpreter.over is None
    world.done("order", "accepted")
    assert seen == ["accepted"]
    assert world.abandoned == [] and world.asked == ["order"]
    assert isinstance(world.error, Cancelled)


def test_rule_2_in_a_cancelled_scope_only_a_shield_starts_anything():
    def stop():
        return (yield send("cancel"))

    def root():
        try:
            yield sleep("watch")
        except Cancelled:
            stopped = yield Enter("stop", stop(), shield=True)
            yield sleep("forbidden")
            return stopped

    world = World(root())
    world.start()
    assert world.cancel() == ["stop/cancel"]
    assert world.done("stop/cancel", "gone") == []
    assert world.asked == ["watch", "stop/cancel"]
    assert (
        world.error.partial is None
    )  # the forbidden effect threw Cancelled again before anything was returned


def test_rule_2_a_shield_is_not_disturbed_by_the_cancel_that_comes_while_it_works():
    def root():
        yield Enter("always", worker("one", "two"), shield=True)
        yield sleep("after")

    world = World(root())
    world.start()
    assert world.cancel() == []
    assert world.done("always/one") == ["always/two"]
    assert world.done("always/two") == []
    assert isinstance(world.error, Cancelled)


def test_rule_3_who_catches_the_cancel_can_only_end_by_it_and_returns_the_partial_result():
    def leg():
        try:
            yield sleep("watch")
        except Cancelled:
            return {"filled": 3}

    def root():
        outcome = yield Enter("leg", leg())
        return ["swallowed", outcome]

    world = World(root())
    world.start()
    world.cancel()
    assert world.error == Cancelled("operator", {"filled": 3})


def test_rule_3_an_error_on_the_way_out_does_not_undo_the_cancel():
    def root():
        try:
            yield sleep("watch")
        except Cancelled:
            raise StepError("rejected", "too late")

    world = World(root())
    world.start()
    world.cancel()
    assert world.error == Cancelled("operator", {"error": "rejected", "summary": "too late"})


def test_rule_4_the_first_failure_wins_and_the_others_stop_side_by_side_in_reverse_order_of_start():
    stopped = []

    def leg(name):
        try:
            yield sleep(name)
        except Cancelled:
            stopped.append(name)
            yield Enter(name, worker("stop", make=send), shield=True)
            return f"{name} part filled"

    def root():
        try:
            yield Gather([leg("a"), leg("b"), leg("c")], at_once=3)
        except StepError as error:
            return error.code, error.details["results"]

    world = World(root())
    assert world.start() == ["a", "b", "c"]
    assert world.refused("b", "not_filled") == ["c/stop", "a/stop"]
    assert stopped == ["c", "a"]
    world.done("a/stop")
    world.done("c/stop")
    assert world.value == ("not_filled", ["a part filled", None, "c part filled"])


def test_rule_4_what_had_not_started_never_starts():
    world = World(iter_gather(["a", "b", "c"], at_once=1))
    world.start()
    assert world.refused("a", "rejected") == []
    assert world.asked == ["a"]
    assert isinstance(world.error, StepError)


def test_keep_going_goes_on_and_tells_who_failed():
    def root():
        endings = yield Gather([worker("a"), worker("b"), worker("c")], 2, keep_going=True)
        return [ending.error.code if ending.error else ending.value for ending in endings]

    world = World(root())
    world.start()
    assert world.refused("a", "rejected") == ["c"]
    world.done("b", 2)
    world.done("c", 3)
    assert world.value == ["rejected", [2], [3]]


def test_a_cancelled_group_tells_everyones_partial_result_in_declaration_order():
    def leg(name):
        try:
            yield sleep(name)
        except Cancelled:
            return name.upper()

    def root():
        yield Gather([leg("a"), leg("b")], at_once=2)

    world = World(root())
    world.start()
    world.cancel()
    assert world.error == Cancelled("operator", ["A", "B"])
    assert world.abandoned == ["b", "a"]


def test_a_note_is_an_effect_like_any_other():
    def root():
        return (yield Note("resolved", "15:45"))

    world = World(root())
    assert world.start() == ["resolved"]
    world.done("resolved", "15:45")
    assert world.value == "15:45"


def test_a_swallowed_cancel_would_be_seen(monkeypatch):
    """The mutant of rule 3: an interpreter that lets who catches the cancel return normally."""

    def finished(self, task, frame, value):
        self._pop(task, frame)
        task.send = value

    monkeypatch.setattr(Interpreter, "_finished", finished)
    with pytest.raises(AssertionError):
        test_rule_3_who_catches_the_cancel_can_only_end_by_it_and_returns_the_partial_result()


def test_results_in_order_of_arrival_would_be_seen(monkeypatch):
    """The mutant of declaration order: endings appended as they come."""
    honest = Interpreter._child_ended

    def arrival(self, task, child, ending):
        group = task.group
        child.index = next(i for i, e in enumerate(group.endings) if e is None)
        honest(self, task, child, ending)

    monkeypatch.setattr(Interpreter, "_child_ended", arrival)
    with pytest.raises((AssertionError, EngineBug)):
        test_results_come_in_declaration_order_whatever_ends_first()
