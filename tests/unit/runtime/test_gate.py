"""From judging to settling: what the ledger is told, and what a refusal tells its reader."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from types import SimpleNamespace
from typing import Any

import pytest

from mesoflow.engine.effects import Done, Refused
from mesoflow.runtime.gate import Gate
from mesoflow.safety.clearance import NotCleared
from mesoflow.safety.ledger import Ledger
from mesoflow.safety.limits import Limits
from mesoflow.trading.orders import Order
from tests.unit.safety.making import CONDOR, HERE, NOW, RISK, RUN, closing, facts, opened, order, with_facts

SECOND = timedelta(seconds=1)
WALK = "enter/group-1"


def gate(**risk: Any) -> Gate:
    return Gate(RUN, Limits.parse({**RISK, **risk}), Ledger(), HERE)


def rung(number: int = 1, made: Order | None = None) -> tuple[str, Order]:
    sent = replace(made or with_facts(order(), agent_age_ms=100), method="SendOrder", walk=WALK, target=2)
    return f"{WALK}/rung-{number}/send", sent


def placed(there: Gate, path: str, made: Order) -> None:
    assert there.judge(path, made, NOW) is None
    there.intend(path, made, NOW)


def seen(state: str, cum: int) -> dict[str, Any]:
    return {"order_id": 17, "state": state, "cum_qty": D(cum)}


def test_an_order_that_passes_is_cleared_and_counted() -> None:
    there, made = gate(), order()
    placed(there, "buy/fill", made)
    assert there.clear("buy/fill").value is made
    assert there.ledger.contracts(RUN) == D(4)
    there.settled("buy/fill", made, Done({"position_id": 4711}), NOW)
    assert (there.ledger.contracts(RUN), there.ledger.open_orders("PAPER-1")) == (D(4), [])


def test_one_that_is_refused_is_not() -> None:
    there, made = gate(max_order_premium=1), order()
    refused = there.judge("buy/fill", made, NOW)
    assert refused is not None
    assert (refused.code, refused.details["rules"]) == ("rail_refused", ["C04"])
    assert refused.details["verdict"]["policy"] == "def"
    with pytest.raises(KeyError):
        there.clear("buy/fill")
    there.settled("buy/fill", made, refused, NOW)
    assert there.ledger.contracts(RUN) == D(0)


def test_todays_rails_may_forbid_a_resend_and_never_clear_it_then() -> None:
    there, made = gate(), order()
    placed(there, "buy/fill", made)
    assert there.forbids("buy/fill", made, NOW + SECOND) == ""
    late = there.forbids("buy/fill", made, NOW + 9 * SECOND)
    assert late.startswith("the rails refuse it now: C07 quote_unusable")
    with pytest.raises(NotCleared):
        there.clear("buy/fill")


def test_a_rung_lives_until_it_is_observed_to_be_over() -> None:
    there = gate()
    path, made = rung()
    placed(there, path, made)
    there.settled(path, made, Done({"live_order_id": 17}), NOW)
    assert [sent.live_order_id for sent in there.ledger.open_orders("PAPER-1")] == [17]
    there.observed(seen("PartiallyFilled", 1), NOW)
    assert there.ledger.contracts(RUN) == D(4)
    there.observed(seen("Cancelled", 1), NOW)
    assert (there.ledger.contracts(RUN), there.ledger.open_orders("PAPER-1")) == (D(2), [])
    path, made = rung(2)
    placed(there, path, made)


def test_the_ids_that_recovery_adopts_are_the_orders() -> None:
    there = gate()
    path, made = rung()
    placed(there, path, made)
    there.settled(path, made, Done({"exec_plan_id": 7001, "position_id": None, "live_order_ids": [17]}), NOW)
    there.observed(seen("Filled", 2), NOW)
    assert there.ledger.open_orders("PAPER-1") == []


def test_replayed_it_stands_where_it_stood() -> None:
    live, again = gate(), gate()
    path, made = rung()
    placed(live, path, made)
    again.replayed(path, made, NOW)
    for there in (live, again):
        there.settled(path, made, Done({"live_order_id": 17}), NOW)
        there.withdrawing(f"{WALK}/rung-1/cancel", "CancelOrder", NOW)
        there.observed(seen("Cancelled", 1), NOW)
    for ask in ("contracts", "messages", "last_at"):
        assert getattr(live.ledger, ask)(RUN) == getattr(again.ledger, ask)(RUN)
    assert live.ledger.messages(RUN) == 2


def test_only_cancels_of_orders_are_messages() -> None:
    there = gate()
    there.withdrawing("prepare/stop", "CancelPreparePositionEntry", NOW)
    assert there.ledger.messages(RUN) == 0


# --- what a refusal tells


def test_above_the_minutes_number_it_says_when_there_is_room() -> None:
    there = gate(max_messages={"minute": 1})
    there.ledger.message("other", NOW - 50 * SECOND)
    refused = there.judge("buy/fill", order(), NOW)
    assert refused is not None
    assert (refused.details["rules"], refused.details["wait_until"]) == (["C10"], NOW + 10 * SECOND)
    assert there.judge("buy~2/fill", order(), NOW + 0 * SECOND) is not None


@pytest.mark.parametrize("messages", [{"minute": 1, "run": 1}, {"minute": 1, "day": 1}])
def test_above_the_runs_or_the_days_there_is_nothing_to_wait_for(messages: dict[str, int]) -> None:
    there = gate(max_messages=messages)
    there.ledger.message(RUN, NOW - SECOND)
    refused = there.judge("buy/fill", order(), NOW)
    assert refused is not None
    assert refused.details["rules"] == ["C10"]
    assert "wait_until" not in refused.details


def test_nor_where_another_rail_refuses_too() -> None:
    there = gate(max_messages={"minute": 1}, max_order_premium=1)
    there.ledger.message(RUN, NOW - SECOND)
    refused = there.judge("buy/fill", order(), NOW)
    assert refused is not None
    assert refused.details["rules"] == ["C04", "C10"]
    assert "wait_until" not in refused.details


def test_an_exit_is_told_which_order_is_in_its_way() -> None:
    there = gate()
    other = replace(closing(exec_plan_id=7009), method="SendOrder")
    there.ledger.apply_intent("other", other, NOW - SECOND, "close/send")
    there.ledger.accepted("other", "close/send", "PAPER-1", 99, NOW)
    refused = there.judge("sell/fill", closing(), NOW)
    assert refused is not None
    assert (refused.details["rules"], refused.details["in_the_way"]) == (["C09"], [99])


def test_spent_errors_may_pass_so_the_run_parks() -> None:
    there = gate()
    for _ in range(5):
        there.ledger.failed(NOW)
    refused = there.judge("buy/fill", order(), NOW)
    assert refused is not None
    assert (refused.code, refused.retryable) == ("error_budget", True)
    assert there.judge("sell/fill", closing(), NOW) is None


def test_the_days_loss_reached_is_reducing_from_then_on_and_stops_no_stop() -> None:
    there = gate()
    lost = with_facts(order(), day_pnl=D(-2500))
    refused = there.judge("buy/fill", lost, NOW)
    assert refused is not None
    assert refused.details["reducing"]["account"] == "PAPER-1"
    there.settled("buy/fill", lost, refused, NOW)
    again = there.judge("buy~2/fill", order(), NOW)
    assert again is not None
    assert again.details["rules"] == ["C18"]
    assert there.judge("sell/fill", closing(), NOW) is None
    assert there.ledger.trading_state("PAPER-2", NOW.date()).state == "ACTIVE"


def test_an_order_that_compared_need_not_compare_again() -> None:
    there = gate()
    there.ledger.positions.know(
        {"4711": {"account": "PAPER-1", "legs": {"near_put": D(-2), "far_put": D(2)}}}
    )
    beside = order(CONDOR, facts=facts(open_legs=opened()))
    placed(there, "buy/fill", beside)
    assert there.ledger.positions.agreed_at("PAPER-1") == beside.facts.as_of


def test_a_mark_refuses_entries_until_it_is_cleared() -> None:
    there, made = gate(), order()
    placed(there, "buy/fill", made)
    there.settled("buy/fill", made, Done({"position_id": 4711}), NOW)

    compared = SimpleNamespace(args={"live_position_id": 4711})
    body = there.mark(compared, "buy/compare/legs", "1 instead of 2", NOW)  # type: ignore[arg-type]
    assert (body["account"], body["position_id"]) == ("PAPER-1", 4711)
    assert there.marked("PAPER-1", 4711)
    refused = there.judge("buy~2/fill", order(CONDOR), NOW)
    assert isinstance(refused, Refused)
    assert "C21" in refused.details["rules"]
