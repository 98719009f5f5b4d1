"""I10: the rails are judged, and the verdict is recorded with its lines, before every send."""

from __future__ import annotations

from mesoflow.rehearsal.evidence import Evidence, Violation, every_order


def check(evidence: Evidence) -> list[Violation]:
    """A verdict without lines has judged nothing."""
    return [
        Violation("I10", one.path, "no verdict that passed")
        for one in every_order(evidence)
        if one.verdict.get("passed") is not True or not one.verdict.get("lines")
    ]
