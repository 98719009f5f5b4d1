"""Adjustments from a playbook, on paper and at a broker: entered, moved, made smaller, its variables changed, closed."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.cli.__main__ import main
from mesoflow.simulator.clock import EmbeddedClock
from mesoflow.simulator.simulator import Simulator
from tests.support.virtual_loop import VirtualLoop

RISK = (
    "max_contracts_per_order: 8, max_order_premium: 100000, max_order_loss: unlimited, max_open_loss: unlimited, "
    "max_stress_loss: {move: 10%, loss: 500000}, max_daily_loss: 50000, max_distance_from_mid: 60% of mid"
)
PRICE = "{start: mid, step: 0.10, every: 15s, worst: {from_natural: 0}}"
ENTER = """
  - {id: entry, action: entry.prepare, with: {strategy: STRATEGY, lots: 1}}
  - {id: open, action: orders.work, with: {exec_plan: "{{ steps.entry }}", price: PRICE, within: 20m}}
"""
ADJUST = """
  - id: plan
    action: adjustment.prepare
    with: {position_id: "{{ steps.open.position_id }}", operation: OPERATION, condition: "CONDITION"}
  - {id: adjust, action: orders.work, with: {exec_plan: "{{ steps.plan }}", price: PRICE, within: 20m}}
  - {id: now, action: position.get, with: {position_id: "{{ steps.open.position_id }}"}}
"""
EXIT = """
  - {id: close, action: position.exit, with: {position_id: "{{ steps.open.position_id }}", price: PRICE, within: 20m}}
"""
WINDOW = '  - {id: window, action: wait.until, with: {at: "next 15:00"}}\n'
MOVE = {"strategy": "103", "operation": "move_leg", "condition": "pos_delta > 5 -- move call"}
REMOVE = {"strategy": "104", "operation": "remove_legs", "condition": "true -- close the shorts"}


@pytest.fixture
def play(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, dict[str, Any], Any]]:
    """Exit code, outputs or error, and what the world's ledger says is held."""
    home = tmp_path / "home"
    monkeypatch.setenv("MESOFLOW_HOME", str(home))

    def run(account: str, steps: str, outputs: str, **words: str) -> tuple[int, dict[str, Any], Any]:
        for word, value in {"price": PRICE, **words}.items():
            steps = steps.replace(word.upper(), value)
        head = f"mesoflow: 1\nname: adjust\nstart: {{once_per: never}}\nrisk: {{accounts: [{account}], {RISK}}}\n"
        path = tmp_path / "adjust.yaml"
        path.write_text(f"{head}steps:\n{steps}\noutputs:\n{outputs}\n", encoding="utf-8")
        code = main(["run", str(path)])
        told = capsys.readouterr()
        assert "bug in mesoflow" not in told.err, told.err
        main(["journal", "adjust-2025-01-16"])
        records = [json.loads(line, parse_float=Decimal) for line in capsys.readouterr().out.splitlines()]
        ended = next((r["body"] for r in reversed(records) if r.get("kind") in ("ended", "parked")), None)
        assert ended is not None, told.err
        return code, ended, held(home / "worlds" / "default")

    return run


def held(world: Path) -> dict[tuple[str, str], Decimal]:
    loop = VirtualLoop()
    simulator = Simulator.open(world, lambda at: EmbeddedClock(loop, at))
    try:
        return simulator.world.ledger.positions()  # type: ignore[no-any-return]
    finally:
        simulator.close()
        loop.close()


@pytest.mark.parametrize("account", ["PAPER-1", "IB-1"])
def test_a_strangles_call_is_moved_and_the_position_closed(
    play: Callable[..., tuple[int, dict[str, Any], Any]], account: str
) -> None:
    outputs = '  legs: "{{ steps.now.legs }}"\n  moves: "{{ steps.now.vars.moves }}"'
    code, ended, left = play(account, ENTER + WINDOW + ADJUST + EXIT, outputs, **MOVE)
    assert (code, ended["state"]) == (0, "done"), ended
    assert sorted(ended["outputs"]["legs"]) == ["short_call_2", "short_put"]
    assert Decimal(str(ended["outputs"]["moves"])) == 1, "variables of the move are stored with its fills"
    assert left == {}


@pytest.mark.parametrize("account", ["PAPER-1", "IB-1"])
def test_a_condors_shorts_are_bought_back_and_the_wings_stay(
    play: Callable[..., tuple[int, dict[str, Any], Any]], account: str
) -> None:
    code, ended, left = play(
        account, WINDOW.replace("15:00", "09:45") + ENTER + ADJUST, '  legs: "{{ steps.now.legs }}"', **REMOVE
    )
    assert (code, ended["state"]) == (0, "done"), ended
    assert sorted(ended["outputs"]["legs"]) == ["long_call", "long_put"]
    assert sorted(left.values()) == [1, 1]


def test_variables_are_changed_without_an_order(
    play: Callable[..., tuple[int, dict[str, Any], Any]],
) -> None:
    update = """
  - {id: before, action: position.get, with: {position_id: "{{ steps.open.position_id }}"}}
  - id: less
    action: position.update_vars
    with: {position_id: "{{ steps.open.position_id }}", condition: "days_in_trade >= 30 -- take less"}
"""
    outputs = (
        '  before: "{{ steps.before.vars.profit_target }}"\n  after: "{{ steps.less.vars.profit_target }}"'
    )
    code, ended, _ = play("PAPER-1", ENTER + update, outputs, strategy="103")
    assert (code, ended["state"]) == (0, "done"), ended
    assert ended["outputs"]["before"] != ended["outputs"]["after"]


def test_a_rule_that_does_not_hold_sends_nothing(
    play: Callable[..., tuple[int, dict[str, Any], Any]],
) -> None:
    code, ended, left = play(
        "IB-1",
        ENTER + ADJUST,
        '  x: "1"',
        strategy="103",
        operation="remove_legs",
        condition="leg_short_call_price <= 0.10 -- call is spent",
    )
    assert (code, ended["error"]["code"]) == (1, "adjustment_not_allowed")
    assert sorted(left.values()) == [-1, -1]


def test_a_key_that_the_strategy_does_not_have_never_reaches_the_hub(
    play: Callable[..., tuple[int, dict[str, Any], Any]],
) -> None:
    code, ended, _ = play(
        "PAPER-1", ENTER + ADJUST, '  x: "1"', strategy="103", operation="move_leg", condition="move call"
    )
    assert (code, ended["error"]["code"]) == (1, "no_such_condition")
