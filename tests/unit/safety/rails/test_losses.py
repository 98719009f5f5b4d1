from datetime import timedelta
from decimal import Decimal as D
from typing import Any

from mesoflow.safety.ledger import Ledger
from tests.unit.safety.making import (
    CALENDAR,
    CONDOR,
    FAR,
    NOW,
    RUN,
    STRANGLE,
    closing,
    contract,
    facts,
    judged,
    opened,
    order,
    quote,
    refused,
    with_facts,
)

NAKED = {"max_order_loss": "unlimited", "max_open_loss": "unlimited"}


def numbers(code: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """The numbers of the one line with this code."""
    (line,) = [line for line in judged(*args, **kwargs).lines if line.code == code]
    return dict(line.numbers)


def test_the_loss_of_a_calendar_is_what_it_costs_at_its_limit() -> None:
    made = order(CALENDAR, limit="42.65")
    assert numbers("order_premium", made) == {"value": D(8530), "limit": D(25000)}
    assert numbers("order_loss", made) == {"value": D(8530), "limit": D(25000)}
    assert numbers("open_loss", made) == {"value": D(8530), "limit": D(50000)}


def test_the_loss_of_a_condor_is_its_width_less_the_credit() -> None:
    made = order(CONDOR, limit="-3.70")
    assert numbers("order_premium", made)["value"] == D(740)
    assert numbers("order_loss", made)["value"] == D(4260)


def test_limits_may_be_a_share_of_the_account() -> None:
    assert numbers("order_loss", order(), max_order_loss="4% of net_liquidation")["limit"] == D(10000)


def test_open_loss_adds_the_hubs_positions_the_runs_invisible_orders_and_this_one() -> None:
    ledger = Ledger()
    ledger.apply_intent(RUN, order(CONDOR, exec_plan_id=7009, limit="-3.70"), NOW - timedelta(seconds=9))
    made = with_facts(order(limit="42.65"), open_legs=opened(CONDOR))
    # 8,530 of this one, 4,260 of what is on its way, 4,200 of the open condor at its mid of 4.00.
    assert numbers("open_loss", made, ledger=ledger) == {"value": D(16990), "limit": D(50000)}


def test_positions_do_not_hedge_each_other_for_the_loss_at_expiry() -> None:
    """Each counts by itself; the same structure sold and bought is two losses."""
    bought = tuple((name, what, -quantity, quoted) for name, what, quantity, quoted in CONDOR)
    made = with_facts(order(CONDOR, limit="-4.00"), open_legs=opened(bought))
    assert numbers("open_loss", made)["value"] == D(4200) + D(800)


def test_what_has_no_worst_loss_needs_both_unlimited_and_a_stress_loss() -> None:
    made = order(STRANGLE)
    assert refused(judged(made)) == ["loss_unbounded", "loss_unbounded"]
    assert refused(judged(made, max_order_loss="unlimited")) == ["loss_unbounded", "rail_not_set"]
    assert refused(judged(made, **NAKED)) == ["rail_not_set"]
    assert judged(made, **NAKED, max_stress_loss={"move": "8%", "loss": 25000}).passed
    assert refused(judged(made, **NAKED, max_stress_loss={"move": "8%", "loss": 15000})) == ["stress_loss"]


def test_a_naked_position_that_is_open_is_no_reason_to_forget_it() -> None:
    made = with_facts(order(), open_legs=opened(STRANGLE))
    assert refused(judged(made)) == ["loss_unbounded"]


def test_in_a_stress_a_hedge_counts_whatever_position_it_belongs_to() -> None:
    """P6: short puts of other positions, hedged by long ones."""
    hedge = order([("hedge", contract("put", 5700), 1, quote("7.00", "7.20"))], limit="7.10")
    short = opened(STRANGLE[:1])
    risk = {**NAKED, "max_stress_loss": {"move": "10%", "loss": 60000}}
    assert numbers("stress_loss", with_facts(hedge, open_legs=short), **risk)["value"] == D(0)


def test_another_underlying_is_not_moved() -> None:
    made = with_facts(order(STRANGLE), open_legs=opened(CONDOR))
    risk = {**NAKED, "max_stress_loss": {"move": "8%", "loss": 25000}}
    here = numbers("stress_loss", made, **risk)["value"]
    legs = tuple(
        type(leg)(leg.position_id, leg.name, type(leg.contract)("XSP", "XSP", leg.contract.option_type, leg.contract.expiration, leg.contract.strike), leg.quantity, leg.price)
        for leg in opened(CONDOR)
    )  # fmt: skip
    assert numbers("stress_loss", with_facts(made, open_legs=legs), **risk)["value"] < here


def test_an_adjustment_adds_the_difference_it_makes() -> None:
    """The far put is rolled ten points down, for a credit of 4.20: at worst it loses ten points more."""
    roll = [
        ("far_put", contract(expiration=FAR), -2, quote("97.60", "98.90")),
        ("new_put", contract("put", 5990, FAR), 2, quote("93.40", "94.70")),
    ]
    made = order(roll, limit="-4.20", kind="adjustment", position_id=4711, facts=facts(open_legs=opened()))
    assert numbers("order_loss", made)["value"] == D(2000) - D(840)


def test_an_exit_that_takes_the_longs_first_is_judged_like_an_entry() -> None:
    made = closing(CALENDAR[1:], limit="-98.00", facts=facts(open_legs=opened(CALENDAR)))
    assert refused(judged(made)) == ["order_loss", "open_loss"]
