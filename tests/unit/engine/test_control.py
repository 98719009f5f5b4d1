"""Control flow around a step: when, rescue, for_each, retry, outputs, always; asked and answered one effect at a time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mesoflow.engine.action import Context
from mesoflow.engine.control import Ended, Machine, run_playbook
from mesoflow.engine.effects import Call, Done, Refused
from mesoflow.engine.errors import StepError
from mesoflow.engine.interpreter import Interpreter
from mesoflow.engine.program import Clause, ForEach, Program, Retry, Step
from tests.support.toys import TOYS

T0 = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)


class Play:
    """One playbook: `answers` maps a path to what it is answered with; anything else is done with {}."""

    def __init__(self, *steps: Step, inputs=None, **program) -> None:
        context = Context(run_id="r-1", playbook="p", session="cboe-index-options", now=T0)
        self.machine = Machine(Program("p", steps, **program), TOYS, context, inputs or {})
        self.interpreter = Interpreter(
            run_playbook(self.machine), changes_world=lambda _: False, tick=self.machine.tick
        )
        self.asked: list[str] = []

    def run(self, answers=None, cancel_at=None) -> Ended:
        answers = answers or {}
        turn = self.interpreter.start(T0)
        while True:
            self.asked += [path for path, _ in turn.perform]
            over = self.interpreter.over
            if over is not None:
                return over.error.partial if over.error else over.value
            path = next(iter(self.interpreter.waiting))
            if path == cancel_at:
                turn, cancel_at = self.interpreter.cancel("operator", T0), None
                continue
            answer = answers.get(path, Done({"account": {"cash": 1}}))
            turn = self.interpreter.settle(path, answer, T0)


def look(id: str, **around) -> Step:
    return Step(id, "toy.look", {"account": "A"}, **around)


def note(id: str, value, **around) -> Step:
    return Step(id, "toy.note", {"value": value}, **around)


REFUSED = Refused("rejected", "no")


def test_a_step_reads_what_an_earlier_one_gave():
    play = Play(look("a"), note("b", "{{ steps.a.cash }}"), outputs={"cash": "{{ steps.b.value }}"})
    ended = play.run({"b/value": Done(7)})
    assert ended == Ended("done", outputs={"cash": 7})
    assert play.asked == ["a/account", "b/value"]


def test_when_is_false_the_step_and_every_id_inside_it_are_skipped():
    play = Play(
        Step("group", steps=(look("inner"),), when="{{ false }}"),
        note("after", 1, when="{{ steps.inner is skipped and steps.group is skipped }}"),
    )
    assert play.run().state == "done"
    assert play.asked == ["after/value"]


def test_when_must_be_a_boolean():
    ended = Play(look("a", when="{{ 1 }}")).run()
    assert (ended.state, ended.error["code"], ended.error["step"]) == ("failed", "bad_value", "a")


def test_the_first_matching_clause_rescues_and_the_playbook_goes_on():
    play = Play(
        look("a", rescue=(Clause(("other",), (note("x", 1),)), Clause((), (note("y", "{{ error.code }}"),)))),
        note("b", 1, when="{{ steps.a is failed }}"),
    )
    assert play.run({"a/account": REFUSED}).state == "done"
    assert play.asked == ["a/account", "a/rescue-2/y/value", "b/value"]


@pytest.mark.parametrize("stop", ["done", "skipped", "failed"])
def test_a_clause_can_end_the_run(stop):
    play = Play(look("a", rescue=(Clause(("rejected",), (), stop),)), look("never"))
    ended = play.run({"a/account": REFUSED})
    assert (ended.state, ended.outputs) == (stop, None)
    assert play.asked == ["a/account"]


def test_what_is_not_known_is_never_rescued():
    play = Play(Step("a", "toy.fail", {"code": "outcome_unknown"}, rescue=(Clause((), (note("x", 1),)),)))
    assert play.run().error["code"] == "outcome_unknown"
    assert play.asked == []


def test_the_playbooks_own_rescue_runs_and_cannot_turn_failure_into_success():
    play = Play(look("a"), rescue=(Clause((), (note("x", "{{ error.code }}"),)),), always=(note("z", 1),))
    ended = play.run({"a/account": REFUSED})
    assert (ended.state, ended.error["code"]) == ("failed", "rejected")
    assert play.asked == ["a/account", "rescue-1/x/value", "always/z/value"]


def test_retry_repeats_with_new_paths_for_the_listed_errors_only():
    play = Play(look("a", retry=Retry(3, ("rejected",), wait_s=5)))
    assert play.run({"a/account": REFUSED}).state == "done"
    assert play.asked == ["a/account", "a~2/wait", "a~2/account"]
    other = Play(look("a", retry=Retry(3, ("no_quote",))))
    assert other.run({"a/account": REFUSED}).state == "failed"


def test_a_group_is_retried_whole():
    play = Play(Step("g", steps=(look("a"), look("b")), retry=Retry(2, ("rejected",))))
    assert play.run({"g/b/account": REFUSED}).state == "done"
    assert play.asked == ["g/a/account", "g/b/account", "g~2/a/account", "g~2/b/account"]


def test_the_last_try_fails_with_its_own_error():
    play = Play(look("a", retry=Retry(2, ("rejected",))))
    ended = play.run({"a/account": REFUSED, "a~2/account": Refused("rejected", "again")})
    assert ended.error["summary"] == "again"


def test_for_each_names_paths_by_key_and_collects_in_the_order_of_the_items():
    loop = ForEach("{{ inputs.items }}", key="{{ loop.item }}", at_once=2)
    play = Play(
        Step("e", "toy.note", {"value": "{{ loop.item }}"}, for_each=loop),
        inputs={"items": ["a", "b/b", "c"]},
        outputs={"all": "{{ steps.e.results | map(attribute='value') | list }}"},
    )
    ended = play.run(
        {"e/each[a]/value": Done("A"), "e/each[b%2Fb]/value": Done("B"), "e/each[c]/value": Done("C")}
    )
    assert ended.outputs == {"all": ["A", "B", "C"]}
    assert play.asked == ["e/each[a]/value", "e/each[b%2Fb]/value", "e/each[c]/value"]


def test_with_keep_going_the_step_is_done_and_says_who_failed():
    loop = ForEach(["a", "b"], key="{{ loop.item }}", keep_going=True)
    play = Play(
        Step("e", steps=(look("x"),), for_each=loop, outputs={"cash": "{{ steps.x.cash }}"}),
        outputs={"results": "{{ steps.e.results }}", "failed": "{{ steps.e.failed }}"},
    )
    assert play.run({"e/each[a]/x/account": REFUSED}).outputs == {
        "results": [None, {"cash": 1}],
        "failed": ["a"],
    }


def test_ids_inside_a_loop_are_not_visible_outside():
    play = Play(
        Step("e", steps=(look("x"),), for_each=ForEach([1])), note("y", 1, when="{{ steps.x is skipped }}")
    )
    play.run()
    assert play.asked[-1] == "y/value"


def test_a_repeated_key_is_an_error():
    play = Play(Step("e", "toy.note", {"value": 1}, for_each=ForEach([1, 1], key="{{ loop.item }}")))
    assert play.run().error["summary"] == "for_each has the key 1 twice"


def test_outputs_of_a_rescued_step_are_evaluated_last():
    play = Play(
        look("a", rescue=(Clause((), (note("r", 5),)),), outputs={"value": "{{ steps.r.value }}"}),
        outputs={"value": "{{ steps.a.value }}"},
    )
    assert play.run({"a/account": REFUSED, "a/rescue-1/r/value": Done(5)}).outputs == {"value": 5}


def test_always_runs_in_a_cancelled_run_and_no_rescue_catches_the_cancel():
    play = Play(look("a", rescue=(Clause((), (note("x", 1),)),)), always=(note("z", 1),))
    ended = play.run(cancel_at="a/account")
    assert (ended.state, ended.reason) == ("cancelled", "operator")
    assert play.asked == ["a/account", "always/z/value"]


def test_a_failure_in_always_is_told_and_changes_nothing():
    play = Play(look("a"), always=(look("z"),))
    ended = play.run({"always/z/account": REFUSED})
    assert (ended.state, ended.always_failed["code"]) == ("done", "rejected")


def test_bad_inputs_of_an_action_are_the_steps_error():
    class Strict(TOYS["toy.look"].inputs, extra="allow"):
        account: int

    from dataclasses import replace

    play = Play(look("a"))
    play.machine.actions = {**TOYS, "toy.look": replace(TOYS["toy.look"], inputs=Strict)}
    ended = play.run()
    assert ended.error["code"] == "bad_value"
    assert ended.error["summary"].startswith("account: Input should be a valid integer")


@pytest.mark.parametrize(
    ("clause", "handled"), [((), False), ((Clause(("hub_unavailable",)),), True), ((Clause(()),), True)]
)
def test_whether_an_error_would_be_handled_is_known_before_it_is_settled(clause, handled):
    play = Play(Step("g", steps=(look("a"),), rescue=clause))
    play.interpreter.start(T0)
    assert play.interpreter.would_handle("g/a/account", "hub_unavailable") is handled
    assert play.interpreter.would_handle("g/a/account", "legs_differ") is False


# --- orders that a run leaves behind -----------------------------------------------------------------------------------


def leaving(error=None):
    """What takes back the orders of a run: one call, and what it comes to."""

    def close(ctx):
        ctx.open_orders.clear()
        yield Call("stop", "CancelOrder", {})
        return error

    return close


class Left(Play):
    """A playbook that leaves an order behind."""

    def __init__(self, *steps, error=None, **program):
        super().__init__(*steps, **program)
        self.machine.closing = leaving(error)
        self.machine.context.open_orders[9001] = "an order"


LAST = Step("last", "toy.tell", {"title": "over"})
LOOK = Step("look", "toy.look", {"account": "A"})
HELD = StepError("incomplete", "a part filled", {"position_id": 7})
HELD_VALUE = {
    "code": "incomplete",
    "summary": "a part filled",
    "step": "",
    "details": {"position_id": 7},
    "retryable": False,
}


def test_what_nobody_waited_for_is_taken_back_before_always():
    play = Left(LOOK, always=(LAST,))
    ended = play.run({"look/account": Done({"account": {"cash": 1}})})
    assert (play.asked, ended.state) == (["look/account", "engine/closing/stop", "always/last/tell"], "done")


def test_what_filled_of_it_makes_a_done_run_fail():
    play = Left(LOOK, error=HELD)
    ended = play.run({"look/account": Done({"account": {"cash": 1}})})
    assert ended == Ended("failed", "incomplete: a part filled", HELD_VALUE)


def test_a_failed_run_keeps_its_error_and_tells_the_other():
    play = Left(LOOK, error=HELD)
    ended = play.run({"look/account": Refused("hub_refused", "no")})
    assert (ended.state, ended.error["code"], ended.error["details"]["closing"]) == (
        "failed",
        "hub_refused",
        HELD_VALUE,
    )
    assert play.asked == ["look/account", "engine/closing/stop"]


def test_a_cancelled_run_takes_its_orders_back_and_tells_what_filled():
    play = Left(LOOK, error=HELD)
    ended = play.run({}, cancel_at="look/account")
    assert (ended.state, ended.partial) == ("cancelled", {"steps": None, "closing": HELD_VALUE})


def test_a_run_that_left_nothing_asks_for_nothing():
    play = Left(LOOK)
    play.machine.context.open_orders.clear()
    play.run({"look/account": Done({"account": {"cash": 1}})})
    assert play.asked == ["look/account"]
