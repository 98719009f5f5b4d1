"""What a person types becomes arguments, or findings about every key at once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.cli.byhand.values import arguments
from mesoflow.cli.byhand.wrong import Wrong
from mesoflow.hubs.contract import METHODS


def read(method: str, *pairs: str) -> dict[str, Any]:
    return arguments(METHODS[method], [tuple(pair.split("=", 1)) for pair in pairs], "K")  # type: ignore[misc]


def wrong(method: str, *pairs: str) -> list[str]:
    with pytest.raises(Wrong) as found:
        read(method, *pairs)
    return str(found.value).splitlines()[1:-1]


@pytest.mark.parametrize(
    ("method", "pairs", "args"),
    [
        ("GetPosition", ("position_id=1001",), {"position_id": 1001}),
        ("GetPosition", ("PositionId=1001",), {"position_id": 1001}),
        ("GetLegs", ("leg_ids=2001, 2002",), {"leg_ids": [2001, 2002]}),
        ("GetLegs", ("leg_ids=[2001]",), {"leg_ids": [2001]}),
        (
            "GetUnderlyingSnapshot",
            ("underlying.symbol=SPX", "underlying.contract_type=index", "provider=ibkr"),
            {"underlying": {"symbol": "SPX", "contract_type": "Index"}, "provider": "IBKR"},
        ),
        ("GetUnderlyingSnapshot", ('underlying={"Symbol": "SPX"}', "provider=IBKR", "price_fields=bid,Mark"),
         {"underlying": {"Symbol": "SPX"}, "provider": "IBKR", "price_fields": "Bid, Mark"}),
        ("DeleteStrategy", ("strategy_id=1", "force=TRUE"), {"strategy_id": 1, "force": True}),
        ("SubscribeToStrategies", ("strategies=null",), {"strategies": None}),
        ("SubscribeToStrategies", ("strategies=",), {"strategies": []}),
        # Required and nullable: null is sent, as the hub asks.
        ("StartPreparePositionExit", ("position_id=1",), {"position_id": 1, "idempotency_key": "K", "data_provider": None}),
        # An enum that may have more members takes what we do not know.
        ("StartPreparePositionExit", ("position_id=1", "data_provider=Schwab", "idempotency_key=mine"),
         {"position_id": 1, "idempotency_key": "mine", "data_provider": "Schwab"}),
    ],
)  # fmt: skip
def test_values_are_read_by_their_type(method: str, pairs: tuple[str, ...], args: dict[str, Any]) -> None:
    assert read(method, *pairs) == args


@pytest.mark.parametrize(
    ("method", "pairs", "findings"),
    [
        ("GetPosition", (), ["  position_id: it is missing; int"]),
        ("GetPosition", ("position_id=one",), ["  position_id: 'one' is no int", "  position_id: it is missing; int"]),
        ("GetPosition", ("position_id=1", "position_id=2"), ["  position_id: it is given twice"]),
        ("GetPosition", ("position_id=1", "positon=2"), ["  positon: there is no such argument; did you mean position_id?"]),
        ("ListAgents", ("zzz=1",), ["  zzz: there is no such argument; it takes none"]),
        ("GetPosition", ("position_id=null",), ["  position_id: null is not possible; int", "  position_id: it is missing; int"]),
        ("GetPosition", ("position_id.x=1",), ["  position_id.x: position_id is int and has no fields", "  position_id: it is missing; int"]),
        ("DeleteStrategy", ("strategy_id=1", "force=maybe"), ["  force: 'maybe' is no bool"]),
        ("GetLegs", ("leg_ids=1,x",), ["  leg_ids: 'x' is no int", "  leg_ids: it is missing; list[int]"]),
        ("GetLegSnapshot", ("leg_id=1", "include=Prces"), ["  include: 'Prces' is none of Prices, Greeks, PnL, All", "  include: it is missing; LiveDataInclude"]),
        ("GetUnderlyingSnapshot", ("underlying=SPX", "provider=IBKR"),
         ["  underlying: LiveUnderlying, as JSON or @FILE: Expecting value: line 1 column 1 (char 0)", "  underlying: it is missing; LiveUnderlying"]),
        ("GetUnderlyingSnapshot", ('underlying={"Symbl": "SPX"}', "provider=IBKR"), ["  underlying: LiveUnderlying has no field 'Symbl'"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_by_key(method: str, pairs: tuple[str, ...], findings: list[str]) -> None:
    assert wrong(method, *pairs) == findings


def test_json_may_stand_in_a_file_and_its_decimals_are_exact(tmp_path: Path) -> None:
    file = tmp_path / "d.json"
    file.write_text('{"StrategyName": "a", "Cash": 0.10}', encoding="utf-8")
    assert read("CreateStrategy", f"strategy_definition=@{file}")["strategy_definition"] == {
        "StrategyName": "a",
        "Cash": Decimal("0.10"),
    }
    assert "cannot be read" in wrong("CreateStrategy", "strategy_definition=@/nowhere.json")[0]
