"""The checkers, by the invariant of EXECUTION.md §5 that each holds. An explicit list.

I11 and I16 need evidence that knows more than a home at its end: how it stood before one more resume, and since when no
fault was left. Without it they find nothing.
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
    i07_nothing_sent_while_halted,
    i08_reducing_reduces,
    i09_inside_the_session,
    i10_judged_before_send,
    i11_twice_is_once,
    i12_named_end,
    i13_position_is_what_filled,
    i14_live_needs_the_sentence,
    i15_journal_alone,
    i16_ends_in_calm,
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
        "I7": i07_nothing_sent_while_halted.check,
        "I8": i08_reducing_reduces.check,
        "I9": i09_inside_the_session.check,
        "I10": i10_judged_before_send.check,
        "I11": i11_twice_is_once.check,
        "I12": i12_named_end.check,
        "I13": i13_position_is_what_filled.check,
        "I14": i14_live_needs_the_sentence.check,
        "I15": i15_journal_alone.check,
        "I16": i16_ends_in_calm.check,
        "I17": i17_nothing_alive_unnamed.check,
    }
)


def violations(evidence: Evidence) -> list[Violation]:
    """Everything that any checker finds."""
    return [found for check in CHECKERS.values() for found in check(evidence)]
