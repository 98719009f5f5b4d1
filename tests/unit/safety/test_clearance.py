import pytest

from mesoflow.safety.clearance import NotCleared, clear
from tests.unit.safety.making import CONDOR, judged, order, with_facts


def test_a_verdict_that_passes_clears_its_order() -> None:
    made = order()
    assert clear(made, judged(made)).value is made


def test_a_refusal_clears_nothing() -> None:
    made = with_facts(order(), is_paper=False)
    with pytest.raises(NotCleared) as refused:
        clear(made, judged(made))
    assert str(refused.value) == (
        "C01 live_refused: the account is a paper account, or one of a simulator "
        "(account PAPER-1, paper False, simulator False)"
    )


def test_a_verdict_clears_no_other_order() -> None:
    with pytest.raises(NotCleared, match="the verdict is on another order"):
        clear(order(CONDOR), judged(order()))
