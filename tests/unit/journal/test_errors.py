"""Every error of the journal with its exact text and code."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from mesoflow.journal.errors import (
    CodecError,
    JournalDamaged,
    JournalError,
    JournalShorter,
    JournalUnusable,
    LockLost,
)
from mesoflow.journal.schema import said

AT = Path("/home/ann/.mesoflow/journal.db")

TEXTS: list[tuple[Exception, str, str]] = [
    (CodecError("legs[0].delta", "the float 0.3 is not exact; use a Decimal"), "", "legs[0].delta: the float 0.3 is not exact; use a Decimal"),
    (CodecError("", "nested deeper than 100"), "", "the value: nested deeper than 100"),
    (JournalError("j"), "MF600", "the journal j failed"),
    (
        JournalDamaged("j", "record 7 of run a-1", "it is missing"), "MF601",
        "the journal j is damaged: record 7 of run a-1: it is missing. Nothing was sent. Restore the whole state home from a copy; do "
        "not repair the file by hand.",
    ),
    (JournalDamaged("j", "a page", "it is unreadable", "Do this."), "MF601", "the journal j is damaged: a page: it is unreadable. Do this."),
    (
        JournalShorter.of("j", 15, 16), "MF602",
        "the journal j is damaged: it is shorter than it was: it ends with commit 15, and commit 16 was written once. Nothing was sent. "
        "Restore the whole state home from a copy; do not repair the file by hand.",
    ),
    (JournalUnusable("j", "the disk is full", "Free some space."), "MF603", "the journal j cannot be used: the disk is full. Free some space."),
    (JournalUnusable("j", "there is none yet"), "MF603", "the journal j cannot be used: there is none yet."),
    (
        LockLost("j", "a-1", 1, 2), "MF604",
        "run a-1 has been taken over by another runner (epoch 2, this one has 1); nothing more is recorded or sent from here",
    ),
]  # fmt: skip

OF_SQLITE: list[tuple[Exception, str]] = [
    (apsw.FullError("full"), "the journal {} cannot be used: the disk is full. Free some space on the disk of {home}, then resume."),
    (
        apsw.ReadOnlyError("attempt to write"),
        "the journal {} cannot be used: it cannot be opened or written (attempt to write). Make {home} and its files writable for you.",
    ),
    (
        apsw.CantOpenError("unable"),
        "the journal {} cannot be used: it cannot be opened or written (unable). Make {home} and its files writable for you.",
    ),
    (
        apsw.BusyError("locked"),
        "the journal {} cannot be used: another process has held it for 5 s. Look for a process that hangs, then resume.",
    ),
    (apsw.IOError("I/O"), "the journal {} cannot be used: the disk failed (I/O). Check the disk of {home}, then resume."),
    (OSError(5, "I/O"), "the journal {} cannot be used: the disk failed (I/O). Check the disk of {home}, then resume."),
    (OSError(28, "No space"), "the journal {} cannot be used: the disk is full. Free some space on the disk of {home}, then resume."),
    (
        apsw.CorruptError("malformed"),
        "the journal {} is damaged: a page of the database: SQLite cannot read it (malformed). Nothing was sent. Restore the whole state "
        "home from a copy; do not repair the file by hand.",
    ),
    (
        apsw.SQLError("no such table"),
        "the journal {} is damaged: the database: it does not answer as it should (no such table). Nothing was sent. Restore the whole "
        "state home from a copy; do not repair the file by hand.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("error", "code", "text"), TEXTS)
def test_what_a_person_is_told(error: Exception, code: str, text: str) -> None:
    assert (str(error), getattr(error, "code", "")) == (text, code)


@pytest.mark.parametrize(("error", "text"), OF_SQLITE)
def test_what_an_error_of_sqlite_or_the_system_means(error: Exception, text: str) -> None:
    assert str(said(error, AT)) == text.format(AT, home=AT.parent)


def test_codes_are_not_used_twice() -> None:
    kinds = [JournalError, JournalDamaged, JournalShorter, JournalUnusable, LockLost]
    assert sorted(kind.code for kind in kinds) == ["MF600", "MF601", "MF602", "MF603", "MF604"]
