"""The checkers, by the invariant of EXECUTION.md §5 that each holds. An explicit list.

Five are held elsewhere, for a home's evidence at its end does not show them: I7 by the witness and the halting tests, I8 by
the rails' own properties, I11 by the matrix of double crashes, I14 by the tests of each condition of a live account, I16 by
every end-to-end run without faults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mesoflow.rehearsal.checkers import (
    i01_filled_within_target,
    i02_intent_before_send,
    i03_one_at_a_time,
    i04_same_key_same_bytes,
    i05_no_fill_lost,
    i06_never_past_worst,
    i09_inside_the_session,
    i10_judged_before_send,
    i12_named_end,
    i13_position_is_what_filled,
    i15_journal_alone,
    i17_nothing_alive_unnamed,
)
from mesoflow.rehearsal.evidence import Evidence, Violation

Checker = Callable[[Evidence], list[Violation]]

CHECKERS: Mapping[str, Checker] = MappingProxyType(
    {
        "I1": i01_filled_within_target.check,
        "I2": i02_intent_before_send.check,
        "I3": i03_one_at_a_time.check,
        "I4": i04_same_key_same_bytes.check,
        "I5": i05_no_fill_lost.check,
        "I6": i06_never_past_worst.check,
        "I9": i09_inside_the_session.check,
        "I10": i10_judged_before_send.check,
        "I12": i12_named_end.check,
        "I13": i13_position_is_what_filled.check,
        "I15": i15_journal_alone.check,
        "I17": i17_nothing_alive_unnamed.check,
    }
)


def violations(evidence: Evidence) -> list[Violation]:
    """Everything that any checker finds."""
    return [found for check in CHECKERS.values() for found in check(evidence)]
