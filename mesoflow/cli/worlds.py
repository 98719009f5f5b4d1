"""Which embedded world is meant: the default one, or a new one where another seed or profile is asked for.

A world is a folder of the state home, worlds/NAME. The name of the default stands in worlds/current; without that file it
is `default`. A new one is from then on the default; a run goes on in the world of its first record, whatever that is now.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mesoflow.runtime.home import StateHome

FIRST = "default"
CURRENT = "current"
ABOUT = "about.json"
SEED, PROFILE = 7, "strict"
NO_FAULTS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class World:
    """`seed`, `profile` and `faults` are what it was, or will be, made with; `faults`: the value of a faults file."""

    name: str
    folder: Path
    seed: int
    profile: str
    faults: Mapping[str, Any] = field(default_factory=lambda: NO_FAULTS)


def named(home: StateHome, name: str) -> World:
    """A world by its name; made with the defaults where it is new."""
    return _world(home, name, SEED, PROFILE, NO_FAULTS)


def wanted(
    home: StateHome,
    seed: int | None,
    profile: str | None,
    faults: Mapping[str, Any] | None = None,
    first: str = FIRST,
) -> World:
    """The default world, unless seed, profile or faults say that it is not the one: then a new one, the default from now on."""
    current = named(home, _current(home, first))
    if (
        seed in (None, current.seed)
        and profile in (None, current.profile)
        and faults in (None, dict(current.faults))
    ):
        return current
    new_seed, new_profile = seed if seed is not None else SEED, profile or PROFILE
    name = f"seed-{new_seed}-{new_profile}{'-faults' if faults else ''}"
    world = _world(home, _free_name(home, name, first), new_seed, new_profile, faults or NO_FAULTS)
    _write(home.path / "worlds" / _pointer(first), world.name)
    return world


def _world(home: StateHome, name: str, seed: int, profile: str, faults: Mapping[str, Any]) -> World:
    """What it was made with stands beside it, so that it can be compared before the world is opened."""
    folder = home.world(name)
    about = folder / ABOUT
    if not about.exists():
        made = {"seed": seed, "profile": profile} | ({"faults": dict(faults)} if faults else {})
        _write(about, json.dumps(made))
    told = json.loads(about.read_text(encoding="utf-8"))
    return World(name, folder, told["seed"], told["profile"], told.get("faults", NO_FAULTS))


def _current(home: StateHome, first: str) -> str:
    pointer = home.path / "worlds" / _pointer(first)
    return pointer.read_text(encoding="utf-8").strip() if pointer.exists() else first


def _pointer(first: str) -> str:
    return CURRENT if first == FIRST else f"{CURRENT}-{first}"


def _free_name(home: StateHome, base: str, first: str) -> str:
    base = base if first == FIRST else f"{first}-{base}"
    name, number = base, 2
    while (home.path / "worlds" / name).exists():
        name, number = f"{base}-{number}", number + 1
    return name


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    beside = path.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    beside.replace(path)
