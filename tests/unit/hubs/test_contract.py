"""The table is whole: every name resolves, and what rows say agrees with the models."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest

from mesoflow.hubs.contract import CALLBACKS, METHODS, PATHS, Callback, Klass, Method, callback_of
from mesoflow.hubs.models.base import Args, Page, PageArgs
from mesoflow.hubs.models.events import Event


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_a_row_agrees_with_its_models(method: Method) -> None:
    args, result = method.args_model, method.result_model
    assert issubclass(args, Args)
    assert args.model_rebuild(force=True) and result.model_rebuild(force=True), "its types resolve"
    assert method.hub in PATHS
    assert method.klass in get_args(Klass)
    assert method.keyed == ("idempotency_key" in args.model_fields and method.name != "GetIdempotencyRecord")
    assert (method.items is not None) == issubclass(args, PageArgs) == issubclass(result, Page)
    if method.items is not None:
        assert method.items in result.model_fields


def test_what_trades_and_what_prepares_is_keyed() -> None:
    keyed = {name for name, method in METHODS.items() if method.keyed}
    assert keyed == {name for name, method in METHODS.items() if method.klass in ("trade", "prepare")}
    assert {name for name, method in METHODS.items() if method.klass == "trade"} == {
        "SendOrder",
        "ApplyPaperFills",
        "CancelOrder",
    }


def test_streams_and_subscriptions_only_read() -> None:
    assert all(
        method.klass == "read"
        for method in METHODS.values()
        if method.kind == "stream" or method.hub != "control"
    )


@pytest.mark.parametrize("callback", CALLBACKS.values(), ids=lambda callback: callback.name)
def test_a_callback_is_found_by_every_name_it_has(callback: Callback) -> None:
    assert issubclass(callback.event_model, Event)
    assert callback.event_model.model_rebuild(force=True)
    bare = callback.name.removeprefix("On")
    for name in (
        callback.name,
        callback.event_type,
        bare,
        bare[0].lower() + bare[1:],
        callback.event_type.upper(),
    ):
        assert callback_of(name) is callback


def test_an_unknown_kind_has_no_callback() -> None:
    assert callback_of("OnSomethingNew") is None
    assert callback_of("") is None


def test_the_table_imports_no_model() -> None:
    code = "import sys, mesoflow.hubs.contract; print([m for m in sys.modules if 'pydantic' in m or 'hubs.models' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
