from dataclasses import replace

from mesoflow.trading.order_values import order_from_value, order_to_value
from tests.unit.safety.making import CONDOR, closing, order


def test_an_order_reads_back_without_its_arguments() -> None:
    for made in (order(CONDOR, args={"exec_plan_id": 7001}), closing()):
        assert order_from_value(order_to_value(made)) == replace(made, args={})


def test_its_value_is_plain() -> None:
    value = order_to_value(order())
    assert list(value) == [
        "method", "account", "kind", "exec_plan_id", "position_id", "strategy_id", "symbol", "legs", "groups", "facts",
    ]  # fmt: skip
    assert value["groups"][0]["legs"] == ["near_put", "far_put"]
    assert value["legs"][1]["contract"]["option_type"] == "put"
