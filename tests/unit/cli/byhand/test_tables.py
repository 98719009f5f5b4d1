"""Answers as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from mesoflow.cli.byhand.tables import cell, rows_text, tree

AT = datetime(2025, 1, 16, 15, tzinfo=UTC)
ROWS = [
    {"id": 101, "name": "calendar", "cash": Decimal("1.50"), "on": True, "nothing": None, "created_at": AT},
    {"id": 102, "name": "strangle", "cash": None, "on": False, "nothing": None, "created_at": AT},
]


def test_rows_are_a_table() -> None:
    assert rows_text(ROWS, 118) == (
        "id   name      cash  on   created_at\n"
        "101  calendar  1.50  yes  2025-01-16 15:00:00Z\n"
        "102  strangle  –     no   2025-01-16 15:00:00Z"
    )


def test_what_does_not_fit_is_named_times_first() -> None:
    assert rows_text(ROWS, 20) == (
        "id   name      cash\n101  calendar  1.50\n102  strangle  –\n"
        "not shown: created_at, on (--format json has them)"
    )
    assert rows_text(ROWS, 1).splitlines()[0] == "id"


def test_a_cell_says_what_holds_more() -> None:
    held = {"symbol": "SPX", "exchange": "CBOE"}
    assert [cell(held), cell({"a": 1}), cell([1, 2]), cell([held])] == ["SPX", "{…}", "1, 2", "[1]"]
    assert cell(Decimal("1E+2")) == "100"


def test_anything_else_is_a_tree_without_what_is_null() -> None:
    answer = {
        "order": {"id": 1, "limit": None, "legs": ["a", "b"], "fills": [{"price": Decimal("1.20")}]},
        "more": {},
    }
    assert list(tree(answer)) == [
        "order:",
        "  id: 1",
        "  legs: a, b",
        "  fills:",
        "    0:",
        "      price: 1.20",
    ]
