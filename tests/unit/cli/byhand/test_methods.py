"""Which method is meant, and which may be called by hand."""

from __future__ import annotations

import pytest

from mesoflow.cli.byhand.methods import READS, WITH_YES, allowed, method_named, require_kind
from mesoflow.cli.byhand.wrong import Wrong
from mesoflow.hubs.contract import METHODS, klass_of
from mesoflow.runtime.refusal import Refusal


def test_a_name_is_found_in_any_casing() -> None:
    assert method_named("listpositions") is METHODS["ListPositions"]


def test_an_unknown_name_lists_near_ones() -> None:
    with pytest.raises(Wrong) as wrong:
        method_named("GetPositon")
    assert str(wrong.value).splitlines()[:2] == [
        "mesoflow hub: no hub has a method GetPositon",
        "  near: GetPosition",
    ]
    with pytest.raises(Wrong, match="`mesoflow hub list` names them all"):
        method_named("Zzzzzzzz")


def test_a_stream_is_streamed_and_a_call_is_called() -> None:
    require_kind(METHODS["GetLeg"], "invoke")
    require_kind(METHODS["StreamLegData"], "stream")
    with pytest.raises(Wrong, match="mesoflow hub stream StreamLegData"):
        require_kind(METHODS["StreamLegData"], "invoke")
    with pytest.raises(Wrong, match="mesoflow hub call GetLeg"):
        require_kind(METHODS["GetLeg"], "stream")


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
@pytest.mark.parametrize("yes", [False, True])
def test_no_connection_made_by_hand_can_trade(method, yes) -> None:
    assert "trade" not in READS | WITH_YES
    if method.klass == "trade" or (method.klass != "read" and not yes):
        with pytest.raises(Refusal) as refused:
            allowed(method, method.klass, yes)
        assert refused.value.code == "MF515"
    else:
        assert method.klass in allowed(method, method.klass, yes)


def test_an_adjustment_that_only_sets_variables_is_a_change() -> None:
    method = METHODS["StartPreparePositionAdjustment"]
    klass = klass_of(method.name, {"operation": "UpdateVars"})
    with pytest.raises(Refusal, match="changes what the hub keeps"):
        allowed(method, klass, False)
    assert allowed(method, klass, True) == WITH_YES


def test_why_an_order_is_refused_is_said() -> None:
    with pytest.raises(Refusal) as refused:
        allowed(METHODS["SendOrder"], "trade", True)
    assert refused.value.summary == "SendOrder trades, and orders leave only through a run"
    assert "writes each order down before it is sent" in refused.value.rows[0][1]
