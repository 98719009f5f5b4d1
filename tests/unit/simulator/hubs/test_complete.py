"""The simulator serves the whole contract."""

from pathlib import Path

import pytest

from mesoflow.hubs.contract import METHODS
from mesoflow.hubs.facts import facts
from tests.support.served_methods import differences
from tests.support.worlds import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "w")


def test_every_method_of_the_contract_is_served_and_nothing_else(desk: Desk) -> None:
    hubs = list(desk.simulator.apps().values())
    assert differences(hubs, facts()) == []
    assert {name for hub in hubs for name in hub.served()} == set(METHODS)
    assert len(METHODS) == 48


def test_every_difference_is_named(desk: Desk) -> None:
    control, data, event = desk.simulator.apps().values()
    handler = control.handlers.pop("SendOrder")
    event.handlers["CloseAll"] = handler
    data.handlers["StreamLegData"] = handler
    data._streams.pop("StreamLegData")  # type: ignore[attr-defined]
    assert differences((control, data, event), facts()) == [
        "CloseAll is served by the event hub, and no contract has it",
        "SendOrder of the control hub is not served",
        "StreamLegData is served as invoke of the data hub, and is stream of the data hub",
    ]
