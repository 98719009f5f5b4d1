"""C23 and C24: no journal, no order; and what sends is the program, and the engine, that the run began with."""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.rails.lines import holds
from mesoflow.safety.verdicts import RailLine


def durable(case: Case) -> Iterator[RailLine]:
    """C23."""
    here = case.environment
    yield holds(Code.NOT_DURABLE, here.durable, lambda: {"durable": here.durable})


def pinned(case: Case) -> Iterator[RailLine]:
    """C24."""
    here = case.environment
    yield holds(
        Code.SEMANTICS_DIFFER,
        here.pinned_semantics is not None and here.semantics == here.pinned_semantics,
        lambda: {"now": here.semantics, "run": here.pinned_semantics},
    )
    yield holds(
        Code.PROGRAM_DIFFERS,
        bool(here.program) and here.program == here.pinned_program,
        lambda: {"now": here.program, "run": here.pinned_program},
    )
    yield holds(Code.POLICY_LOOSER, here.policy_accepted, lambda: {"policy": here.policy})
