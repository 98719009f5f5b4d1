"""What a step gave, in one line."""

from decimal import Decimal as D

import pytest

from mesoflow.review.said import said
from tests.support.calendar_story import ACCOUNT, EXECUTION, PLAN
from tests.support.stories import T0


@pytest.mark.parametrize(
    ("action", "outputs", "line"),
    [
        ("account.select", ACCOUNT, "PAPER-1, paper, USD, net liquidation 250,000"),
        (
            "agent.require",
            {"connector": "IBKR", "provider": "IBKR", "snapshot_age": 1},
            "IBKR is connected, data from IBKR",
        ),
        (
            "strategy.clone",
            {"name": "mine", "strategy_id": 201, "created": True, "active_on": ["PAPER-1"]},
            "“mine” (201), created, active on PAPER-1",
        ),
        (
            "wait.until",
            {"at": T0, "late": 0, "moved": True},
            "Thu 16 Jan 2025 10:00:00 ET, moved to the next session",
        ),
        (
            "entry.prepare",
            PLAN,
            "plan 501: -1 SPXW 14 Feb 2025 6000 put, +1 SPXW 18 Mar 2025 6000 put; mid 42.25 debit",
        ),
        ("orders.work", EXECUTION, "position 901: filled at 42.55 debit, cash -4,255"),
        ("position.list", {"count": 1, "positions": [{}]}, "1 position"),
        ("data.underlying", {"symbol": "VIX", "mark": D("15.97")}, "VIX 15.97"),
        ("notify", {"delivered": []}, "told nobody"),
        ("assert", {}, "holds"),
        ("set", {"size": 2, "list": [1, 2], "map": {}, "on": True}, "size 2, list [2], map {0}, on true"),
        ("strategy.delete", {}, ""),
        ("unheard.of", {"x": "y" * 200}, "x " + "y" * 97 + "…"),
        ("position.get", {"position_id": 1}, "position_id 1"),
    ],
)
def test_an_output_and_its_line(action, outputs, line):
    assert said(action, outputs) == line
