"""Fills on paper: what is booked, to the cent, and what the hub refuses."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.worlds import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w")


def fills(short: str, long: str, commission: str | None = None) -> dict[str, Any]:
    more = {} if commission is None else {"commission": commission}
    return {"short_put": {"price": short} | more, "long_put": {"price": long} | more}


def book(desk: Desk, plan: Any, key: str, prices: dict[str, Any], **more: Any) -> Any:
    return desk.ok(
        "ApplyPaperFills",
        idempotency_key=key,
        exec_plan_id=plan["ExecPlanId"],
        paper_leg_fills=prices,
        **more,
    )


def test_there_and_back_to_the_cent(desk: Desk) -> None:
    position = book(desk, desk.prepare_entry(), "f1", fills("100.00", "141.20", "2.50"), qty_multiplier=2)[
        "PositionId"
    ]
    account = desk.ok("GetAccount", broker_account_id="PAPER-1")["Account"]
    # Two lots at 41.20 debit, two commissions of 2.50.
    assert account["Cash"] == Decimal("250000.00") - 2 * 4120 - 5
    assert account["ActivePositions"] == 1
    legs = {leg["Name"]: leg for leg in desk.ok("ListLegs", live_position_id=position)["Legs"]}
    assert (legs["short_put"]["AvgEntryPrice"], legs["long_put"]["AvgEntryPrice"]) == (
        Decimal("99.9875"),
        Decimal("141.2125"),
    )
    book(desk, desk.prepare_exit(position), "f2", fills("90.00", "135.00", "2.50"))
    account = desk.ok("GetAccount", broker_account_id="PAPER-1")["Account"]
    # 45.00 for what had cost 41.20, twice, less four commissions.
    assert account["Cash"] == account["NetLiquidationValue"] == Decimal("250000.00") + 2 * 380 - 10
    detail = desk.ok("GetPosition", position_id=position)
    assert (detail["Position"]["State"], detail["PositionPnLs"]["Realized"]) == ("Closed", Decimal("750.00"))
    assert [leg["TrackedRealizedPnL"] for leg in detail["Legs"]] == [Decimal("1995.00"), Decimal("-1245.00")]
    assert desk.world.ledger.positions() == {}
    assert desk.world.ledger.cash() == {"PAPER-1": Decimal("750.00")}


def test_executions_say_what_traded(desk: Desk) -> None:
    plan = desk.prepare_entry()
    book(desk, plan, "f1", fills("100.00", "141.20", "2.50"))
    found = desk.ok("ListExecutions", exec_plan_id=plan["ExecPlanId"])["Executions"]
    assert [(row["LegName"], row["Qty"], row["Price"], row["Commission"]) for row in found] == [
        ("short_put", -1, 100, Decimal("2.50")),
        ("long_put", 1, Decimal("141.20"), Decimal("2.50")),
    ]
    legs = desk.ok("ListLegs", broker_account_id="PAPER-1")["Legs"]
    assert [row["LiveLegId"] for row in found] == [leg["Id"] for leg in legs]


def test_the_events_tell_it_in_order(desk: Desk) -> None:
    position = book(desk, desk.prepare_entry(), "f1", fills("100", "141"))["PositionId"]
    book(desk, desk.prepare_exit(position), "f2", fills("90", "135"))
    told = [
        (row["EventType"].removesuffix("Event"), row["Event"].get("Status"), row["Event"].get("RealizedPnL"))
        for row in desk.ok("GetEventsSince", event_seq_id=2)["Events"]
    ]
    assert told == [
        ("PositionEntryPreparationCompleted", None, None),
        ("PositionUpdate", "Created", None),
        ("LegUpdate", "Created", None),
        ("LegUpdate", "Created", None),
        ("PositionExitPreparationCompleted", None, None),
        ("LegUpdate", "Closed", 1000),
        ("LegUpdate", "Closed", -600),
        ("PositionUpdate", "Closed", 400),
    ]


def test_a_multiplier_replaces_the_resolved_one(desk: Desk) -> None:
    position = book(desk, desk.prepare_entry(), "f1", fills("100", "141"), qty_multiplier=3)["PositionId"]
    detail = desk.ok("GetPosition", position_id=position)
    assert [leg["Qty"] for leg in detail["Legs"]] == [-3, 3]
    assert detail["Position"]["QtyMultiplier"] == 3


def test_a_plan_is_executed_once(desk: Desk) -> None:
    plan = desk.prepare_entry()
    book(desk, plan, "f1", fills("100", "141"))
    again = {"exec_plan_id": plan["ExecPlanId"], "paper_leg_fills": fills("100", "141")}
    assert desk.refused("ApplyPaperFills", idempotency_key="f2", **again) == (
        "BadRequest",
        "PlanExecuted",
        "exec plan 5001 was executed before",
    )
    assert desk.ok("GetAccount", broker_account_id="PAPER-1")["Account"]["ActivePositions"] == 1


def test_two_exits_close_once(desk: Desk) -> None:
    position = book(desk, desk.prepare_entry(), "f1", fills("100", "141"))["PositionId"]
    first, second = desk.prepare_exit(position, "x1"), desk.prepare_exit(position, "x2")
    book(desk, first, "f2", fills("90", "135"))
    late = {"exec_plan_id": second["ExecPlanId"], "paper_leg_fills": fills("90", "135")}
    assert desk.refused("ApplyPaperFills", idempotency_key="f3", **late) == (
        "BadRequest",
        "PlanStale",
        "position 1001 does not hold any more what exec plan 5003 closes",
    )


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"exec_plan_id": 1}, ("NotFound", "NotFound", "there is no exec plan 1")),
        (
            {"broker_account_id": "IB-1"},
            ("BadRequest", "Account", "exec plan 5001 is of account PAPER-1, not IB-1"),
        ),
        (
            {"paper_leg_fills": {"short_put": {"price": "1"}, "other": {"price": "1"}}},
            (
                "BadRequest",
                "PaperLegFills",
                "PaperLegFills.long_put: no fill is given; PaperLegFills.other: the plan has no such leg",
            ),
        ),
        (
            {"paper_leg_fills": fills("-0.05", "1")},
            ("BadRequest", "PaperLegFills", "PaperLegFills.short_put: a price is 0 or more, below 1000000"),
        ),
        (
            {
                "paper_leg_fills": {
                    "short_put": {"price": None},
                    "long_put": {"price": "1", "commission": "-1"},
                }
            },
            (
                "BadRequest",
                "PaperLegFills",
                "PaperLegFills.short_put: a price is needed; PaperLegFills.long_put: a commission is 0 or more, below 1000000",
            ),
        ),
        (
            {"paper_leg_fills": fills("1e30", "1")},
            ("BadRequest", "PaperLegFills", "PaperLegFills.short_put: a price is 0 or more, below 1000000"),
        ),
        (
            {"qty_multiplier": "0.5"},
            ("BadRequest", "QtyMultiplier", "leg short_put would have -0.5 contracts; contracts are whole"),
        ),
        (
            {"qty_multiplier": 0},
            ("BadRequest", "QtyMultiplier", "a multiplier of 0 in place of 1 is not possible"),
        ),
    ],
)
def test_what_the_hub_refuses_changes_nothing(
    desk: Desk, change: dict[str, Any], refusal: tuple[str, str, str]
) -> None:
    plan = desk.prepare_entry()
    before = desk.world.fingerprint()
    args: dict[str, Any] = {
        "exec_plan_id": plan["ExecPlanId"],
        "paper_leg_fills": fills("100", "141"),
    } | change
    assert desk.refused("ApplyPaperFills", idempotency_key="f1", **args) == refusal
    assert desk.world.fingerprint() == before


def test_an_exit_takes_no_multiplier(desk: Desk) -> None:
    position = book(desk, desk.prepare_entry(), "f1", fills("100", "141"))["PositionId"]
    plan = desk.prepare_exit(position)
    args = {"exec_plan_id": plan["ExecPlanId"], "paper_leg_fills": fills("90", "135"), "qty_multiplier": 1}
    assert desk.refused("ApplyPaperFills", idempotency_key="f2", **args)[1] == "QtyMultiplier"


@pytest.mark.parametrize("account", ["IB-1", "TT-1"])
def test_broker_accounts_are_not_filled_on_paper(desk: Desk, account: str) -> None:
    plan = desk.prepare_entry(account=account)
    args = {"exec_plan_id": plan["ExecPlanId"], "paper_leg_fills": fills("100", "141")}
    assert desk.refused("ApplyPaperFills", idempotency_key="f1", **args) == (
        "BadRequest",
        "NotPaper",
        f"{account} is a broker account: its fills come from its broker (SendOrder)",
    )


def test_kindness_is_not_the_hub_s_business(desk: Desk) -> None:
    book(desk, desk.prepare_entry(), "f1", fills("9999", "0"))
    assert desk.ok("GetAccount", broker_account_id="PAPER-1")["Account"]["Cash"] > 1_000_000


def test_marker_legs_are_positions_without_contracts(desk: Desk) -> None:
    """A leg of quantity 0 is kept and named, and nothing of it trades."""
    definition = desk.ok("GetStrategy", strategy_id=101)["Strategy"]["StrategyDefinition"]
    definition["Structure"]["Legs"][0]["Qty"] = "0"
    strategy = desk.ok("CreateStrategy", strategy_definition=definition)["StrategyId"]
    plan = desk.prepare_entry(strategy=strategy)
    position = book(desk, plan, "f1", fills("100", "141"))["PositionId"]
    assert [leg["Qty"] for leg in desk.ok("GetPosition", position_id=position)["Legs"]] == [0, 1]
    assert [row["LegName"] for row in desk.ok("ListExecutions")["Executions"]] == ["long_put"]
    book(desk, desk.prepare_exit(position), "f2", fills("1", "141"))
    assert desk.ok("GetPosition", position_id=position)["Position"]["State"] == "Closed"
