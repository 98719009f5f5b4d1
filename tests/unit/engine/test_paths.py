"""Paths: which belong to the engine, and which of those no program asks for."""

from __future__ import annotations

import pytest

from mesoflow.engine.paths import is_engine, is_withdrawal


@pytest.mark.parametrize("path", ["engine/halt-2/order-17/cancel", "engine/park-10/order-4711/cancel"])
def test_what_a_halt_or_a_park_takes_back(path: str) -> None:
    assert is_engine(path)
    assert is_withdrawal(path)


@pytest.mark.parametrize(
    "path",
    [
        # Asked for by the program's own generators: replayed like every other effect.
        "engine/preflight/account/each[PAPER-1]/account",
        "engine/closing/group-1/rung-1/cancel",
        "engine/event-7/order-17",
        # A step of a person's own.
        "park-1/order-2/cancel",
        "engine/halt-2/order-17/cancel/again",
    ],
)
def test_what_is_none(path: str) -> None:
    assert not is_withdrawal(path)


def test_a_step_is_not_the_engine() -> None:
    assert not is_engine("engineer/look")
