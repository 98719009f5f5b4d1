"""Our table against the documentation's facts, and that every kind of difference is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mesoflow.hubs.facts import FILE, facts, read_facts
from tests.support.agreement import differences, undeclared


def test_our_table_is_the_documented_one() -> None:
    assert undeclared(facts()) == []


def parent(content: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for part in path[:-1]:
        content = content[part]
    return content


def drop(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        del parent(content, path)[path[-1]]

    return change


def put(value: object, *path: str) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        parent(content, path)[path[-1]] = value

    return change


def same_as(other: str, *path: str) -> Callable[[dict[str, Any]], None]:
    """A new entry, a copy of another."""

    def change(content: dict[str, Any]) -> None:
        there = parent(content, path)
        there[path[-1]] = there[other]

    return change


ORDER = ("models", "Order", "fields")


@pytest.mark.parametrize(
    ("mutation", "named"),
    [
        (drop("methods", "GetLeg"), "method GetLeg: in our table, and not documented"),
        (same_as("GetLeg", "methods", "GetFoot"), "method GetFoot: documented, and not in our table"),
        (put("event", "methods", "GetLeg", "hub"), "method GetLeg: hub is event, ours control"),
        (put("stream", "methods", "GetLeg", "kind"), "method GetLeg: kind is stream, ours invoke"),
        (put("LegArgs", "methods", "GetLeg", "args"), "method GetLeg: args is LegArgs, ours GetLegArgs"),
        (put("Leg", "methods", "GetLeg", "result"), "method GetLeg: result is Leg, ours GetLegResult"),
        (
            put(False, "methods", "SendOrder", "idempotent"),
            "method SendOrder: idempotent is False, ours True",
        ),
        (put(False, "methods", "GetLeg", "documented"), "method GetLeg: documented is False, ours True"),
        (drop("callbacks", "OnError"), "callback OnError: in our table, and not documented"),
        (
            put("Oops", "callbacks", "OnError", "payload"),
            "callback OnError: payload is Oops, ours ErrorEvent",
        ),
        (same_as("Order", "models", "Invoice"), "model Invoice: documented, and not in our table"),
        (drop("models", "Order"), "model Order: in our table, and not documented"),
        (drop(*ORDER, "Qty"), "model Order: Qty is in our model, and not documented"),
        (same_as("Qty", *ORDER, "Fee"), "model Order: Fee is documented, and not in our model"),
        (put("int", *ORDER, "Qty", "type"), "model Order: Qty is int, ours Decimal"),
        (
            put("dict[str, LivePrices]", "models", "LegsDataEntry", "fields", "LegPrices", "type"),
            "model LegsDataEntry: LegPrices is dict[str, LivePrices], ours dict[int, LivePrices]",
        ),
        (put(True, *ORDER, "Qty", "nullable"), "model Order: Qty may be null, ours may not"),
        (put(False, *ORDER, "Qty", "required"), "model Order: Qty may be absent, ours may not"),
        (
            put(False, "models", "SendOrderArgs", "fields", "ReplacesOrder", "required"),
            "model SendOrderArgs: ReplacesOrder is not required, ours is",
        ),
        (
            put(True, "models", "GetLegSnapshotArgs", "fields", "Provider", "required"),
            "model GetLegSnapshotArgs: Provider is required, ours is not",
        ),
        (drop("enums", "OrderType"), "enum OrderType: in our table, and not documented"),
        (
            put(["Market"], "enums", "OrderType", "members"),
            "enum OrderType: Limit is in ours, and not documented",
        ),
        (
            put(["Put", "Call", "Warrant"], "enums", "MesoOptionType", "members"),
            "enum MesoOptionType: Warrant is documented, and not in ours",
        ),
        (
            put(["Pending", "Expired"], "enums", "OrderState", "members"),
            "declared, and no difference: enum OrderState: Expired is in ours, and not documented",
        ),
    ],
)
def test_every_kind_of_difference_is_named(mutation: Callable[[dict[str, Any]], None], named: str) -> None:
    content = json.loads(FILE.read_text(encoding="utf-8"))
    mutation(content)
    assert named in undeclared(read_facts(content))


def test_what_is_meant_is_still_told() -> None:
    assert "enum OrderState: Expired is in ours, and not documented" in differences(facts())
