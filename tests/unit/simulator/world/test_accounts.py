from decimal import Decimal
from pathlib import Path

from tests.support.worlds import Desk


def test_a_new_world_has_three_accounts(tmp_path: Path) -> None:
    listed = Desk(tmp_path / "w").ok("ListAccounts")["Accounts"]
    assert [
        (
            row["BrokerAccountId"],
            row["BrokerType"],
            row["IsPaperAccount"],
            row["Cash"],
            row["NetLiquidationValue"],
        )
        for row in listed
    ] == [
        ("PAPER-1", "Paper", True, Decimal("250000.00"), Decimal("250000.00")),
        ("IB-1", "IBKR", False, Decimal("250000.00"), Decimal("250000.00")),
        ("TT-1", "TastyTrade", False, Decimal("100000.00"), Decimal("100000.00")),
    ]


def test_an_account_is_worth_its_cash_and_its_legs_at_their_marks(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    position = desk.fill(desk.prepare_entry())["PositionId"]
    desk.wait(1800)
    account = desk.ok("GetAccount", broker_account_id="PAPER-1")["Account"]
    legs = desk.ok(
        "GetPositionSnapshot",
        position_id=position,
        include_position="None",
        include_legs="Prices",
        include_leg_groups="None",
    )["LegPrices"]
    marks = [prices["Mark"] for prices in legs.values()]
    assert account["NetLiquidationValue"] == account["Cash"] + (marks[1] - marks[0]) * 100
    assert account["LastUpdated"] == desk.now.isoformat().replace("+00:00", "Z")


def test_accounts_come_in_pages(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "w")
    first = desk.ok("ListAccounts", limit=2)
    second = desk.ok("ListAccounts", limit=2, continuation_token=first["ContinuationToken"])
    assert [len(first["Accounts"]), len(second["Accounts"]), second["ContinuationToken"]] == [2, 1, None]


def test_an_unknown_account_is_not_found(tmp_path: Path) -> None:
    assert Desk(tmp_path / "w").refused("GetAccount", broker_account_id="X") == (
        "NotFound",
        "NotFound",
        "there is no account X",
    )
