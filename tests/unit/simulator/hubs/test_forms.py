"""How a hub writes: each dial by itself, and what a run makes of it. What can be read is read; what cannot sends nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mesoflow.cli import embedded
from mesoflow.hubs.differences import DIFFERENCES
from mesoflow.hubs.models.agents import AgentInfo
from mesoflow.hubs.models.base import folded
from mesoflow.hubs.models.contracts import LiveContract
from mesoflow.hubs.models.enums import OrderType, TimeInForce
from mesoflow.hubs.models.orders import LegGroupOrder
from mesoflow.simulator.faults import Faults, Step
from mesoflow.simulator.hubs.forms import expiration_meant, form
from mesoflow.simulator.simulator import Simulator
from tests.support.commands import ROOT, Command
from tests.support.worlds import Desk

NOW = datetime(2025, 1, 16, 15, tzinfo=UTC)
ORDER = LegGroupOrder(
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.DAY,
    limit_price=None,
    stop_price=None,
    leg_names=["short_put"],
)

OPTION = LiveContract.model_validate(
    {
        "contract_type": "Options",
        "underlying": {"symbol": "SPX", "contract_type": "Index", "exchange": "CBOE", "currency": "USD"},
        "expiration": datetime(2025, 2, 14, 21, tzinfo=UTC),
    },
    context="write",
)


def test_at_rest_a_model_is_written_as_it_writes_itself() -> None:
    assert form(ORDER, Faults(), NOW) == ORDER.wire()


def test_each_dial_changes_one_thing() -> None:
    assert form(ORDER, Faults(casing="camel"), NOW) == {
        "orderType": "Limit",
        "timeInForce": "DAY",
        "limitPrice": None,
        "stopPrice": None,
        "legNames": ["short_put"],
    }
    assert form(ORDER, Faults(enum_numbers=True), NOW) == ORDER.wire() | {"OrderType": 1, "TimeInForce": 0}


def test_a_step_of_the_hubs_clock_moves_every_time_that_it_tells_but_no_expiration() -> None:
    late = Faults(
        clock_steps=[Step(NOW, timedelta(minutes=3)), Step(NOW + timedelta(hours=1), timedelta(minutes=4))]
    )
    agent = AgentInfo(provider="IBKR", connector="IBKR", is_connected=True, last_snapshot_at=NOW)
    told = [form(agent, late, NOW + timedelta(minutes=n))["LastSnapshotAt"] - NOW for n in (-1, 0, 60)]
    assert told == [timedelta(minutes=minutes) for minutes in (0, 3, 7)]
    assert form(OPTION, late, NOW)["Expiration"] == OPTION.expiration


def test_an_expiration_that_is_written_as_the_end_of_its_day_is_another_day_in_utc() -> None:
    faults = Faults(expiration_date=True)
    told = form(OPTION, faults, NOW)["Expiration"]
    assert told == datetime(2025, 2, 15, 5, tzinfo=UTC)
    assert OPTION.expiration is not None
    assert expiration_meant(told).date() == OPTION.expiration.date()


@pytest.fixture(params=["camel", "rest"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w", faults=Faults(casing="camel") if request.param == "camel" else Faults())


def test_answers_refusals_and_events_are_all_in_one_casing(desk: Desk) -> None:
    def keys(value: Any) -> set[str]:
        """The fields' names; ids, legs' names and the definition's own words are none."""
        if isinstance(value, list):
            return set().union(*map(keys, value)) if value else set()
        if not isinstance(value, dict):
            return set()
        named = {key: item for key, item in value.items() if not key.isdigit() and folded(key) not in FREE}
        return set(named).union(*map(keys, named.values())) if named else set()

    answers = [
        desk.raw("ListAccounts", {}),
        desk.raw("GetOrder", {"LiveOrderId": 1}),
        desk.raw("ListLegs", {"Limit": "x"}),
        desk.raw("GetEventsSince", {"EventSeqId": 0}),
    ]
    initials = {key[0].isupper() for key in keys(answers)}
    assert initials == {desk.faults.casing == "Pascal"}


FREE = {"validationerrors"}


# --- what a run makes of it --------------------------------------------------------------------------------------------

QUICKSTART = str(ROOT / "plans" / "quickstart.yaml")


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The real command, over an embedded world whose dials are set."""
    DIFFERENCES.seen.clear()
    DIFFERENCES.told = 0
    worlds: list[Simulator] = []
    opened = embedded.opened

    def run(dials: dict[str, Any], *arguments: str) -> tuple[int, str, str]:
        def with_dials(*args: Any) -> Simulator:
            simulator = opened(*args)
            for name, value in dials.items():
                setattr(simulator.world.faults, name, value)
            worlds.append(simulator)
            return simulator

        monkeypatch.setattr(embedded, "opened", with_dials)
        return Command(tmp_path, capsys)(*arguments)

    return run


def told(answer: tuple[int, str, str]) -> tuple[int, Any]:
    code, out, err = answer
    report = json.loads(out)
    assert err == "", err
    return code, (report["state"], report["outputs"])


@pytest.mark.parametrize(
    "dials", [{"casing": "camel"}, {"decimals": "text"}, {"casing": "camel", "decimals": "text"}]
)
def test_a_run_reads_every_casing_and_every_form_of_a_decimal(
    command: Any, dials: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the last figure the run that it is in the same world with every dial at rest."""
    at_rest = told(Command(tmp_path / "at-rest", capsys)("run", QUICKSTART, "--format", "json"))
    assert (at_rest[0], at_rest[1][0]) == (0, "done")
    assert told(command(dials, "run", QUICKSTART, "--format", "json")) == at_rest


def test_members_as_numbers_end_a_run_before_anything_is_sent(command: Any) -> None:
    code, out, _ = command({"enum_numbers": True}, "run", QUICKSTART, "--format", "json")
    refused = json.loads(out)["refused"]
    assert (code, refused["code"]) == (1, "MF509")
    assert refused["summary"].startswith("the hub could not be used: event: subscribe failed: ")
    assert command({}, "hub", "call", "ListPositions")[0] == 0


@pytest.mark.parametrize(
    ("dials", "seen"),
    [
        ({"casing": "camel"}, ("casing", ["camelCase"])),
        ({"decimals": "text"}, ("decimals", ["text"])),
    ],
)
def test_doctor_tells_the_form_and_finds_no_difference_in_it(
    command: Any, dials: dict[str, Any], seen: tuple[str, list[str]]
) -> None:
    code, out, _ = command(dials, "doctor", "--format", "json")
    assert (code, json.loads(out)["encodings"][seen[0]]) == (0, seen[1])
