"""What the journal costs, against bare SQLite on the same disk in the same run. `python -m benchmarks.journal [FOLDER]`.

commit     median of one durable commit with 1, 2 and 3 records of about 500 bytes, against the median of one bare WAL FULL
           commit of 500 bytes; taken in turns, so that both meet the same disk. Goal: at most 1.5 times, one sync each.
read       10,000 and 40,000 records read back, each verified and decoded; and `check`, which verifies only.
           Goal: 120 ms for 10,000, and linear.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import apsw

from benchmarks._goals import at_most
from mesoflow.journal.codec import decode, encode_bytes
from mesoflow.journal.records import Entry
from mesoflow.journal.sqlite import SqliteJournal

ROUNDS = 600
BARE_BYTES = 500


def outcome(number: int) -> dict[str, Any]:
    """A settled record of about 500 bytes, as orders.work leaves them."""
    at = datetime(2026, 11, 25, 15, 45, number % 60, 123456, tzinfo=UTC)
    order = {
        "live_order_id": 4711 + number,
        "status": "Filled",
        "limit": Decimal("4.350"),
        "filled": 2,
        "updated": at,
    }
    return {
        "path": f"enter/group-1/rung-{number}/watch",
        "at": at,
        "outcome": {"done": {"order": order, "average": Decimal("4.30"), "account": "DU1234567", "legs": [
            {"symbol": "SPXW 261127P05900000", "side": "Buy", "quantity": 2, "price": Decimal("12.15")},
            {"symbol": "SPXW 261204P05900000", "side": "Sell", "quantity": 2, "price": Decimal("16.45")},
        ]}},
        "digest": "0123456789abcdef",
    }  # fmt: skip


def commits(folder: Path) -> dict[str, float]:
    """Medians in microseconds: bare, and with 1, 2 and 3 records."""
    bare = apsw.Connection(str(folder / "bare.db"))
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        bare.execute(f"PRAGMA {pragma}")
    bare.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT)")
    text = "x" * BARE_BYTES
    with journal_in(folder / "commits") as journal:
        epochs = {"bench-1": journal.claim("bench-1")}

        def ours(count: int) -> Callable[[int], object]:
            return lambda n: journal.commit([Entry("bench-1", "settled", outcome(n))] * count, epochs=epochs)

        kinds: dict[str, Callable[[int], object]] = {
            "bare": lambda n: bare.execute("INSERT INTO t(body) VALUES(?)", (text,))
        }
        kinds |= {f"{count} records": ours(count) for count in (1, 2, 3)}
        taken: dict[str, list[float]] = {kind: [] for kind in kinds}
        for number in range(ROUNDS):
            for kind, commit in kinds.items():
                begun = perf_counter()
                commit(number)
                taken[kind].append(perf_counter() - begun)
    bare.close()
    return {kind: median(times) * 1e6 for kind, times in taken.items()}


def reads(folder: Path, count: int) -> tuple[float, float]:
    """Milliseconds to read `count` records, and to check them: the best of three, the page cache being warm."""
    with journal_in(folder / f"read-{count}") as journal:
        for begin in range(0, count, 500):
            journal.commit([Entry("bench-1", "settled", outcome(n)) for n in range(begin, begin + 500)])
        read = min(timed(lambda: sum(1 for _ in journal.read("bench-1"))) for _ in range(3))
        check = min(timed(lambda: journal.check("bench-1")) for _ in range(3))
    return read * 1e3, check * 1e3


def codec() -> tuple[int, float, float]:
    """Bytes of the outcome, and microseconds to write and to read it."""
    value = outcome(7)
    text = encode_bytes(value)
    return len(text), each(lambda: encode_bytes(value)), each(lambda: decode(text))


def each(work: Callable[[], object], times: int = 2_000) -> float:
    """Microseconds that it takes, the best of three series."""
    return min(timed(lambda: [work() for _ in range(times)]) for _ in range(3)) / times * 1e6


def timed(work: Callable[[], object]) -> float:
    """Seconds of processor that it takes: nothing here waits for a disk, and who else is busy does not count."""
    begun = process_time()
    work()
    return process_time() - begun


@contextmanager
def journal_in(folder: Path) -> Iterator[SqliteJournal]:
    """A new journal in a new folder."""
    folder.mkdir(mode=0o700)
    journal = SqliteJournal.open(folder / "journal.db")
    try:
        yield journal
    finally:
        journal.close()


def main(argv: list[str]) -> None:
    """Print the table. The folder must lie on the disk in question; the default is the system's temporary one."""
    with tempfile.TemporaryDirectory(dir=argv[0] if argv else None) as name:
        folder = Path(name)
        size, write, read = codec()
        print(f"codec     {size} bytes: encode {write:.1f} µs, decode {read:.1f} µs")
        medians = commits(folder)
        for kind, taken in medians.items():
            ratio = taken / medians["bare"]
            goal = at_most(ratio, 1.5) if kind != "bare" else ""
            print(f"commit    {kind:10} {taken:7.0f} µs   {ratio:.2f} × bare{goal}")
        for count in (10_000, 40_000):
            read, check = reads(folder, count)
            goal = at_most(read, 120 * count / 10_000, " ms")
            print(
                f"read      {count:6} records: {read:.0f} ms verified and decoded, {check:.0f} ms checked{goal}"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
