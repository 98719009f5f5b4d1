"""The two hash chains: each run's records, and the home's commits. Pure; which bytes are hashed is said here only.

A record's hash covers the hash before it in its run, its place in home and run, kind, format and the exact bytes of its body. A commit's
hash covers the commit before, its number and one line per thing that it wrote; a record is there with its home_seq and hash.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

START = bytes(32)  # before the first record of a run, and before the first commit


def record_hash(
    before: bytes, home_seq: int, run_id: str, run_seq: int, kind: str, format: int, body: bytes
) -> bytes:
    """The hash of a record. Neither run ids nor kinds hold line ends, so the bytes have one reading."""
    return sha256(
        b"%s%d\n%s\n%d\n%s\n%d\n%s"
        % (before, home_seq, run_id.encode(), run_seq, kind.encode(), format, body)
    ).digest()


def commit_hash(before: bytes, number: int, lines: Iterable[bytes]) -> bytes:
    """The hash of a commit over its lines, in the order: records, epochs, requests, answers."""
    return sha256(b"%s%d\n%s" % (before, number, b"\n".join(lines))).digest()


def record_line(home_seq: int, hash: bytes) -> bytes:
    """A record in its commit."""
    return b"record %d %s" % (home_seq, hash.hex().encode())


def epoch_line(run_id: str, epoch: int) -> bytes:
    """A claim in its commit."""
    return b"epoch %d %s" % (epoch, run_id.encode())


def request_line(id: int, run_id: str | None, kind: str, body: bytes) -> bytes:
    """A request in its commit."""
    to = "all" if run_id is None else f"run {run_id}"
    return b"request %d %s %s %s" % (
        id,
        sha256(to.encode()).hexdigest().encode(),
        kind.encode(),
        sha256(body).hexdigest().encode(),
    )


def answer_line(id: int, body: bytes) -> bytes:
    """An answer in its commit."""
    return b"answer %d %s" % (id, sha256(body).hexdigest().encode())
