"""What is stored held against its hashes: quickly for the run that resumes, in full for `journal --verify`.

Reads only, in one snapshot of the store's own connection. Every problem names the record, commit, page or file that it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol

from mesoflow.journal import blobs, chain
from mesoflow.journal.errors import CodecError, JournalDamaged, JournalError, JournalShorter
from mesoflow.journal.head import Head
from mesoflow.journal.records import HOME
from mesoflow.journal.rows import Row, named, record_of, require_chained

COLUMNS = "home_seq, run_id, run_seq, kind, format, CAST(body AS BLOB), hash"

# Rows in memory at a time while a chain is walked.
_WALK_ROWS = 1_000


class Rows(Protocol):
    """All rows of a query; raises JournalError."""

    def __call__(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]: ...


class Verifier:
    """One verification. `known` is the number of commits that the store has seen with its own eyes."""

    def __init__(self, path: str, rows: Rows, head: Head, known: int) -> None:
        self._path = path
        self._rows = rows
        self._head = head
        self._known = known

    def check(self, run_id: str) -> None:
        """The home's length and the run's chain. Raises at the first problem."""
        self.require_length()
        self._require_run(run_id)

    def _require_run(self, run_id: str) -> None:
        """The run's chain, whole.

        It is read through the index, whose damage could hide a run's newest records; so they are counted in the table as
        well, from the run's first one on.
        """
        first, count = self._walk(run_id)
        sql = "SELECT count(*), coalesce(sum(run_id = ?), 0) FROM records NOT INDEXED WHERE home_seq >= ?"
        total, ours = self._rows(sql, (run_id, first))[0]
        last = self._rows("SELECT coalesce(max(last), 0) FROM commits")[0][0]
        if total != last - max(first, 1) + 1 or ours != count:
            raise self._damaged(
                f"after {named(run_id, count)}", "records are missing there, or stand where nobody finds them"
            )

    def verify(self, run_id: str | None = None) -> list[str]:
        """Everything, each part for itself, so that one finding does not hide the next."""
        runs = [HOME, *self._run_ids()] if run_id is None else [run_id]
        parts: list[Callable[[], None]] = [self.require_length, self._require_pages, self._require_commits]
        parts += [partial(self._require_run, run) for run in runs]
        parts += [partial(self._require_blobs_of, run) for run in runs]
        parts += [self._require_blobs]
        return list(dict.fromkeys(str(problem) for problem in _failures(parts)))

    def require_length(self) -> None:
        """The head is read first: it may lag behind what the database says a moment later, never lead."""
        had, hash = self._head.read()
        sql = "SELECT number, hash FROM commits WHERE number IN (?, (SELECT max(number) FROM commits))"
        ends = dict(self._rows(sql, (had,)))
        has = max(ends, default=0)
        if has < max(had, self._known):
            raise JournalShorter.of(self._path, has, max(had, self._known))
        if had and ends.get(had) != hash:
            raise self._damaged(f"commit {had}", "its hash is not the one in the head file")

    def _walk(self, run_id: str) -> tuple[int, int]:
        """Verify the run's chain without decoding it; the home_seq of its first record, and how many there are."""
        first, count, before = 0, 0, chain.START
        sql = f"SELECT {COLUMNS} FROM records WHERE run_id = ? AND run_seq > ? ORDER BY run_seq LIMIT {_WALK_ROWS}"
        while rows := self._rows(sql, (run_id, count)):
            for row in map(Row._make, rows):
                require_chained(row, before, count + 1, self._path)
                first, count, before = first or row.home_seq, row.run_seq, row.hash
        return first, count

    def _run_ids(self) -> list[str]:
        try:
            sql = "SELECT DISTINCT CAST(run_id AS TEXT) FROM records NOT INDEXED WHERE run_id > ''"
            return [run_id for (run_id,) in self._rows(sql)]
        except JournalError:
            return []  # the part that reads the pages finds the same

    def _require_pages(self) -> None:
        for (line,) in self._rows("PRAGMA integrity_check"):
            if line != "ok":
                raise self._damaged("a page of the database", str(line))

    def _require_commits(self) -> None:
        """The home's chain from its first commit on, over all that each commit wrote."""
        lines = self._lines()
        before, expected = chain.START, 1
        for number, hash in self._rows("SELECT number, hash FROM commits ORDER BY number"):
            before = chain.commit_hash(before, number, lines.pop(number, []))
            if number != expected or before != hash:
                raise self._damaged(f"commit {expected}", "what it wrote is not what is stored now")
            expected += 1
        if lines:
            raise self._damaged(f"commit {min(lines)}", "something is stored that no commit wrote")

    def _lines(self) -> dict[int, list[bytes]]:
        """What each commit wrote, one line a thing, in the order in which a commit hashes them."""
        found: dict[int, list[bytes]] = {}
        for query, line in _LINES:
            for number, *values in self._rows(query):
                try:
                    found.setdefault(number, []).append(line(*values))
                except (AttributeError, TypeError):
                    raise self._damaged(
                        f"commit {number}", "one of its values is not of the type that was written"
                    ) from None
        return found

    def _require_blobs_of(self, run_id: str) -> None:
        """What the run's records refer to is there, and is what they refer to."""
        sql = f"SELECT {COLUMNS} FROM records WHERE run_id = ? AND instr(body, '\"=b') ORDER BY run_seq"
        for row in map(Row._make, self._rows(sql, (run_id,))):
            try:
                record_of(row, self._blob, self._path)
            except CodecError:
                continue  # its own hash does not fit either, and that is found by the part before

    def _blob(self, name: str) -> bytes | None:
        found = self._rows("SELECT CAST(body AS BLOB) FROM blobs WHERE digest = ?", (name,))
        return found[0][0] if found else None

    def _require_blobs(self) -> None:
        for (name,) in self._rows("SELECT digest FROM blobs"):
            for (blob,) in self._rows("SELECT CAST(body AS BLOB) FROM blobs WHERE digest = ?", (name,)):
                if not blobs.matches(name, blob):
                    raise self._damaged(f"the large value {name}", "its digest is another one now")

    def _damaged(self, where: str, reason: str) -> JournalDamaged:
        return JournalDamaged(self._path, where, reason)


_LINES: tuple[tuple[str, Callable[..., bytes]], ...] = (
    ("SELECT number, home_seq, hash FROM records ORDER BY home_seq", chain.record_line),
    ("SELECT number, run_id, epoch FROM epochs", chain.epoch_line),
    ("SELECT number, id, run_id, kind, CAST(body AS BLOB) FROM requests", chain.request_line),
    ("SELECT number, id, CAST(body AS BLOB) FROM answers", chain.answer_line),
)


def _failures(parts: list[Callable[[], None]]) -> Iterator[JournalError]:
    for part in parts:
        try:
            part()
        except JournalError as error:
            yield error
