"""Differences are collected once, in order, up to a bound."""

from __future__ import annotations

from mesoflow.hubs.differences import KEPT_MAX, Difference, Differences


def test_each_is_handed_out_once_to_be_told() -> None:
    differences = Differences()
    differences.note("field", "Order", "Colour")
    differences.note("field", "Order", "Colour")
    assert list(map(str, differences.untold())) == [
        "Order has a field that the contract does not know: Colour"
    ]
    differences.note("member", "OrderState", "Melted")
    assert list(map(str, differences.untold())) == [
        "OrderState has a member that the contract does not know: Melted"
    ]
    assert differences.untold() == []


def test_another_casing_is_the_same_difference() -> None:
    differences = Differences()
    for name in ("NewField", "newField", "new_field"):
        differences.note("field", "Order", name)
    assert [difference.what for difference in differences.seen] == ["NewField"]


def test_each_difference_is_heard_once() -> None:
    heard: list[Difference] = []
    differences = Differences(heard=heard.append)
    for _ in range(3):
        differences.note("field", "Order", "New")
        differences.note("member", "OrderState", "Limbo")
    assert [str(difference) for difference in heard] == [
        "Order has a field that the contract does not know: New",
        "OrderState has a member that the contract does not know: Limbo",
    ]
    assert list(differences.seen) == heard


def test_a_hub_that_invents_names_fills_no_memory() -> None:
    differences = Differences()
    for number in range(KEPT_MAX + 5):
        differences.note("field", "Order", f"F{number}")
    assert len(differences.seen) == KEPT_MAX
