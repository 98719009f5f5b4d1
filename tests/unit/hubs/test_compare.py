"""Raw answers against their models: every kind of difference, told without values; encodings noted."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from mesoflow.hubs.compare import Comparison, kind_of
from mesoflow.hubs.models.accounts import ListAccountsResult
from mesoflow.hubs.models.base import Wire
from mesoflow.hubs.models.data import PositionDataEntry
from mesoflow.hubs.models.orders import GetOrderResult
from mesoflow.hubs.models.strategies import GetStrategyResult

AT = "2025-01-16T15:00:00Z"


def order() -> dict[str, Any]:
    return {
        "OrderId": 7001, "CreatedAt": AT, "FilledAt": None, "ExecPlanId": 5001, "BrokerAccountId": "IB-1", "LegGroupId": 1,
        "State": "Submitted", "Side": "B", "Qty": Decimal("1"), "CumQty": 0, "AvgFillPrice": None, "LastFillPrice": None,
        "LimitPrice": Decimal("-1.10"), "StopPrice": None, "OrderType": "Limit", "TimeInForce": "DAY", "LastUpdated": AT,
    }  # fmt: skip


def compared(model: type[Wire], answer: object) -> Comparison:
    comparison = Comparison()
    comparison.look(model, answer)
    return comparison


def told(model: type[Wire], answer: object) -> list[str]:
    return list(map(str, compared(model, answer).deviations))


def test_an_answer_as_the_contract_says_shows_nothing() -> None:
    seen = compared(GetOrderResult, {"Order": order()})
    assert seen.deviations == {}
    assert seen.encodings == {
        "casing": {"PascalCase"},
        "times": {"with a zone"},
        "enums": {"name"},
        "decimals": {"number"},
    }


def put(**changed: Any) -> Callable[[dict[str, Any]], None]:
    return lambda row: row.update(changed)


def drop(name: str) -> Callable[[dict[str, Any]], None]:
    def change(row: dict[str, Any]) -> None:
        del row[name]

    return change


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (drop("Qty"), ["Order.Qty (Decimal, documented) is missing"]),
        # Documented as always there, though we can do without.
        (drop("LimitPrice"), ["Order.LimitPrice (Decimal, documented) is missing"]),
        (put(Colour="red"), ["Order.Colour (text) is unknown to the contract"]),
        (put(Qty="many"), ["Order.Qty is text, not Decimal (documented)"]),
        (put(Qty=True), ["Order.Qty is true or false, not Decimal (documented)"]),
        (put(Qty=None), ["Order.Qty is null, not Decimal (documented)"]),
        (put(OrderId="7001"), ["Order.OrderId is text, not int (documented)"]),
        (put(Side=1), ["Order.Side is number, not str (documented)"]),
        (put(CreatedAt="yesterday"), ["Order.CreatedAt is text, not datetime (documented)"]),
        (put(State=3), ["Order.State is number, not OrderState (documented)"]),
        (put(State="Melted"), ["Order.State: Melted is no member of OrderState (inferred)"]),
        (put(State={}), ["Order.State is object, not OrderState (documented)"]),
        # What is read all the same is no difference.
        (put(Qty="1.50"), []),
        (put(state="submitted"), []),
        (put(CreatedAt="2025-01-16T15:00:00"), []),
    ],
)
def test_each_difference_is_told(change: Callable[[dict[str, Any]], None], lines: list[str]) -> None:
    row = order()
    change(row)
    assert told(GetOrderResult, {"Order": row}) == lines


def test_how_things_are_encoded_is_noted() -> None:
    camel = {name[0].lower() + name[1:]: value for name, value in order().items()}
    seen = compared(
        GetOrderResult, {"order": camel | {"qty": "1.0", "createdAt": "2025-01-16T15:00:00", "state": 2}}
    )
    assert seen.encodings == {
        "casing": {"camelCase"},
        "times": {"with a zone", "without a zone"},
        "enums": {"name", "number"},
        "decimals": {"number", "text"},
    }
    assert compared(GetOrderResult, {"ORDER": order()}).encodings["casing"] == {"another", "PascalCase"}


def test_lists_dicts_and_what_they_hold() -> None:
    assert told(ListAccountsResult, {"Accounts": {}, "ContinuationToken": None}) == [
        "ListAccountsResult.Accounts is object, not list[LiveAccount] (inferred)"
    ]
    assert told(ListAccountsResult, {"Accounts": ["IB-1"]}) == [
        "LiveAccount.itself is text, not object (documented)"
    ]
    prices = {"Mark": "5.0", "SnapshotTime": AT}
    lines = told(PositionDataEntry, {"LegPrices": {"2001": prices, "short_put": prices}})
    assert "PositionDataEntry.LegPrices is text keys, not dict[int, LivePrices] (documented)" in lines
    assert told(GetOrderResult, []) == ["GetOrderResult.itself is list, not object (documented)"]


def test_free_content_is_free() -> None:
    strategy = {"Id": 1, "Name": "a", "StrategyDefinition": {"Anything": [1, {"x": None}]}}
    assert not [line for line in told(GetStrategyResult, {"Strategy": strategy}) if "Definition" in line]


def test_each_difference_is_told_once() -> None:
    rows = [order() | {"Colour": "red"} for _ in range(3)]
    comparison = Comparison()
    for row in rows:
        comparison.look(GetOrderResult, {"Order": row})
    assert len(comparison.deviations) == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [(True, "true or false"), ("a", "text"), (1, "number"), (Decimal(1), "number"), ({}, "object"), ([], "list"), (None, "null"), (b"", "bytes")],
)  # fmt: skip
def test_kinds_in_words(value: object, words: str) -> None:
    assert kind_of(value) == words
