"""The scope of steps: it grows, falls through, and never copies."""

from __future__ import annotations

from mesoflow.expressions import Scope, StepView, evaluate


def test_an_inner_scope_sees_the_outer_and_is_not_seen() -> None:
    outer = Scope()
    outer.set("plan", StepView("done", {"lots": 1}))
    inner = Scope(outer)
    inner.set("turn", StepView("done", {"n": 2}))
    outer.set("later", StepView("done", {"lots": 3}))
    assert evaluate("{{ steps.plan.lots + steps.turn.n + steps.later.lots }}", {"steps": inner}) == 6
    assert outer.get("turn") is None
    assert evaluate("{{ steps.turn is skipped }}", {"steps": outer}) is True


def test_a_second_try_replaces_the_first() -> None:
    scope = Scope()
    scope.set("entry", StepView("failed"))
    scope.set("entry", StepView("done", {"lots": 1}))
    assert evaluate("{{ steps.entry.lots }}", {"steps": scope}) == 1


def test_an_inner_step_hides_an_outer_one_of_its_name() -> None:
    outer = Scope()
    outer.set("a", StepView("done", {"n": 1}))
    inner = Scope(outer)
    inner.set("a", StepView("done", {"n": 2}))
    assert evaluate("{{ steps.a.n }}", {"steps": inner}) == 2
    assert evaluate("{{ steps.a.n }}", {"steps": outer}) == 1
