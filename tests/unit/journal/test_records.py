"""An entry is checked when it is made."""

from __future__ import annotations

from typing import Any

import pytest

from mesoflow.journal.records import HOME, KINDS, STANDING, Entry


def test_each_kind_makes_an_entry() -> None:
    assert [Entry(HOME, kind, {}).kind for kind in STANDING] == list(STANDING)  # type: ignore[arg-type]
    assert set(STANDING) < KINDS


@pytest.mark.parametrize(
    ("run_id", "kind"), [("a-1", "settle"), ("a-1", ""), ("a\n1", "settled"), ("a-1", "settled\n")]
)
def test_what_the_chain_could_read_in_two_ways_is_no_entry(run_id: str, kind: Any) -> None:
    with pytest.raises(ValueError, match="no entry of the journal"):
        Entry(run_id, kind, {})
