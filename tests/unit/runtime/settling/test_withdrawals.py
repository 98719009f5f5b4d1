"""The row of CancelOrder (EXECUTION.md §4): what each finding at the hub comes to."""

from datetime import timedelta
from decimal import Decimal as D

import pytest

from mesoflow.engine.effects import Done, Refused
from mesoflow.runtime.reconcile import Resend, Settle
from tests.support.toys import T0
from tests.support.unknowns import Desk


def test_a_cancel_whose_record_is_done_is_done():
    verdict = Desk("CancelOrder").at_the_hub(601).record("Completed", live_order_id=601).verdict()
    assert isinstance(verdict, Settle)
    assert verdict.outcome == Done({"live_order_id": 601})


@pytest.mark.parametrize("state", ["Filled", "Cancelled", "Rejected"])
def test_without_a_record_an_order_that_is_over_makes_the_cancel_done(state):
    verdict = Desk("CancelOrder").at_the_hub(601, state=state).verdict()
    assert verdict == Settle(Done({"live_order_id": 601}), {"order": 601, "state": state, "cum_qty": D(0)})


@pytest.mark.parametrize("age", [10, 3600])
def test_without_a_record_an_order_that_lives_is_asked_again_at_once_at_any_age(age):
    desk = Desk("CancelOrder", age=age).at_the_hub(601)
    assert isinstance(desk.verdict(), Resend)
    assert desk.clock.now() - (T0 + timedelta(seconds=age)) < timedelta(seconds=1)


def test_a_cancel_whose_record_failed_while_the_order_lives_is_refused_and_the_watch_tells():
    verdict = Desk("CancelOrder").at_the_hub(601).record("Failed").verdict()
    assert isinstance(verdict, Settle)
    assert isinstance(verdict.outcome, Refused)
