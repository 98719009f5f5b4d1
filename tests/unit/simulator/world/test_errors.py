"""Every error of a world, and its exact text."""

from pathlib import Path

import pytest

from mesoflow.hubs.models.enums import StatusCode
from mesoflow.simulator.world.errors import (
    Refused,
    WorldDamaged,
    WorldHeld,
    WorldOther,
    bad,
    missing,
    not_in_this_version,
)

FOLDER = Path("/home/a/worlds/default")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (WorldHeld(FOLDER, "4711"), "the simulated world /home/a/worlds/default is held by process 4711"),
        (WorldHeld(FOLDER, ""), "the simulated world /home/a/worlds/default is held by another process"),
        (
            WorldDamaged(FOLDER, "file is not a database"),
            "the simulated world /home/a/worlds/default is damaged: file is not a database; "
            "remove the folder to begin a new one",
        ),
        (
            WorldOther(FOLDER, "seed", 9, 7),
            "the simulated world /home/a/worlds/default was made with seed 9, not 7",
        ),
        (Refused(StatusCode.CONFLICT, "KeyUsed", "the key was used"), "Conflict: the key was used"),
        (bad("Limit", "Limit is 0"), "BadRequest: Limit is 0"),
        (missing("position", 7), "NotFound: there is no position 7"),
        (not_in_this_version("SendOrder"), "BadRequest: SendOrder is not in this version of the simulator"),
    ],
)
def test_every_error_says_what_is_wrong(error: Exception, text: str) -> None:
    assert str(error) == text
