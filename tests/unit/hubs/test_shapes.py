"""Types in the documentation's words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mesoflow.hubs.models.base import Instant
from mesoflow.hubs.models.enums import AnOrderState, Include, LiveDataInclude, OrderState
from mesoflow.hubs.models.orders import Order, SendOrderArgs
from mesoflow.hubs.models.prices import LivePrices
from mesoflow.hubs.shapes import all_enums, all_models, enums_in, models_in, shapes_of, type_words


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "int"),
        (Decimal | None, "Decimal"),
        (Instant | None, "datetime"),
        (AnOrderState, "OrderState"),
        (AnOrderState | None, "OrderState"),
        (Include, "LiveDataInclude"),
        (list[int] | None, "list[int]"),
        (dict[int, LivePrices] | None, "dict[int, LivePrices]"),
        (dict[str, list[str]], "dict[str, list[str]]"),
        (Any, "Any"),
    ],
)
def test_a_type_in_words(annotation: Any, words: str) -> None:
    assert type_words(annotation) == words


def test_what_a_field_holds() -> None:
    assert models_in(dict[int, LivePrices] | None) == (LivePrices,)
    assert enums_in(AnOrderState | None) == (OrderState,)
    assert enums_in(Include) == (LiveDataInclude,)


def test_shapes_are_by_wire_name() -> None:
    shapes = shapes_of(SendOrderArgs)
    assert list(shapes)[:2] == ["IdempotencyKey", "ReplacesOrder"]
    assert (shapes["ReplacesOrder"].required, shapes["ReplacesOrder"].nullable) == (True, True)
    assert (shapes_of(Order)["Qty"].required, shapes_of(Order)["Qty"].nullable) == (True, False)


def test_the_table_reaches_everything() -> None:
    assert {"MesoLiveApiError", "LegGroupOrder", "Greeks", "OrderRejectionInfo"} <= set(all_models())
    assert {"StatusCode", "OrderState", "ConditionType", "LiveQuoteFields"} <= set(all_enums())
