"""From an envelope to a result or an ending: what errors carry along."""

from __future__ import annotations

from typing import Any

import pytest

from mesoflow.hubs.answers import read_answer, read_item
from mesoflow.hubs.contract import METHODS
from mesoflow.hubs.errors import CallRefused, OutcomeUnknown


def ending(method: str, answer: Any) -> Exception:
    with pytest.raises((CallRefused, OutcomeUnknown)) as ended:
        read_answer(METHODS[method], answer)
    return ended.value


def test_a_result_is_read_in_any_casing() -> None:
    answer = {"status": "success", "data": {"positionId": 3, "liveOrderIds": [1]}, "traceId": "x"}
    assert read_answer(METHODS["ApplyPaperFills"], answer).value() == {
        "position_id": 3,
        "exec_plan_id": None,
        "live_order_ids": [1],
    }


def test_a_result_without_required_fields_may_be_null() -> None:
    assert read_answer(METHODS["DeleteStrategy"], {"Status": "Success"}).value() == {"strategy_id": None}
    assert isinstance(ending("GetAccount", {"Status": "Success"}), OutcomeUnknown)


def test_a_refusal_carries_what_the_hub_said() -> None:
    error = {
        "Code": "E7",
        "Detail": "bad",
        "Provider": "IBKR",
        "ValidationErrors": {"StrategyId": ["unknown"]},
    }
    assert ending("SendOrder", {"Status": "BadRequest", "Error": error}) == CallRefused(
        "SendOrder", "BadRequest", "bad", code="E7", provider="IBKR", fields={"StrategyId": ["unknown"]}
    )


def test_an_unproved_refusal_is_unknown_and_says_the_status() -> None:
    ended = ending("SendOrder", {"Status": "Conflict", "Message": "still running"})
    assert isinstance(ended, OutcomeUnknown)
    assert (str(ended), ended.status) == (
        "SendOrder was sent and its outcome is unknown: the hub answered Conflict: still running",
        "Conflict",
    )


def test_what_could_not_be_read_is_named_without_its_value() -> None:
    ended = ending(
        "GetAccount", {"Status": "Success", "Data": {"Account": {"BrokerAccountId": ["U1234567"]}}}
    )
    assert "account.broker_account_id" in str(ended)
    assert "U1234567" not in str(ended)


def test_an_unreadable_item_ends_a_stream() -> None:
    with pytest.raises(OutcomeUnknown):
        read_item(METHODS["StreamUnderlyingData"], {"Prices": {"Bid": "much"}})
