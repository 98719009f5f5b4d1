"""What the hubs offer, told from the table alone."""

from __future__ import annotations

import pytest

from mesoflow.cli.byhand.listing import one, one_text, overview, overview_text
from mesoflow.cli.byhand.methods import named
from mesoflow.hubs.contract import CALLBACKS, METHODS


def test_the_overview_names_everything() -> None:
    seen = overview()
    assert [row["method"] for row in seen["methods"]] == list(METHODS)
    assert [row["callback"] for row in seen["callbacks"]] == list(CALLBACKS)
    by_hand = {row["method"]: row["by_hand"] for row in seen["methods"]}
    assert (
        by_hand["SendOrder"],
        by_hand["GetOrder"],
        by_hand["DeleteStrategy"],
        by_hand["StreamLegData"],
    ) == (
        "only through a run",
        "hub call",
        "hub call --yes",
        "hub stream",
    )
    assert all(name in overview_text(118) for name in (*METHODS, *CALLBACKS))


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_one_method_is_told_with_everything_it_holds(method) -> None:
    seen = one(method)
    assert {seen["args"], seen["result"]} <= set(seen["models"])
    assert all(
        field["meaning"] and field["known"] in ("documented", "inferred")
        for model in seen["models"].values()
        for field in model["fields"].values()
    )
    assert one_text(method).startswith(f"{method.name}  {method.hub} hub, {method.klass}, ")


def test_enums_and_sources_are_told() -> None:
    seen = one(METHODS["CancelOrder"])
    assert seen["source"] == "python-sdk/workflows/reliability"
    assert one(METHODS["GetOrder"])["enums"]["OrderType"] == {
        "known": "documented",
        "complete": False,
        "members": ["Market", "Limit", "Stop", "StopLimit"],
    }


@pytest.mark.parametrize("callback", CALLBACKS.values(), ids=lambda callback: callback.name)
def test_one_callback_is_told_with_its_payload(callback) -> None:
    assert named(callback.name.upper()) is callback
    seen = one(callback)
    assert seen["payload"] == callback.event_type and seen["payload"] in seen["models"]
    first, second = one_text(callback).splitlines()[:2]
    assert first.startswith(f"{callback.name}  event hub, callback, ") and second == "  by hand  hub watch"
