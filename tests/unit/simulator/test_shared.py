import json

import pytest

from mesoflow.simulator.shared import DATA, data


@pytest.mark.parametrize("name", sorted(path.relative_to(DATA).as_posix() for path in DATA.rglob("*.json")))
def test_every_data_file_is_read_once(name: str) -> None:
    assert data(name) == json.loads((DATA / name).read_text(encoding="utf-8"))
    assert data(name) is data(name)


def test_the_market_s_constants_say_where_they_come_from() -> None:
    assert "not yet calibrated against a real snapshot" in data("market.json")["provenance"]


def test_symbols_point_to_calendars_and_ladders_that_exist() -> None:
    for symbol in data("symbols.json").values():
        assert symbol["session"] in data("sessions.json")
        assert symbol["ticks"] is None or symbol["ticks"] in data("ticks.json")
