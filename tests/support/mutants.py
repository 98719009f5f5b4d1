"""Pieces of broken engines that more than one test of tests uses."""

from __future__ import annotations

from typing import Any

import pytest

from mesoflow.actions.way import Walk


def nothing(*_: Any) -> Any:
    """A generator that asks for nothing."""
    return
    yield


def original_size_again(patch: pytest.MonkeyPatch) -> None:
    """After a part has filled the next order is for all of it."""
    patch.setattr(Walk, "rest", property(lambda way: way.group.packages))
