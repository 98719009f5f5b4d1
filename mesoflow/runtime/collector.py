"""The garbage collector, held while much is made that stays.

A replay makes a run's whole state in one go and hardly any garbage, in no cycles; the collector would walk through all of it
again and again, a tenth of a resume.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def uncollected(work: Callable[P, T]) -> Callable[P, T]:
    """`work`, without collections while it runs."""

    @wraps(work)
    def held(*args: P.args, **kwargs: P.kwargs) -> T:
        was = gc.isenabled()
        gc.disable()
        try:
            return work(*args, **kwargs)
        finally:
            if was:
                gc.enable()

    return held
