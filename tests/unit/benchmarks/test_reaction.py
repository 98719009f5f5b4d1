"""What is a reaction, from stamps written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks._timed import Stamp, stamps
from benchmarks.reaction import Reaction, reactions

FIRST = [
    Stamp(1.0, "filled", "key-1"),
    Stamp(1.02, "told", "7001 Filled"),
]
ORDER = [
    Stamp(1.03, "call", "GetAccount"),
    Stamp(1.04, "call", "GetContractSnapshot"),
    Stamp(1.05, "call", "SendOrder"),
    Stamp(1.06, "told", "7002 Submitted"),
]
COMMITS = [Stamp(at, "commit", "") for at in (1.01, 1.025, 1.045, 1.07)]


def test_from_the_event_to_the_next_order() -> None:
    assert reactions(FIRST + ORDER, COMMITS) == [
        Reaction(pytest.approx(0.02), pytest.approx(0.03), commits=2, calls=2)  # type: ignore[arg-type]
    ]


def test_what_is_prepared_first_is_no_reaction() -> None:
    prepared = Stamp(1.025, "call", "StartPreparePositionExit")
    assert reactions([*FIRST, prepared, *ORDER], COMMITS) == []


def test_a_part_of_an_order_and_a_last_fill_are_none() -> None:
    part = [FIRST[0], Stamp(1.02, "told", "7001 PartiallyFilled")]
    assert reactions(part + ORDER, COMMITS) == []
    assert reactions(FIRST, COMMITS) == []


def test_stamps_are_read_in_their_order_and_a_line_under_way_is_left(tmp_path: Path) -> None:
    path = tmp_path / "stamps"
    path.write_text("2.5 told 7001 Filled\n1.25 commit \n3.0 cal")
    assert stamps(path) == [Stamp(1.25, "commit", ""), Stamp(2.5, "told", "7001 Filled")]
    assert stamps(tmp_path / "none") == []
