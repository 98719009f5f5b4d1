"""What is held to its expiration is settled in cash, at its own time, whoever asks when."""

import copy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.simulator.shared import data
from mesoflow.simulator.world.contracts import option_of
from tests.support.worlds import Desk

FRIDAY = datetime(2025, 1, 17, 20, 30, tzinfo=UTC)
EXPIRY = datetime(2025, 1, 21, 21, 0, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "w")
    desk.go_to(FRIDAY)
    return desk


def strangle(desk: Desk) -> int:
    return desk.fill(desk.prepare_entry(strategy=102))["PositionId"]  # type: ignore[no-any-return]


def level(desk: Desk, at: datetime) -> Decimal:
    return desk.world.market.at(at).underlying("SPX").mark  # type: ignore[no-any-return]


def test_an_expired_strangle_is_closed_at_its_intrinsic_value(desk: Desk) -> None:
    position = strangle(desk)
    legs = desk.ok("ListLegs", live_position_id=position)["Legs"]
    desk.go_to(EXPIRY - timedelta(seconds=1))
    assert desk.ok("GetPosition", position_id=position)["Position"]["State"] == "Open"
    desk.go_to(EXPIRY)
    detail = desk.ok("GetPosition", position_id=position)
    assert (detail["Position"]["State"], detail["Position"]["ClosedAt"]) == ("Closed", "2025-01-21T21:00:00Z")
    spot, strikes = level(desk, EXPIRY), [leg["LiveContract"]["Strike"] for leg in legs]
    worth = max(strikes[0] - spot, Decimal(0)) + max(spot - strikes[1], Decimal(0))
    credit = sum(leg["AvgEntryPrice"] for leg in legs)
    assert detail["PositionPnLs"]["Realized"] == (credit - worth) * 100
    account = desk.ok("GetAccount", broker_account_id="PAPER-1")["Account"]
    assert account["Cash"] == account["NetLiquidationValue"] == Decimal(250000) + (credit - worth) * 100
    ledger = desk.world.ledger
    assert ledger.positions() == {} and ledger.cash() == {"PAPER-1": (credit - worth) * 100}
    assert ledger.keys() == {"fill-1": 1}
    assert len(desk.ok("ListExecutions")["Executions"]) == 2, "a settlement is no execution of a plan"


def test_what_expires_later_stays_open(desk: Desk) -> None:
    position = desk.fill(desk.prepare_entry())["PositionId"]
    desk.go_to(datetime(2025, 2, 15, 12, tzinfo=UTC))
    detail = desk.ok("GetPosition", position_id=position)
    assert detail["Position"]["State"] == "Open"
    assert [leg["ClosedAt"] for leg in detail["Legs"]] == ["2025-02-14T21:00:00Z", None]
    told = desk.ok("GetEventsSince", event_seq_id=0, limit=500)["Events"]
    last = [row["Event"] for row in told if row["EventType"] == "PositionUpdateEvent"][-1]
    assert last["Status"] == "RealizedPnLChanged"
    assert list(desk.prepare_exit(position)["PositionLegs"]) == ["long_put"]


def test_a_plan_from_before_an_expiration_is_stale_after_it(desk: Desk) -> None:
    position = strangle(desk)
    plan = desk.prepare_exit(position)
    desk.go_to(EXPIRY)
    fills = {name: {"price": "1"} for name in plan["LegPrices"]}
    refused = desk.refused(
        "ApplyPaperFills", idempotency_key="late", exec_plan_id=plan["ExecPlanId"], paper_leg_fills=fills
    )
    assert refused[1] == "PlanStale"


def test_it_does_not_matter_when_somebody_asks(tmp_path: Path) -> None:
    stories: list[Any] = []
    for name, looks in (("a", 40), ("b", 1)):
        desk = Desk(tmp_path / name)
        desk.go_to(FRIDAY)
        position = strangle(desk)
        for n in range(1, looks + 1):
            desk.go_to(FRIDAY + (EXPIRY + timedelta(days=1) - FRIDAY) * n / looks)
            desk.ok("GetAccount", broker_account_id="PAPER-1")
        stories.append(
            (
                desk.ok("GetPosition", position_id=position),
                desk.ok("GetEventsSince", event_seq_id=0)["Events"],
            )
        )
    assert stories[0] == stories[1]


def test_time_that_jumps_does_not_jump_to_an_expiration(desk: Desk) -> None:
    strangle(desk)
    assert [timer for timer in desk.clock.timers if not timer.cancelled] == []


def test_a_server_s_clock_tells_it_on_time(desk: Desk) -> None:
    desk.clock.speed = 10.0
    position = strangle(desk)
    desk.go_to(EXPIRY)
    assert desk.world.positions.get(position).closed_at == EXPIRY


def own(desk: Desk, root: str, dte: int) -> int:
    """The strangle's strategy on another expiration."""
    definition = copy.deepcopy(data("strategies/102.json"))
    definition["Structure"]["Expirations"][0] |= {
        "DTE": str(dte), "Min": str(dte), "Max": str(dte), "Roots": {"Include": [root]},
    }  # fmt: skip
    return desk.ok("CreateStrategy", strategy_definition=definition)["StrategyId"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("root", "dte", "begins", "last_trade", "settles"),
    [
        # A third Friday: no trade after Thursday's close, the value is that of Friday's open.
        ("SPX", 1, "2025-01-16T15:00", "2025-01-16T21:15", "2025-01-17T14:30"),
        # The day before Independence Day: the stocks close at one, the options a quarter of an hour later.
        ("SPXW", 0, "2025-07-03T15:00", "2025-07-03T17:00", "2025-07-03T17:00"),
        # The day after Thanksgiving, from the day before it.
        ("SPXW", 2, "2025-11-26T15:00", "2025-11-28T18:00", "2025-11-28T18:00"),
    ],
)
def test_am_settlement_and_early_closes(
    tmp_path: Path, root: str, dte: int, begins: str, last_trade: str, settles: str
) -> None:
    desk = Desk(tmp_path / "w")
    start, until, end = (
        datetime.fromisoformat(at).replace(tzinfo=UTC) for at in (begins, last_trade, settles)
    )
    desk.go_to(start)
    position = desk.fill(desk.prepare_entry(strategy=own(desk, root, dte)))["PositionId"]
    option = option_of(desk.world.positions.legs(position)[0].live_contract)
    market = desk.world.market
    assert market.at(until - timedelta(seconds=1)).quote(option) is not None
    assert market.at(until).quote(option) is None
    desk.go_to(end - timedelta(seconds=1))
    assert desk.ok("GetPosition", position_id=position)["Position"]["ClosedAt"] is None
    desk.go_to(end)
    desk.ok("GetPosition", position_id=position)
    assert desk.world.positions.get(position).closed_at == end
    spot = level(desk, end)
    assert [fill.price for fill in desk.world.ledger.fills()[2:]] == [
        max(
            leg.live_contract.strike - spot if leg.name == "short_put" else spot - leg.live_contract.strike,
            Decimal(0),
        )
        for leg in desk.world.positions.legs(position)
    ]
