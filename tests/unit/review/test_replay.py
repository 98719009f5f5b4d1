"""Telling a journal again: the same rule of what changes the world as the runtime's, the same reading of outcomes."""

from mesoflow.engine.effects import Call, Done, Note, Place, Refused, Sleep, Tell, Watch, Withdraw
from mesoflow.hubs.contract import METHODS
from mesoflow.review.replay import changes_world, read_outcome
from mesoflow.runtime import bodies, run
from tests.support.stories import T0

EFFECTS = [
    *(Call("x", method) for method in METHODS),
    Watch("x", "GetOrder", {}, "always", T0),
    Place("x", None),
    Withdraw("x", "CancelOrder", {}),
    Sleep("x", T0),
    Tell("x", (), "t", ""),
    Note("x", 1),
]


def test_what_changes_the_world_is_what_the_runtime_says():
    assert [changes_world(effect) for effect in EFFECTS] == [run.changes_world(effect) for effect in EFFECTS]


def test_outcomes_are_read_as_the_runtime_writes_them():
    for outcome in (Done({"a": 1}), Done(None), Refused("not_filled", "nothing", {"x": 1}, True)):
        body = bodies.settled("p", outcome, "d", T0)
        assert read_outcome(body) == outcome == bodies.read_outcome(body)
