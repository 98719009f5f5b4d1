"""Plain lines: one a step, the run's own time, the same lines for the same run."""

from decimal import Decimal as D

from mesoflow.cli.views.lines import Lines
from mesoflow.engine.effects import Done, Watch
from mesoflow.expressions.names import StepView
from mesoflow.runtime.setting import Progress
from tests.support.calendar_story import ACCOUNT, EXECUTION, PLAN, PROGRAM
from tests.support.stories import T0, after, rung_of


def lines():
    written = []
    now = [T0]
    return Lines(PROGRAM, written.append, lambda: now[0]), written, now


def test_a_run_line_by_line():
    view, written, now = lines()
    view.step("account", StepView("done", ACCOUNT), now[0])
    now[0] = after(1503)
    view.step("entry", StepView("done", PLAN), now[0])
    view.step("sane", StepView("done", {}), now[0])
    view.progress(Progress("asked", "buy/send"))
    view.progress(Progress("note", "buy/send", None, None, "outcome unknown: no answer in 15 s"))
    now[0] = after(1510)
    view.step("buy", StepView("done", EXECUTION), now[0])
    view.step("again", StepView("skipped"), now[0])
    view.say("SIGTERM: the run parks")
    assert written == [
        "Thu 16 Jan 2025",
        "10:00:00  account  PAPER-1, paper, USD, net liquidation 250,000",
        "10:25:03  entry    plan 501: -1 SPXW 14 Feb 2025 6000 put, +1 SPXW 18 Mar 2025 6000 put; mid 42.25 debit",
        "10:25:03  sane     holds",
        "10:25:03  buy/send: outcome unknown: no answer in 15 s",
        "10:25:10  buy      position 901: filled at 42.55 debit, cash -4,255",
        "10:25:10  again    skipped",
        "10:25:10  SIGTERM: the run parks",
    ]


def test_what_a_resume_tells_again_is_not_printed_again():
    view, written, _ = lines()
    view.muted = True
    view.step("account", StepView("done", ACCOUNT), T0)
    assert written == []


def test_a_walk_tells_each_rung_when_it_is_over():
    view, written, now = lines()
    for rung, limit, state, filled in ((1, "-1.45", "Cancelled", 0), (2, "-1.40", "Filled", 1)):
        sent, watched = rung_of(rung, D(limit)), Watch("watch", "GetOrder", {}, "always", T0)
        view.progress(Progress("asked", sent[0], sent[1]))
        view.progress(Progress("settled", *sent, Done({"live_order_id": rung})))
        now[0] = after(10 * rung)
        seen = {"order": {"order_id": rung, "state": state, "cum_qty": D(filled), "avg_fill_price": None}}
        for _ in range(2):  # told once, however often it is seen
            view.progress(Progress("settled", "x/watch", watched, Done(seen)))
    assert written == [
        "Thu 16 Jan 2025",
        "10:00:10  sell/group-1  rung-1    1.45 credit  (near 1.65, mid 1.45, natural 1.25)  cancelled",
        "10:00:20  sell/group-1  rung-2    1.40 credit  (near 1.65, mid 1.45, natural 1.25)  filled, 1 of 1 filled",
    ]
