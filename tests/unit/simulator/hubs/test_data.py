"""The Data Hub: blocks that were asked for, and streams of the latest value."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.hubs.contract import METHODS
from mesoflow.simulator.faults import Faults
from mesoflow.simulator.wire.core import HubError
from mesoflow.simulator.wire.link import Link
from mesoflow.simulator.wire.serving import Serving
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
        == "a package has 1 to 1000 contracts"
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


def asked(desk: Desk) -> dict[str, dict[str, Any]]:
    """What each snapshot of a calendar that is held is asked for; its includes and fields are the test's."""
    contracts = [leg["LiveContract"] for leg in desk.ok("ListLegs")["Legs"]]
    includes = ("IncludePosition", "IncludeLegs", "IncludeLegGroups")
    return {
        "Position": {"PositionId": 1001, **dict.fromkeys(includes, "All")},
        "Leg": {"LegId": 2001, "Include": "All"},
        "Legs": {"LegIds": [2001, 2002], "Include": "All"},
        "Underlying": {**UNDERLYING, "Include": "All"},
        "Contract": {"Contract": contracts[0], "Include": "All", "Provider": "IBKR"},
        "ComboContracts": {"Contracts": contracts, "Include": "All", "Provider": "IBKR"},
    }


def of_kind(entry: dict[str, Any], kind: str) -> list[Any]:
    """The blocks of a kind, those by id one by one; None for one that is not there."""
    blocks = [
        block for name, block in entry.items() if name.lower().rstrip("s").endswith(kind.lower().rstrip("s"))
    ]
    return [
        part
        for block in blocks
        for part in ([block] if block is None or "SnapshotTime" in block else block.values())
    ]


@pytest.mark.parametrize("include", ["None", "Prices", "Greeks", "PnL", "Prices, PnL", "greeks,pnl", "All"])
def test_every_snapshot_has_the_blocks_of_its_include_and_no_other(desk: Desk, include: str) -> None:
    desk.fill(desk.prepare_entry())
    for name, args in asked(desk).items():
        flags = {key: include for key in args if key.startswith("Include")}
        entry = desk.raw(f"Get{name}Snapshot", args | flags)["Data"]
        for kind in ("Prices", "Greeks", "PnL"):
            wanted = include == "All" or kind.lower() in include.lower()
            assert all((block is not None) == wanted for block in of_kind(entry, kind)), (name, kind)


@pytest.mark.parametrize("fields", ["Bid", "Ask, Mark", "last", "All"])
def test_every_block_has_the_bases_of_its_fields_and_no_other(desk: Desk, fields: str) -> None:
    desk.fill(desk.prepare_entry())
    for name, args in asked(desk).items():
        known = METHODS[f"Get{name}Snapshot"].args_model.model_fields.values()
        for kind, field in (("Prices", "PriceFields"), ("Greeks", "GreekFields"), ("PnL", "PnlFields")):
            if field not in [known_field.alias for known_field in known]:
                continue
            entry = desk.raw(f"Get{name}Snapshot", args | {field: fields})["Data"]
            for block in of_kind(entry, kind):
                there = {basis for basis in ("Bid", "Ask", "Last", "Mark") if block[basis] is not None}
                ages = {
                    basis for basis in ("Bid", "Ask", "Last", "Mark") if block[f"{basis}AgeMs"] is not None
                }
                wanted = (
                    {"Bid", "Ask", "Last", "Mark"} if fields == "All" else set(fields.title().split(", "))
                )
                assert there == ages == wanted, (name, kind)


def test_a_flag_that_does_not_exist_is_refused_by_name(desk: Desk) -> None:
    wrong = {**UNDERLYING, "Include": "Prices, Volume", "PriceFields": "Mid"}
    refused = desk.raw("GetUnderlyingSnapshot", wrong)
    assert (refused["Status"], refused["Error"]["ValidationErrors"]) == (
        "BadRequest",
        {"Include": ["there is no 'Volume'"], "PriceFields": ["there is no 'Mid'"]},
    )
    with pytest.raises(HubError, match="Include: there is no 'Volume'; PriceFields: there is no 'Mid'"):
        desk.hub("data").stream("StreamUnderlyingData", [wrong], desk.caller)


def test_a_question_has_its_bound(desk: Desk) -> None:
    ids = list(range(1001))
    assert (
        desk.refused("GetLegsSnapshot", leg_ids=ids, include="All")[2]
        == "1001 ids are more than 1000 at once"
    )
    assert (
        desk.refused("GetLegs", leg_ids=ids)[1]
        == desk.refused("GetExecutions", execution_ids=ids)[1]
        == "Ids"
    )


def test_while_its_agent_is_away_figures_stand_still_and_grow_old(tmp_path: Path) -> None:
    faults = Faults()
    desk = Desk(tmp_path / "w", faults=faults)
    desk.fill(desk.prepare_entry())
    faults.agent_away("IBKR", desk.now, timedelta(minutes=5))
    before = desk.ok("GetUnderlyingSnapshot", underlying={"symbol": "SPX"}, provider="IBKR")["Prices"]
    desk.wait(120)
    prices = {
        provider: desk.ok("GetUnderlyingSnapshot", underlying={"symbol": "SPX"}, provider=provider)["Prices"]
        for provider in ("IBKR", "TastyTrade")
    }
    assert (prices["IBKR"]["Mark"], prices["IBKR"]["MarkAgeMs"]) == (
        before["Mark"],
        before["MarkAgeMs"] + 120_000,
    )
    assert prices["TastyTrade"]["MarkAgeMs"] == 0
    paper = desk.ok("GetLegSnapshot", leg_id=2001, include="Prices")["Prices"]
    assert paper["MarkAgeMs"] == 0, "paper has the quotes of any agent"
    own = desk.ok("GetLegSnapshot", leg_id=2001, include="Prices", provider="IBKR")["Prices"]
    assert own["MarkAgeMs"] == 120_000


def test_a_stream_of_an_agent_that_is_away_is_silent_until_it_is_back(tmp_path: Path) -> None:
    faults = Faults()
    desk = Desk(tmp_path / "w", faults=faults)
    gone, back = desk.now + timedelta(seconds=3), desk.now + timedelta(seconds=63)
    faults.agent_away("IBKR", gone, timedelta(seconds=60))

    async def watch() -> list[Any]:
        return await items(
            desk, desk.hub("data").stream("StreamUnderlyingData", [UNDERLYING], desk.caller), 6
        )

    times = [item["Prices"]["SnapshotTime"] for item in asyncio.run(watch())]
    assert [moment for moment in times if gone < moment < back] == []
    assert times[0] < gone and back in times


class OnlyWrites:
    """A pipe that keeps what goes into it; whether its reader keeps up is said by the test."""

    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []

    def write(self, data: bytes, *, text: bool) -> None:
        self.written += [json.loads(record) for record in data.split(b"\x1e") if record]

    def close(self) -> None: ...

    def abort(self) -> None: ...


def test_on_the_wire_a_slow_reader_gets_the_newest_and_no_queue_and_a_cancel_ends_it(desk: Desk) -> None:
    async def turn(seconds: int) -> None:
        """Time passes, second by second, and everybody gets a turn."""
        for _ in range(seconds):
            desk.wait(1)
            for _ in range(5):
                await asyncio.sleep(0)

    async def watch() -> tuple[list[list[str]], Any]:
        pipe, serving = OnlyWrites(), Serving(desk.clock, keep_alive_s=None)
        link = Link("c1", desk.hub("data"), pipe, serving)
        link.received(b'{"protocol":"json","version":1}\x1e')
        call = {"type": 4, "invocationId": "1", "target": "StreamUnderlyingData", "arguments": [UNDERLYING]}
        link.received(json.dumps(call).encode() + b"\x1e")
        seen: list[list[str]] = []
        for step, seconds in ((link.resume_writing, 5), (link.pause_writing, 300), (link.resume_writing, 5)):
            before = len(pipe.written)
            step()
            await turn(seconds)
            items = [row["item"] for row in pipe.written[before:] if row.get("type") == 2]
            seen.append([item["Prices"]["SnapshotTime"][14:19] for item in items])
        before = len(pipe.written)
        link.received(b'{"type":5,"invocationId":"1"}\x1e')
        await turn(30)
        link.lost()
        await serving.stop()
        return seen, pipe.written[before:]

    seen, after = asyncio.run(watch())
    reading, paused, again = seen
    assert reading == ["00:01", "00:02", "00:03", "00:04", "00:05"]
    assert paused == [], "nothing is written to who does not read"
    # One item was under way when the reader stopped; then comes the newest, and none of the 300 between.
    assert again == ["00:06", "05:07", "05:08", "05:09", "05:10"]
    assert after == [{"type": 3, "invocationId": "1"}]
    assert [timer for timer in desk.clock.timers if not timer.cancelled] == []
