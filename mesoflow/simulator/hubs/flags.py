"""Includes and fields of the Data Hub: sets of flags. One that does not exist is refused by name, not ignored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

from mesoflow.hubs.models.base import Args
from mesoflow.hubs.models.enums import LiveDataInclude, LiveQuoteFields
from mesoflow.simulator.world.errors import bad

Look: TypeAlias = Callable[[Any, datetime], dict[str, Any]]

# What includes and fields may name, beside nothing at all (None).
_FLAGS: Mapping[str, type[StrEnum]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("include", "include_position", "include_legs", "include_leg_groups"), LiveDataInclude
        ),
        **dict.fromkeys(("price_fields", "greek_fields", "pnl_fields"), LiveQuoteFields),
    }
)


def flagged(look: Look, args: Args, now: datetime) -> dict[str, Any]:
    """A look at what the flags ask for. Raises Refused."""
    require_flags(args)
    return look(args, now)


def require_flags(args: Args) -> None:
    """Raises Refused for a flag that does not exist."""
    problems: dict[str, list[str]] = {}
    for name, flags in _FLAGS.items():
        known = {"none", *(flag.value.lower() for flag in flags)}
        asked = [part.strip() for part in str(getattr(args, name, "None")).split(",")]
        if unknown := [part for part in asked if part.lower() not in known]:
            problems[type(args).model_fields[name].alias or name] = [
                f"there is no {part!r}" for part in unknown
            ]
    if problems:
        told = "; ".join(f"{path}: {', '.join(found)}" for path, found in problems.items())
        raise bad("Flags", told, fields=problems)
