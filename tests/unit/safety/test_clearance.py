import pytest

from mesoflow.safety.clearance import NotCleared, clear
from tests.unit.safety.making import CONDOR, judged, order


def test_a_verdict_that_passes_clears_its_order() -> None:
    made = order()
    assert clear(made, judged(made)).value is made


def test_a_refusal_clears_nothing() -> None:
    made = order(account="PAPER-2")
    with pytest.raises(NotCleared) as refused:
        clear(made, judged(made))
    assert str(refused.value) == (
        "C01 account_not_allowed: the account is one of risk.accounts (account PAPER-2)"
    )


def test_a_verdict_clears_no_other_order() -> None:
    with pytest.raises(NotCleared, match="the verdict is on another order"):
        clear(order(CONDOR), judged(order()))
