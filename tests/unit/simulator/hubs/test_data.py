"""The Data Hub: blocks that were asked for, and streams of the latest value."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.simulator.wire.core import HubError
from tests.support.worlds import Desk, as_json

UNDERLYING = {"Underlying": {"Symbol": "SPX"}, "Provider": "IBKR"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w")


def test_an_underlying_needs_a_provider(desk: Desk) -> None:
    prices = desk.ok("GetUnderlyingSnapshot", underlying={"symbol": "SPX"}, provider="IBKR")["Prices"]
    assert prices["Bid"] < prices["Mark"] == prices["Last"] < prices["Ask"]
    assert prices["MarkAgeMs"] == 0
    assert (
        desk.refused("GetUnderlyingSnapshot", underlying={"symbol": "SPX"}, provider="Nobody")[1]
        == "Provider"
    )
    assert (
        desk.refused("GetUnderlyingSnapshot", underlying={"symbol": "GLD"}, provider="IBKR")[0] == "NotFound"
    )
    assert desk.raw("GetUnderlyingSnapshot", {"Underlying": {"Symbol": "SPX"}})["Status"] == "BadRequest"


def test_a_contract_s_figures_are_of_one(desk: Desk) -> None:
    leg = desk.prepare_entry()["SelectedLegs"]["short_put"]
    entry = desk.ok("GetContractSnapshot", contract=leg["LiveContract"], include="All", provider="IBKR")
    assert -48 < entry["Greeks"]["Mark"]["Delta"] < -42
    assert entry["Prices"]["Bid"] < entry["Prices"]["Ask"]
    only = desk.ok(
        "GetContractSnapshot",
        contract=leg["LiveContract"],
        include="Prices",
        provider="IBKR",
        price_fields="Bid, Mark",
    )
    assert only["Greeks"] is None
    assert [only["Prices"][name] is None for name in ("Bid", "Ask", "Last", "Mark", "AskAgeMs")] == [
        False,
        True,
        True,
        False,
        True,
    ]


def test_a_position_has_the_blocks_that_were_asked_for(desk: Desk) -> None:
    position = desk.fill(desk.prepare_entry())["PositionId"]
    entry = desk.ok(
        "GetPositionSnapshot",
        position_id=position,
        include_position="Prices, PnL",
        include_legs="Greeks",
        include_leg_groups="All",
        pnl_fields="Mark",
    )
    assert {name for name, block in entry.items() if block is not None} == {
        "PositionPrices",
        "PositionPnLs",
        "LegGreeks",
        "LegGroupPrices",
        "LegGroupGreeks",
        "LegGroupPnLs",
    }
    assert (entry["PositionPnLs"]["Bid"], entry["PositionPnLs"]["Realized"]) == (None, 0)
    assert list(entry["LegGreeks"]) == ["2001", "2002"] and list(entry["LegGroupPnLs"]) == ["1"]


def test_legs_are_quoted_together(desk: Desk) -> None:
    desk.fill(desk.prepare_entry())
    entry = desk.ok("GetLegsSnapshot", leg_ids=[2001, 2002], include="Prices")
    assert sorted(entry["LegPrices"]) == ["2001", "2002"] and entry["LegGreeks"] is None
    assert desk.refused("GetLegsSnapshot", leg_ids=[2001, 9], include="Prices") == (
        "NotFound",
        "NotFound",
        "there is no leg 9",
    )


def test_one_leg_has_the_figures_that_it_has_among_others(desk: Desk) -> None:
    desk.fill(desk.prepare_entry())
    many = desk.ok("GetLegsSnapshot", leg_ids=[2001], include="All")
    assert desk.ok("GetLegSnapshot", leg_id=2001, include="All") == {
        "Prices": many["LegPrices"]["2001"],
        "Greeks": many["LegGreeks"]["2001"],
        "PnL": many["LegPnLs"]["2001"],
    }
    only = desk.ok("GetLegSnapshot", leg_id=2001, include="PnL", pnl_fields="Mark")
    assert (only["Prices"], only["Greeks"], only["PnL"]["Bid"]) == (None, None, None)
    assert only["PnL"]["Mark"] == many["LegPnLs"]["2001"]["Mark"]
    assert desk.refused("GetLegSnapshot", leg_id=9, include="All")[2] == "there is no leg 9"


def test_a_combo_is_one_of_each_contract(desk: Desk) -> None:
    legs = desk.prepare_entry()["SelectedLegs"].values()
    contracts = [leg["LiveContract"] for leg in legs]
    ones = [desk.ok("GetContractSnapshot", contract=one, include="All", provider="IBKR") for one in contracts]
    combo = desk.ok("GetComboContractsSnapshot", contracts=contracts, include="All", provider="IBKR")
    for basis in ("Bid", "Ask", "Last", "Mark"):
        assert combo["Prices"][basis] == sum(one["Prices"][basis] for one in ones)
        assert combo["Greeks"][basis]["Delta"] == sum(one["Greeks"][basis]["Delta"] for one in ones)
    twice = desk.ok(
        "GetComboContractsSnapshot", contracts=[contracts[0]] * 2, include="Prices", provider="IBKR"
    )
    assert (twice["Prices"]["Bid"], twice["Greeks"]) == (2 * ones[0]["Prices"]["Bid"], None)


def test_a_combo_without_contracts_and_one_without_a_provider_are_refused(desk: Desk) -> None:
    assert (
        desk.refused("GetComboContractsSnapshot", contracts=[], include="All", provider="IBKR")[2]
        == "a package has at least one contract"
    )
    assert (
        desk.raw("GetComboContractsSnapshot", {"Contracts": [], "Include": "All"})["Status"] == "BadRequest"
    )


def test_every_snapshot_is_streamed_too(desk: Desk) -> None:
    legs = desk.prepare_entry()["SelectedLegs"].values()
    contracts = [leg["LiveContract"] for leg in legs]
    desk.fill(desk.prepare_entry(key="e2"))
    asked: dict[str, dict[str, Any]] = {
        "Leg": {"LegId": 2001, "Include": "Prices"},
        "Legs": {"LegIds": [2001, 2002], "Include": "Prices, Greeks"},
        "Contract": {"Contract": contracts[0], "Include": "All", "Provider": "IBKR"},
        "ComboContracts": {"Contracts": contracts, "Include": "All", "Provider": "IBKR"},
    }

    async def watch(name: str) -> list[Any]:
        return await items(desk, desk.hub("data").stream(f"Stream{name}Data", [asked[name]], desk.caller), 2)

    for name, args in asked.items():
        first, second = asyncio.run(watch(name))
        assert first != second and first.keys() == second.keys()
        assert as_json(second) == desk.raw(f"Get{name}Snapshot", args)["Data"]


async def items(desk: Desk, stream: AsyncIterator[Any], count: int) -> list[Any]:
    """The next items, the clock moved to its next appointment whenever the stream waits."""
    found: list[Any] = []
    while len(found) < count:
        waiting = asyncio.ensure_future(anext(stream))
        while not waiting.done():
            await asyncio.sleep(0)
            pending = [timer.when for timer in desk.clock.timers if not timer.cancelled]
            if not waiting.done() and pending:
                desk.go_to(min(pending))
        found.append(await waiting)
    return found


def test_a_stream_sends_the_latest_whenever_it_changes(desk: Desk) -> None:
    async def watch() -> list[Any]:
        return await items(
            desk, desk.hub("data").stream("StreamUnderlyingData", [UNDERLYING], desk.caller), 5
        )

    found = asyncio.run(watch())
    times = [item["Prices"]["SnapshotTime"] for item in found]
    assert times == sorted(times) and times[0] == datetime(2025, 1, 16, 15, 0, tzinfo=UTC)
    assert all(a["Prices"]["Mark"] != b["Prices"]["Mark"] for a, b in itertools.pairwise(found))


def test_a_slow_client_misses_what_came_and_went(desk: Desk) -> None:
    async def watch() -> list[Any]:
        stream = desk.hub("data").stream("StreamUnderlyingData", [UNDERLYING], desk.caller)
        first = await anext(stream)
        desk.wait(600)
        second = await items(desk, stream, 1)
        return [first, *second]

    first, second = asyncio.run(watch())
    passed = second["Prices"]["SnapshotTime"] - first["Prices"]["SnapshotTime"]
    assert passed >= timedelta(seconds=600), "one item for ten minutes, the newest"
    assert second["Prices"]["MarkAgeMs"] < 1000


def test_a_stream_of_a_position(desk: Desk) -> None:
    position = desk.fill(desk.prepare_entry())["PositionId"]
    args = {
        "PositionId": position,
        "IncludePosition": "PnL",
        "IncludeLegs": "Prices",
        "IncludeLegGroups": "None",
    }

    async def watch() -> list[Any]:
        return await items(desk, desk.hub("data").stream("StreamPositionData", [args], desk.caller), 3)

    found = asyncio.run(watch())
    assert all(
        isinstance(item["PositionPnLs"]["Mark"], Decimal) and len(item["LegPrices"]) == 2 for item in found
    )
    assert found[0]["PositionPrices"] is None


def test_a_stream_of_nothing_is_refused_at_once(desk: Desk) -> None:
    hub = desk.hub("data")
    for target, args, text in (
        (
            "StreamUnderlyingData",
            {"Underlying": {"Symbol": "GLD"}, "Provider": "IBKR"},
            "there is no underlying GLD",
        ),
        ("StreamUnderlyingData", {"Underlying": {"Symbol": "SPX"}}, "provider"),
        (
            "StreamPositionData",
            {"PositionId": 1, **dict.fromkeys(("IncludePosition", "IncludeLegs", "IncludeLegGroups"), "All")},
            "there is no position 1",
        ),
    ):
        with pytest.raises(HubError, match=text):
            hub.stream(target, [args], desk.caller)


def test_a_stream_that_is_closed_leaves_no_timer(desk: Desk) -> None:
    async def watch() -> None:
        stream = desk.hub("data").stream("StreamUnderlyingData", [UNDERLYING], desk.caller)
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(watch())
    assert [timer for timer in desk.clock.timers if not timer.cancelled] == []
