"""Names, tolerance, and the two ways out of a model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from mesoflow.hubs.differences import DIFFERENCES
from mesoflow.hubs.models.base import has_flag, snake_name, to_value, wire_name
from mesoflow.hubs.models.data import GetPositionSnapshotArgs, PositionDataEntry
from mesoflow.hubs.models.enums import LiveQuoteFields, OrderState
from mesoflow.hubs.models.idempotency import GetIdempotencyRecordResult
from mesoflow.hubs.models.orders import ApplyPaperFillsArgs, ListOrdersArgs, Order, SendOrderArgs
from mesoflow.hubs.models.prices import Greeks, LivePnL
from mesoflow.hubs.models.strategies import CreateStrategyArgs, LiveStrategy

NAMES = [
    ("broker_account_id", "BrokerAccountId"),
    ("realized_pnl", "RealizedPnL"),
    ("user_set_realized_pnl", "UserSetRealizedPnL"),
    ("leg_group_pnls", "LegGroupPnLs"),
    ("position_pnls", "PositionPnLs"),
    ("iv", "IV"),
    ("wvega", "WVega"),
    ("bid_age_ms", "BidAgeMs"),
    ("meso_sim_instance", "MesoSimInstance"),
    ("latest_event_seq_id", "LatestEventSeqId"),
]


@pytest.fixture(autouse=True)
def _no_differences() -> None:
    DIFFERENCES.seen.clear()


@pytest.mark.parametrize(("plain", "wire"), NAMES)
def test_names_go_both_ways(plain: str, wire: str) -> None:
    assert (wire_name(plain), snake_name(wire)) == (wire, plain)


def test_camel_case_names_become_the_same_attributes() -> None:
    assert [snake_name(name) for name in ("brokerAccountId", "realizedPnL", "bidAgeMs")] == [
        "broker_account_id",
        "realized_pnl",
        "bid_age_ms",
    ]


def order(**changed: Any) -> dict[str, Any]:
    return {
        "OrderId": 1,
        "CreatedAt": "2025-01-16T15:00:00Z",
        "ExecPlanId": 9,
        "BrokerAccountId": "IB-1",
        "LegGroupId": 1,
        "State": "Filled",
        "Side": "B",
        "Qty": 1,
        "CumQty": "1.0",
        "OrderType": "Limit",
        "TimeInForce": "Day",
        "LastUpdated": "2025-01-16T15:00:01.1234567Z",
    } | changed


@pytest.mark.parametrize(
    "casing", [lambda key: key, lambda key: key[0].lower() + key[1:], snake_name, str.upper]
)
def test_keys_are_read_in_every_casing(casing: Any) -> None:
    read = Order.read({casing(key): value for key, value in order().items()})
    assert read.value() == Order.read(order()).value()
    assert DIFFERENCES.seen == {}


def test_an_order_as_a_value() -> None:
    assert Order.read(order(AvgFillPrice=Decimal("12.50"))).value() == {
        "order_id": 1,
        "created_at": datetime(2025, 1, 16, 15, tzinfo=UTC),
        "filled_at": None,
        "exec_plan_id": 9,
        "broker_account_id": "IB-1",
        "leg_group_id": 1,
        "state": "Filled",
        "side": "B",
        "qty": Decimal(1),
        "cum_qty": Decimal("1.0"),
        "avg_fill_price": Decimal("12.50"),
        "last_fill_price": None,
        "limit_price": None,
        "stop_price": None,
        "order_type": "Limit",
        "time_in_force": "DAY",
        "last_updated": datetime(2025, 1, 16, 15, 0, 1, 123456, tzinfo=UTC),
    }


def test_a_value_holds_nothing_but_values() -> None:
    value = Order.read(order()).value()
    assert {type(item) for item in value.values()} == {int, datetime, str, Decimal, type(None)}


@pytest.mark.parametrize(
    ("raw", "price"),
    [(12, "12"), ("12.50", "12.50"), (Decimal("12.50"), "12.50"), ("-0.05", "-0.05"), (12.5, "12.5")],
)
def test_decimals_from_numbers_or_text(raw: Any, price: str) -> None:
    assert str(Order.read(order(LimitPrice=raw)).limit_price) == price


@pytest.mark.parametrize("raw", ["NaN", "Infinity", float("nan"), "twelve", [1]])
def test_what_is_no_decimal_is_refused(raw: Any) -> None:
    with pytest.raises(ValidationError):
        Order.read(order(LimitPrice=raw))


@pytest.mark.parametrize(
    "raw",
    [
        "2025-01-16T15:00:00Z",
        "2025-01-16T15:00:00",
        "2025-01-16T15:00:00.0000000Z",
        "2025-01-16T10:00:00-05:00",
        datetime(2025, 1, 16, 15, tzinfo=UTC),
        datetime(2025, 1, 16, 10, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_times_are_aware_and_in_utc(raw: Any) -> None:
    read = Order.read(order(FilledAt=raw)).filled_at
    assert read == datetime(2025, 1, 16, 15, tzinfo=UTC)
    assert read is not None
    assert read.tzinfo is UTC


def test_enum_members_in_any_casing_unknown_ones_kept_and_noted() -> None:
    states = [
        Order.read(order(State=raw)).state for raw in ("Filled", "filled", "PARTIALLY_FILLED", "Limbo", 3)
    ]
    assert states == [OrderState.FILLED, OrderState.FILLED, OrderState.PARTIALLY_FILLED, "Limbo", "3"]
    assert [str(difference) for difference in DIFFERENCES.seen] == [
        "OrderState has a member that the contract does not know: Limbo",
        "OrderState has a member that the contract does not know: 3",
    ]


def test_a_number_is_never_taken_for_a_member() -> None:
    """No order of members is documented; a wrong one would turn a refusal into a success."""
    assert [Order.read(order(State=number)).state for number in range(8)] == [
        str(number) for number in range(8)
    ]


@pytest.mark.parametrize("raw", [None, True, [], {}])
def test_what_is_no_name_is_refused(raw: Any) -> None:
    with pytest.raises(ValidationError):
        Order.read(order(State=raw))


def test_unknown_fields_are_kept_and_noted_once() -> None:
    for _ in range(2):
        read = Order.read(order(BrokerPnL={"Deep": 1.5}))
    assert read.value()["broker_pnl"] == {"Deep": Decimal("1.5")}
    assert read.wire()["BrokerPnL"] == {"Deep": 1.5}
    assert [str(difference) for difference in DIFFERENCES.seen] == [
        "Order has a field that the contract does not know: BrokerPnL"
    ]


def test_integer_keys_become_text_in_a_value_and_stay_on_the_wire() -> None:
    read = PositionDataEntry.read({"LegPrices": {"5": {"Bid": 1}, 6: {"Bid": 2}}})
    assert list(read.value()["leg_prices"]) == ["5", "6"]
    assert list(read.wire()["LegPrices"]) == [5, 6]


def test_results_are_written_with_their_nulls_and_exceptional_names() -> None:
    assert LivePnL(realized=Decimal(1)).wire() == {
        "SnapshotTime": None,
        "BidAgeMs": None,
        "AskAgeMs": None,
        "LastAgeMs": None,
        "MarkAgeMs": None,
        "Realized": Decimal(1),
        "Bid": None,
        "Ask": None,
        "Last": None,
        "Mark": None,
    }
    assert list(Greeks().wire()) == ["Delta", "Gamma", "Theta", "Vega", "Rho", "WVega", "IV"]


def test_arguments_write_required_nulls_and_leave_out_what_was_not_given() -> None:
    sent = SendOrderArgs.write(
        {
            "leg_group_id": 1,
            "idempotency_key": "k",
            "replaces_order": None,
            "broker_account_id": "IB-1",
            "exec_plan_id": 9,
            "qty_multiplier": None,
            "leg_group_order": {
                "order_type": "Limit",
                "time_in_force": "DAY",
                "limit_price": Decimal("-1.50"),
                "stop_price": None,
            },
        }
    )
    # In the order of the model, whatever the order of the arguments: the bytes are a function of the values.
    assert list(sent.wire().items()) == [
        ("IdempotencyKey", "k"),
        ("ReplacesOrder", None),
        ("BrokerAccountId", "IB-1"),
        ("ExecPlanId", 9),
        ("QtyMultiplier", None),
        ("LegGroupId", 1),
        (
            "LegGroupOrder",
            {"OrderType": "Limit", "TimeInForce": "DAY", "LimitPrice": Decimal("-1.50"), "StopPrice": None},
        ),
    ]
    assert ListOrdersArgs.write({"exec_plan_id": 9}).wire() == {"ExecPlanId": 9}


def test_our_own_mistakes_are_refused() -> None:
    for args in ({"exec_plan_id": 9}, {"idempotency_key": "k", "exec_plan_id": 9, "paper_leg_fils": {}}):
        with pytest.raises(ValidationError):
            ApplyPaperFillsArgs.write(args)


def test_a_nested_mistake_of_ours_is_refused_too() -> None:
    with pytest.raises(ValidationError, match="has no field 'prize'"):
        ApplyPaperFillsArgs.write(
            {"idempotency_key": "k", "exec_plan_id": 9, "paper_leg_fills": {"put": {"prize": Decimal(1)}}}
        )


def test_a_peer_s_additional_argument_is_not() -> None:
    read = ListOrdersArgs.read({"execPlanId": 9, "later": 1})
    assert (read.exec_plan_id, read.value()["later"]) == (9, 1)


def test_flags() -> None:
    args = {"position_id": 1, "include_position": "prices, PNL", "include_legs": ["Prices", "Greeks"]}
    sent = GetPositionSnapshotArgs.write(
        args | {"include_leg_groups": "All", "pnl_fields": LiveQuoteFields.MARK}
    )
    assert sent.wire() == {
        "PositionId": 1,
        "PnlFields": "Mark",
        "IncludePosition": "Prices, PnL",
        "IncludeLegs": "Prices, Greeks",
        "IncludeLegGroups": "All",
    }
    assert [has_flag(sent.include_position, flag) for flag in ("Prices", "Greeks", "PnL")] == [
        True,
        False,
        True,
    ]
    assert has_flag(sent.include_leg_groups, "Greeks")


def test_a_definition_passes_through_untouched() -> None:
    definition = {
        "MesoSimVersion": "3.0",
        "Structure": {"legs": [{"Qty": "-1"}]},
        "Unknown_Key": Decimal("0.5"),
    }
    assert (
        CreateStrategyArgs.write({"strategy_definition": definition}).wire()["StrategyDefinition"]
        == definition
    )
    assert LiveStrategy.read({"id": 1, "name": "n", "strategyDefinition": definition}).value()[
        "strategy_definition"
    ] == (definition)
    assert DIFFERENCES.seen == {}


def test_a_record_is_read_bare_or_wrapped() -> None:
    record = {
        "IdempotencyKey": "k",
        "Operation": "SendOrder",
        "Status": "Completed",
        "CreatedAt": "2025-01-16T15:00:00Z",
        "UpdatedAt": "2025-01-16T15:00:00Z",
        "LiveOrderIds": [4],
    }
    bare = GetIdempotencyRecordResult.read(record).value()
    assert bare == GetIdempotencyRecordResult.read({"record": record}).value()
    assert (bare["status"], bare["live_order_ids"]) == ("Completed", [4])


def test_floats_in_free_json_become_decimals() -> None:
    assert to_value({"a": [0.1, (1, 2.5)], 3: None}) == {
        "a": [Decimal("0.1"), [1, Decimal("2.5")]],
        "3": None,
    }
