"""Patterns that a playbook brings: matching ends, always."""

from __future__ import annotations

import time

import pytest

from mesoflow.playbook.patterns import matches


def test_patterns_match_the_whole_text() -> None:
    assert matches("[A-Z]{3,4}", "SPX")
    assert matches("(SPX|VIX)W?", "SPXW")
    assert not matches("SPX", "SPXW")


@pytest.mark.parametrize(
    "pattern", ["(a+)+", "(a|a)*b", "(a*)*", "a*a*a*a*a*b", "(?=a+)+", r"(a)\1+", "((ab)+c)*", "(", "a**"]
)
def test_what_could_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError):
        matches(pattern, "a" * 30)


def test_the_slowest_accepted_pattern_ends() -> None:
    before = time.perf_counter()
    assert not matches("a*a*a*b", "a" * 300)
    assert time.perf_counter() - before < 2
    with pytest.raises(ValueError, match="more than 300 characters"):
        matches("a*", "a" * 301)
