"""Where the hubs by hand connect to: the same choice, key and clock as a run's, without a run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from mesoflow.cli.config import read_config
from mesoflow.cli.embedded import EmbeddedWish
from mesoflow.cli.ground import Ground
from mesoflow.cli.hubs import Choice, choose
from mesoflow.cli.reading import all_standings, reading
from mesoflow.cli.starting import ground_of, last_in_world
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.refusal import CONFIG, Refusal


def where(state: str | None, hub: str) -> tuple[StateHome, Choice]:
    """The state home and the hub. Raises Refusal."""
    home = StateHome.open(state)
    return home, choose(hub, read_config(home.path))


def require_url(choice: Choice, command: str) -> None:
    """Raises Refusal for an embedded world: nothing would ever come from it."""
    if choice.url is None:
        raise Refusal(
            CONFIG,
            f"`{command}` needs a hub that lives by itself: in an embedded world no time passes without a run",
            help=("mesoflow sim serve, then --hub URL",),
        )


@asynccontextmanager
async def ground_by_hand(home: StateHome, choice: Choice) -> AsyncIterator[Ground]:
    """An embedded world goes on from the last time that anybody knows of. Raises Refusal."""
    with reading(str(home.path)) as (_, journal):

        def since(world: str) -> datetime | None:
            return None if journal is None else last_in_world(journal, all_standings(home, journal), world)

        async with ground_of(home, choice, EmbeddedWish(since=since), None) as ground:
            yield ground
