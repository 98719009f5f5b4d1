"""Frozen prices of leg groups, and the market they were frozen from."""

from decimal import Decimal
from typing import Any

import pytest

from mesoflow.actions.ladders import freeze_group, order_group, quote_of_group, trading_groups
from mesoflow.actions.values import ExecPlan
from mesoflow.engine.errors import StepError
from mesoflow.trading.combos import PackageQuote
from mesoflow.trading.orders import OrderGroup, Quote
from mesoflow.trading.prices import PricePolicy
from tests.support.walks import CREDIT, WALK, calendar, spread

D = Decimal
MARKET = {name: Quote(D(bid), D(ask), None, 0, 0) for name, (bid, ask) in CREDIT.items()}


def plan(value: dict[str, Any]) -> ExecPlan:
    return ExecPlan.model_validate(value)


def test_a_groups_market_is_that_of_its_legs() -> None:
    (group,) = plan(spread()).groups
    assert quote_of_group(group, MARKET) == PackageQuote(D("-1.30"), D("-1.10"), D("-0.90"))


def test_a_frozen_group_tells_its_ladder_and_what_it_was_made_from() -> None:
    made = plan(spread())
    frozen = freeze_group(made, PricePolicy.model_validate(WALK), made.groups[0], MARKET)
    assert frozen.to_value() == {
        "start": D("-1.10"),
        "worst": D("-0.80"),
        "step": D("0.05"),
        "rungs": 7,
        "near": D("-1.30"),
        "mid": D("-1.10"),
        "natural": D("-0.90"),
    }


def test_a_share_of_the_strikes_width_is_measured_by_the_groups_own_strikes() -> None:
    policy = PricePolicy.model_validate({"start": "mid", "worst": {"from_mid": "1% of strike_width"}})
    made = plan(spread())
    assert freeze_group(made, policy, made.groups[0], MARKET).ladder.exact_worst == D("-1.10")
    walking = PricePolicy.model_validate(WALK | {"worst": {"from_mid": "1% of strike_width"}})
    assert freeze_group(made, walking, made.groups[0], MARKET).ladder.worst == D("-0.60")


def test_a_price_of_the_wrong_side_is_refused() -> None:
    policy = PricePolicy.model_validate({"start": {"debit": 1}})
    made = plan(spread())
    with pytest.raises(StepError) as refused:
        freeze_group(made, policy, made.groups[0], MARKET)
    assert (refused.value.code, refused.value.details) == ("rail_refused", {"rule": "wrong_side", "group": 1})


def test_markers_become_no_order() -> None:
    value = calendar()
    marker = {**value["groups"][0], "id": 2, "legs": ["hint"], "ratio": {}, "packages": 0, "side": "even"}
    assert [group.id for group in trading_groups(plan(value | {"groups": [*value["groups"], marker]}))] == [1]


def test_an_orders_group_has_the_frozen_worst_and_the_market_of_now() -> None:
    made = plan(spread(4))
    frozen = freeze_group(made, PricePolicy.model_validate(WALK), made.groups[0], MARKET)
    now = PackageQuote(D("-1.20"), D("-1.00"), D("-0.80"))
    assert order_group(made.groups[0], 3, D("-1.05"), frozen.ladder, now) == OrderGroup(
        1, ("short_put", "long_put"), 3, D("-1.05"), D("-0.80"), D("-1.20"), D("-1.00"), D("-0.80")
    )
