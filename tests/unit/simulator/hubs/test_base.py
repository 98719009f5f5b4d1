"""What all hubs share: the table of methods, the envelope, and refusals by name."""

import asyncio
from pathlib import Path

import pytest

from mesoflow.hubs.contract import METHODS, PATHS
from mesoflow.simulator.wire.core import HubError, IsAStream, NotAStream, UnknownMethod
from tests.support.worlds import Desk

NAMES = ("control", "data", "event")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w")


def invoke(desk: Desk, hub: str, target: str, *arguments: object) -> dict:
    return asyncio.run(desk.hub(hub).invoke(target, list(arguments), desk.caller))  # type: ignore[no-any-return]


def test_every_method_of_the_contract_is_answered_by_its_hub(desk: Desk) -> None:
    for name, method in METHODS.items():
        for hub in NAMES:
            if hub != method.hub:
                with pytest.raises(UnknownMethod):
                    invoke(desk, hub, name, {})
            elif method.kind == "stream":
                with pytest.raises(IsAStream):
                    invoke(desk, hub, name, {})
            else:
                assert set(invoke(desk, hub, name, {})) == {"Status", "Message", "Data", "Error"}


def test_an_unknown_method_is_the_wire_s_error(desk: Desk) -> None:
    with pytest.raises(HubError, match="Unknown hub method 'Nothing'"):
        invoke(desk, "control", "Nothing", {})
    with pytest.raises(NotAStream):
        desk.hub("control").stream("GetAccount", [{}], desk.caller)


def test_names_are_found_in_any_casing(desk: Desk) -> None:
    assert invoke(desk, "control", "listagents", {})["Status"] == "Success"
    assert invoke(desk, "control", "getaccount", {"brokeraccountid": "PAPER-1"})["Status"] == "Success"


@pytest.mark.parametrize("arguments", [(), ({}, {})])
def test_a_method_has_one_argument(desk: Desk, arguments: tuple[object, ...]) -> None:
    with pytest.raises(HubError, match=r"Invocation provides [02] argument\(s\) but target expects 1\."):
        invoke(desk, "control", "GetAccount", *arguments)


def test_arguments_that_do_not_fit_are_told_by_field(desk: Desk) -> None:
    answer = invoke(desk, "control", "GetPosition", {"PositionId": "seven"})
    assert answer["Status"] == "BadRequest"
    assert list(answer["Error"]["ValidationErrors"]) == ["position_id"]
    assert invoke(desk, "control", "ListAgents", None)["Status"] == "Success"
    assert invoke(desk, "control", "GetPosition", {"PositionId": 10**30})["Status"] == "BadRequest"


def test_hubs_stand_at_the_contract_s_paths(desk: Desk) -> None:
    assert sorted(desk.simulator.apps()) == sorted(PATHS.values())
