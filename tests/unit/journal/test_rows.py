"""Records of older formats are upcast as they are read; what is stored stays."""

from __future__ import annotations

from typing import Any

import pytest

from mesoflow.journal import rows
from mesoflow.journal.chain import START, record_hash
from mesoflow.journal.errors import JournalDamaged


def row_of(text: bytes, format: int = 1) -> rows.Row:
    return rows.Row(
        5, "a-1", 3, "settled", format, text, record_hash(START, 5, "a-1", 3, "settled", format, text)
    )


def test_an_older_body_is_read_as_todays_readers_expect_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def renamed(kind: str, body: dict[str, Any]) -> dict[str, Any]:
        return {("outcome" if key == "result" else key): value for key, value in body.items()}

    monkeypatch.setattr(rows, "FORMAT", 3)
    monkeypatch.setattr(rows, "UPCASTS", {1: renamed, 2: lambda kind, body: body | {"kind": kind}})
    old, newer, newest = (
        row_of(b'{"result":1}', 1),
        row_of(b'{"outcome":1}', 2),
        row_of(b'{"outcome":1}', 3),
    )
    bodies = [rows.record_of(row, lambda _: None, "j").body for row in (old, newer, newest)]
    assert bodies == [{"outcome": 1, "kind": "settled"}, {"outcome": 1, "kind": "settled"}, {"outcome": 1}]
    rows.require_chained(old, START, 3, "j")


def test_a_row_that_fits_is_chained_and_another_is_named() -> None:
    row = row_of(b"{}")
    rows.require_chained(row, START, 3, "j")
    for wrong in (
        row._replace(text=b"[]"),
        row._replace(kind=None),
        row._replace(run_id=7),
        row._replace(format="1"),
        row._replace(hash=None),
    ):
        with pytest.raises(
            JournalDamaged, match=r"record 3 of .*\(number 5 of the home\): its hash does not fit"
        ):
            rows.require_chained(wrong, START, 3, "j")
    with pytest.raises(JournalDamaged, match=r"record 2 of run a-1 \(number 5 of the home\): it is missing"):
        rows.require_chained(row, START, 2, "j")


def test_a_large_value_that_is_missing_names_the_record() -> None:
    row = row_of(b'{"outcome":"=b%s"}' % (b"0" * 64))
    for blob in (None, b"other"):
        with pytest.raises(
            JournalDamaged, match=r"record 3 of run a-1: its large value 0+ is missing or changed"
        ):
            rows.record_of(row, lambda _, blob=blob: blob, "j")
