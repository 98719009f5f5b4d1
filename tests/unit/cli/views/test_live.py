"""What is under way, in words; the picture itself is drawn without a terminal."""

import io
from decimal import Decimal as D
from types import SimpleNamespace

import pytest
from rich.console import Console

from mesoflow.cli.views.live import Live, doing
from mesoflow.engine.effects import Call, Done, Note, Place, Sleep, Tell, Watch, Withdraw
from mesoflow.expressions.names import StepView
from mesoflow.runtime.setting import Progress
from tests.support.calendar_story import ACCOUNT, PROGRAM
from tests.support.stories import T0, after, rung_of

ORDER = SimpleNamespace(
    method="ApplyPaperFills", exec_plan_id=501, contracts=D(2), groups=(SimpleNamespace(limit=D("42.55")),)
)


@pytest.mark.parametrize(
    ("effect", "text"),
    [
        (Sleep("x", after(330)), "until Thu 16 Jan 2025 10:05:30 ET, 5m 30s left"),
        (Watch("x", "GetOrder", {}, "always", after(-5)), "watching GetOrder, time is over"),
        (Place("x", ORDER), "ApplyPaperFills for plan 501, 2 contracts at 42.55 debit"),
        (Call("x", "GetAccount"), "GetAccount"),
        (Withdraw("x", "CancelOrder", {}), "CancelOrder"),
        (Tell("x", ("ops", "desk"), "t", ""), "telling ops, desk"),
        (Note("x", 1), ""),
    ],
)
def test_what_is_under_way(effect, text):
    assert doing(effect, T0) == text


def test_the_picture_has_every_step_its_state_and_what_it_waits_for():
    view = Live("calendar-2025-01-16  PAPER-1", PROGRAM, lambda: T0)
    view._draw = lambda: None
    view.step("account", StepView("done", ACCOUNT), T0)
    view.progress(Progress("asked", "enter/entry/start", Call("start", "StartPreparePositionEntry")))
    stream = io.StringIO()
    Console(file=stream, width=120, color_system=None).print(view._picture())
    assert [line.rstrip() for line in stream.getvalue().splitlines()] == [
        "calendar-2025-01-16  PAPER-1    Thu 16 Jan 2025 10:00:00 ET",
        "✓  10:00:00  account  PAPER-1, paper, USD, net liquidation 250,000",
        "▸            enter",
        "▸              entry",
        "·              sane",
        "·            buy",
        "·            again",
        "  enter/entry/start  StartPreparePositionEntry",
    ]


def test_the_picture_shows_the_ladder_of_a_working_order_with_the_time_that_is_left():
    view = Live("condor-2025-01-16  IB-1", PROGRAM, lambda: after(7))
    view._draw = lambda: None
    path, effect = rung_of(1, D("-1.45"))
    view.progress(Progress("asked", path, effect))
    view.progress(Progress("settled", path, effect, Done({"live_order_id": 11})))
    stream = io.StringIO()
    Console(file=stream, width=120, color_system=None).print(view._picture())
    assert [line.rstrip() for line in stream.getvalue().splitlines()][-2:] == [
        "  sell/group-1  0 of 1 package filled, worst 1.20 credit, 1m 53s left",
        "    10:00:07  rung-1    1.45 credit  (near 1.65, mid 1.45, natural 1.25)  working, 0 of 1 filled",
    ]
