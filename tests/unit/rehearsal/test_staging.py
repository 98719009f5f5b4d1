"""The stage: nothing happens in a process that nobody has set it for."""

from typing import Any, cast

import pytest

from mesoflow.rehearsal import staging

THING = cast("Any", object())


def test_without_a_stage_nothing_happens() -> None:
    staging.world_opened(THING)
    staging.run_begins(THING)


def test_whoever_set_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(staging.STAGE, "opened", told.append)
    monkeypatch.setattr(staging.STAGE, "begun", told.append)
    staging.world_opened(THING)
    staging.run_begins(THING)
    assert told == [THING, THING]
