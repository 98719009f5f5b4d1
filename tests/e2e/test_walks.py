"""Walks at the embedded world's brokers, by the command itself: its ledger is the truth that each end is held against.

Every run is held to the same: nothing is alive at its end, no group filled more than was wanted, no limit was beyond the
frozen worst price (I1, I6, I17), and what the run says filled is what filled.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.cli.__main__ import main
from mesoflow.runtime.run import Run
from mesoflow.simulator.clock import EmbeddedClock
from mesoflow.simulator.simulator import Simulator
from tests.support.virtual_loop import VirtualLoop

D = Decimal
RISK = (
    "max_contracts_per_order: 80, max_contracts_per_run: 800, max_order_premium: 1000000, max_order_loss: unlimited, "
    "max_open_loss: unlimited, max_stress_loss: {move: 8%, loss: 2000000}, max_daily_loss: 500000, "
    "max_distance_from_mid: 60% of mid"
)
WALK = "{start: mid, step: 0.10, every: 20s, worst: {from_natural: 0}}"
BUY = """
  - {id: entry, action: entry.prepare, with: {strategy: STRATEGY, lots: LOTS}}
  - id: buy
    action: orders.work
    with: {exec_plan: "{{ steps.entry }}", price: PRICE, within: WITHIN MORE}
"""
CLOSE = """
  - id: close
    action: position.exit
    with: {position_id: "{{ steps.buy.position_id }}", price: PRICE, within: 40m}
"""


@dataclass
class Ended:
    """How a run ended, by its journal and by the world's ledger."""

    code: int
    state: str
    steps: dict[str, Any]
    error: dict[str, Any]
    partial: Any
    paths: list[str]
    intended: list[dict[str, Any]]
    orders: list[Any]
    positions: Any

    @property
    def walks(self) -> dict[str, list[dict[str, Any]]]:
        """The orders of each walk, as they were intended."""
        found: dict[str, list[dict[str, Any]]] = {}
        for order in self.intended:
            found.setdefault(order["walk"], []).append(order)
        return found


@pytest.fixture
def trade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run a playbook in a fresh world and hold its end against the ledger."""
    for name in ("MESOLIVE_API_KEY", "MESOFLOW_CRASH", "MESOFLOW_CRASH_LIST", "MESOFLOW_WITNESS"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    monkeypatch.setenv("MESOFLOW_HOME", str(home))

    def run(account: str, steps: str, cancel_after: float | None = None, **words: str) -> Ended:
        for word, value in words.items():
            steps = steps.replace(word.upper(), value)
        text = f"mesoflow: 1\nname: walk\nstart: {{once_per: never}}\nrisk: {{accounts: [{account}], {RISK}}}\nsteps:\n{steps}"
        path = tmp_path / "walk.yaml"
        path.write_text(text.replace("PRICE", WALK).replace("MORE", ""), encoding="utf-8")
        if cancel_after is not None:
            _cancel_after(monkeypatch, cancel_after)
        code = main(["run", str(path)])
        out = capsys.readouterr()
        assert "bug in mesoflow" not in out.err, out.err
        main(["journal", "walk-2025-01-16"])
        records = [json.loads(line, parse_float=D) for line in capsys.readouterr().out.splitlines()]
        ended = _ended(code, records, home)
        _hold(ended)
        return ended

    return run


def _cancel_after(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    go = Run.go

    async def cancelled(self: Run, *arguments: Any, **named: Any) -> Any:
        asyncio.get_running_loop().call_later(seconds, self.cancel, "operator")
        return await go(self, *arguments, **named)

    monkeypatch.setattr(Run, "go", cancelled)


def _ended(code: int, records: list[dict[str, Any]], home: Path) -> Ended:
    bodies = [(record["kind"], record["body"]) for record in records if "kind" in record]
    last = next(body for kind, body in reversed(bodies) if kind in ("ended", "parked"))
    loop = VirtualLoop()
    simulator = Simulator.open(home / "worlds" / "default", lambda at: EmbeddedClock(loop, at))
    try:
        ledger = simulator.world.ledger
        orders, positions = list(ledger.orders()), ledger.positions()
    finally:
        simulator.close()
        loop.close()
    return Ended(
        code,
        last.get("state", "parked"),
        {},
        last.get("error") or {},
        last.get("partial"),
        [body["path"] for kind, body in bodies if kind == "settled"],
        [
            body["order"] | {"path": body["path"]}
            for kind, body in bodies
            if kind == "intended" and body.get("order")
        ],
        orders,
        positions,
    )


def _hold(ended: Ended) -> None:
    """What is true of every run, however it ended."""
    assert [order for order in ended.orders if order.alive] == []
    assert len(ended.orders) == len(ended.intended)
    filled: dict[str, int] = {}
    for intended, order in zip(ended.intended, ended.orders, strict=True):
        (group,) = intended["groups"]
        assert _number(group["limit"]) <= _number(group["worst"])
        assert order.packages == group["packages"] <= intended["target"] - filled.get(intended["walk"], 0)
        filled[intended["walk"]] = filled.get(intended["walk"], 0) + order.filled


def _number(value: Any) -> Decimal:
    """A decimal of the journal, which is tagged there."""
    return D(next(iter(value.values()))) if isinstance(value, dict) else D(value)


def test_an_iron_condor_of_four_legs_is_one_order_and_fills_on_the_way(trade: Callable[..., Ended]) -> None:
    ended = trade("IB-1", BUY, strategy="104", lots="1", within="8m")
    assert (ended.code, ended.state, list(ended.walks)) == (0, "done", ["buy/group-1"])
    assert [len(order["legs"]) for order in ended.intended] == [4] * len(ended.intended)
    assert ended.orders[-1].filled == 1


def test_ten_calendars_fill_in_parts_and_close_in_parts(trade: Callable[..., Ended]) -> None:
    ended = trade("IB-1", BUY + CLOSE, strategy="101", lots="10", within="40m")
    assert (ended.code, ended.state) == (0, "done")
    assert {walk: sum(order.filled for order, one in zip(ended.orders, ended.intended, strict=True) if one["walk"] == walk)
            for walk in ended.walks} == {"buy/group-1": 10, "close/group-1": 10}  # fmt: skip
    assert any(0 < order.filled < order.packages for order in ended.orders)
    assert ended.positions == {}


def test_two_groups_at_once_are_filled_each_by_its_own_walk(trade: Callable[..., Ended]) -> None:
    ended = trade("IB-1", BUY, strategy="103", lots="2", within="20m", more=", sequence: together")
    assert (ended.code, sorted(ended.walks)) == (0, ["buy/group-1", "buy/group-2"])


def test_near_does_not_fill_and_nothing_is_left(trade: Callable[..., Ended]) -> None:
    ended = trade("IB-1", BUY.replace("PRICE", "{start: near}"), strategy="101", lots="1", within="2m")
    assert (ended.code, ended.error["code"], len(ended.orders)) == (1, "not_filled", 1)


def test_a_broker_that_takes_no_three_legs_rejects_them(trade: Callable[..., Ended]) -> None:
    ended = trade("TT-1", BUY, strategy="105", lots="1", within="5m")
    assert (ended.code, ended.error["code"], ended.positions) == (1, "combo_not_supported", {})


def test_what_filled_of_an_entry_is_traded_back(
    trade: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    unwind = ", if_incomplete: {unwind: {price: {start: natural, step: 0.10, every: 10s, worst: {from_natural: 2}}, within: 20m}}"
    # The run's contracts are used up by the first group, so a rail refuses the second; on the way back it asks nobody.
    price = "{start: natural, step: 0.10, every: 10s, worst: {from_natural: 0.50}}"
    monkeypatch.setattr(sys.modules[__name__], "RISK", RISK.replace("per_run: 800", "per_run: 1"))
    ended = trade("TT-1", BUY.replace("PRICE", price), strategy="103", lots="1", within="10m", more=unwind)
    assert (ended.code, ended.error["code"]) == (1, "not_filled")
    assert list(ended.walks)[-1] == "buy/unwind/group-1"
    assert ended.positions == {}


@pytest.mark.parametrize("seconds", [7.0, 21.0, 33.0, 55.0, 100.0])
def test_a_cancelled_run_leaves_no_order_and_says_what_filled(
    trade: Callable[..., Ended], seconds: float
) -> None:
    ended = trade("IB-1", BUY, cancel_after=seconds, strategy="101", lots="10", within="40m")
    filled = sum(order.filled for order in ended.orders)
    assert (ended.code, ended.state) == (6, "cancelled")
    assert (ended.partial or {"groups": [{"filled": 0}]})["groups"][0]["filled"] == filled


SEND = """
  - {id: entry, action: entry.prepare, with: {strategy: 103, lots: 1}}
  - {id: send, action: orders.send, with: {exec_plan: "{{ steps.entry }}", price: START}}
"""
WAIT = """
  - {id: fills, action: fills.wait, with: {orders: "{{ steps.send }}", within: 3m}}
"""


def test_orders_that_are_sent_are_waited_for(trade: Callable[..., Ended]) -> None:
    ended = trade("IB-1", SEND + WAIT, start="{start: {from_natural: 0.30}}")
    assert (ended.code, ended.state, [order.filled for order in ended.orders]) == (0, "done", [1, 1])
    assert sorted(ended.positions.values()) == [D(-1), D(-1)]


def test_orders_that_a_cancelled_run_has_sent_are_taken_back(trade: Callable[..., Ended]) -> None:
    steps = SEND + "  - {id: pause, action: wait.for, with: {duration: 10m}}\n" + WAIT
    ended = trade("IB-1", steps, cancel_after=60.0, start="{start: near}")
    assert (ended.code, ended.state) == (6, "cancelled")
    assert [path for path in ended.paths if "closing" in path and path.endswith("confirm")] == [
        "engine/closing/plan-5001/group-1/stop/confirm",
        "engine/closing/plan-5001/group-2/stop/confirm",
    ]


# --- killed and resumed ------------------------------------------------------------------------------------------------

KILLS = (
    "committed:buy/group-1/rung-1/send#intended",
    "sent:buy/group-1/rung-2/send",
    "answered:buy/group-1/rung-2/send",
    "committed:buy/group-1/rung-2/watch#settled",
    "sent:buy/group-1/rung-2/cancel",
    "committed:buy/group-1/rung-2/confirm#settled",
)


def test_a_walk_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    """The same orders at the same prices, the same fills, at every kill: time stands still while nobody lives."""
    steps = BUY.replace("PRICE", WALK.replace("0.10", "0.20")).replace("MORE", "")
    for word, value in (("STRATEGY", "101"), ("LOTS", "4"), ("WITHIN", "20m")):
        steps = steps.replace(word, value)
    path = tmp_path / "walk.yaml"
    path.write_text(
        f"mesoflow: 1\nname: walk\nstart: {{once_per: never}}\nrisk: {{accounts: [IB-1], {RISK}}}\nsteps:\n{steps}"
    )
    uncut = _killed(tmp_path / "uncut", path, None)
    for number, point in enumerate(KILLS):
        assert _killed(tmp_path / f"kill-{number}", path, point) == uncut, point


def _killed(home: Path, playbook: Path, point: str | None) -> tuple[Any, ...]:
    """Run, killed at a point and resumed: what the world's ledger and the journal say in the end."""
    environment = {**os.environ, "MESOFLOW_HOME": str(home)}
    command = [sys.executable, "-m", "mesoflow.cli"]

    def mesoflow(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments], env=environment | more, capture_output=True, text=True, timeout=120
        )

    if point is None:
        done = mesoflow("run", str(playbook))
    else:
        assert mesoflow("run", str(playbook), MESOFLOW_CRASH=point).returncode == -9, (
            f"{point} was not reached"
        )
        done = mesoflow("resume", "walk-2025-01-16")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = mesoflow("journal", "walk-2025-01-16").stdout.splitlines()
    ended = _ended(0, [json.loads(line, parse_float=D) for line in lines], home)
    _hold(ended)
    return ended.state, sorted(ended.paths), ended.orders, ended.positions
