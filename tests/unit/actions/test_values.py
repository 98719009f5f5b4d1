"""Value types: one price from two sides, and a way back from the journal."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mesoflow.actions.values import ExecPlan, Price
from tests.support.acting import Script, act
from tests.support.answers import entry_plan, job, strategy


@given(st.decimals(-100_000, 100_000, places=2))
def test_a_price_reads_the_same_from_two_sides(signed: Decimal) -> None:
    price = Price.of(signed)
    assert (price.debit, price.credit) == (signed, -signed)
    assert str(Price.of(Decimal("0.00")).credit) == "0.00"


def test_a_plan_comes_back_from_its_value() -> None:
    script = Script().answers("GetStrategy", {"strategy": strategy(201, "campaign")})
    script.answers("StartPreparePositionEntry", {"job_id": "j"})
    script.answers("GetPreparePositionEntryStatus", job(entry_plan()))
    outputs = act("entry.prepare", {"strategy": 201}, script).outputs
    assert ExecPlan.model_validate(outputs).value() == outputs
