"""The official JavaScript client and a world served by the installed command: prepared, filled, watched, closed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mesoflow.simulator.world.strategies import TEMPLATES

BOTH = pytest.mark.parametrize("protocol", ["json", "messagepack"])
SPEED = "30"


@contextmanager
def serving(home: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`mesoflow sim serve` on a state home of its own."""
    command = [
        sys.executable,
        "-m",
        "mesoflow.cli",
        "sim",
        "serve",
        "--speed",
        SPEED,
        "--port",
        "0",
        "--state",
        str(home),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as server:
        try:
            assert server.stdout is not None
            said = server.stdout.readline()
            assert said.startswith("listening on http://127.0.0.1:"), said
            yield said.removeprefix("listening on ").strip(), server
        finally:
            server.terminate()
            assert server.wait(10) in (0, -signal.SIGKILL)


@BOTH
def test_from_a_strategy_to_a_closed_position(
    javascript: Callable[..., Any], tmp_path: Path, protocol: str
) -> None:
    with serving(tmp_path / "home") as (url, _):
        seen = javascript(url, protocol, "world.trade")
    assert seen == [
        (
            "subscribed",
            {"SuccessfulStrategies": [101, 102, 103, 104, 105, 106, 107, 108], "FailedStrategies": []},
        ),
        ("agents", [["IBKR", True], ["TastyTrade", True]]),
        ("accounts", ["PAPER-1", "IB-1", "TT-1"]),
        ("strategy", ["mine", "SPX", ["PAPER-1"]]),
        ("allowed", [True, ["short_put", "long_put"], {"1": ["short_put", "long_put"]}]),
        ("again", ["DuplicateRequest", "Conflict"]),
        ("record", ["ApplyPaperFills", "Completed", True, "Success"]),
        ("underlying", ["cancelled", True]),
        ("position", ["cancelled", 2, None, True]),
        ("closed", ["Closed", True]),
        ("cash", True),
        (
            "heard",
            [
                ["OnPositionEntryPreparationCompleted", None],
                ["OnPositionUpdate", "Created"],
                ["OnLegUpdate", "Created"],
                ["OnLegUpdate", "Created"],
                ["OnPositionExitPreparationCompleted", None],
                ["OnLegUpdate", "Closed"],
                ["OnLegUpdate", "Closed"],
                ["OnPositionUpdate", "Closed"],
            ],
        ),
        ("replayed", True),
    ]


@BOTH
def test_a_killed_server_has_lost_nothing(
    javascript: Callable[..., Any], tmp_path: Path, protocol: str
) -> None:
    with serving(tmp_path / "home") as (url, server):
        assert javascript(url, protocol, "world.enter") == [("filled", 1001)]
        server.kill()
    with serving(tmp_path / "home") as (url, _):
        assert javascript(url, protocol, "world.find") == [
            ("record", ["Completed", 1001]),
            ("positions", [[1001, "Open"]]),
            ("again", "Conflict"),
            (
                "events",
                [
                    "AgentStatusEvent",
                    "AgentStatusEvent",
                    "PositionEntryPreparationCompletedEvent",
                    "PositionUpdateEvent",
                    "LegUpdateEvent",
                    "LegUpdateEvent",
                ],
            ),
        ]


@BOTH
def test_from_a_clone_to_a_closed_position_at_a_broker(
    javascript: Callable[..., Any], tmp_path: Path, protocol: str
) -> None:
    with serving(tmp_path / "home") as (url, _):
        seen = javascript(url, protocol, "broker.order")
    condor = ["short_put", "long_put", "short_call", "long_call"]
    assert seen == [
        ("strategies", list(TEMPLATES)),
        ("active", [[201, "ours"]]),
        ("cancelled job", "Cancelled"),
        ("plan", [True, {"1": condor}]),
        ("again", ["DuplicateRequest", "Conflict"]),
        ("orders", [["Cancelled", "S", -1, 0], ["Filled", "S", -1, -1]]),
        ("legs", [["short_put", -1], ["long_put", 1], ["short_call", -1], ["long_call", 1]]),
        ("executions", [4, True]),
        (
            "StreamPositionData",
            ["cancelled", 2, ["PositionPrices", "PositionGreeks", "PositionPnLs", "LegPnLs"]],
        ),
        ("StreamLegData", ["cancelled", 2, ["Prices", "PnL"]]),
        ("StreamLegsData", ["cancelled", 2, ["LegGreeks"]]),
        ("StreamUnderlyingData", ["cancelled", 2, ["Prices"]]),
        ("StreamContractData", ["cancelled", 2, ["Prices"]]),
        ("StreamComboContractsData", ["cancelled", 2, ["Prices", "Greeks"]]),
        ("signal", ["true -- close the shorts", True]),
        ("told at connecting", True),
        ("adjustment", [True, {"1": ["short_put", "short_call"]}]),
        ("exit", ["long_put", "long_call"]),
        ("closed", ["Closed", True]),
        ("cash", True),
        ("deleted", "NotFound"),
        ("replayed", True),
    ]
