"""The garbage collector is held while a replay runs, and as it was before afterwards."""

from __future__ import annotations

import gc

import pytest

from mesoflow.runtime.collector import uncollected


@uncollected
def inside(fails: bool = False) -> bool:
    if fails:
        raise ValueError
    return gc.isenabled()


def test_it_is_held_inside_only() -> None:
    assert (inside(), gc.isenabled()) == (False, True)


def test_an_error_lets_it_go() -> None:
    with pytest.raises(ValueError):
        inside(fails=True)
    assert gc.isenabled()


def test_who_had_switched_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        assert (inside(), gc.isenabled()) == (False, False)
    finally:
        gc.enable()
