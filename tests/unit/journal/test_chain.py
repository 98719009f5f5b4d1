"""The hashes cover everything they are said to cover, and their bytes stay what they are: stored journals depend on them."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from mesoflow.journal import chain

RECORD: dict[str, Any] = {
    "before": chain.START, "home_seq": 11, "run_id": "a-1", "run_seq": 1, "kind": "settled", "format": 1, "body": b"{}",
}  # fmt: skip
OTHER: dict[str, Any] = {
    "before": b"x" * 32, "home_seq": 1, "run_id": "a-11", "run_seq": 11, "kind": "input", "format": 2, "body": b'{"a":1}',
}  # fmt: skip


def test_a_records_hash_covers_each_of_its_parts() -> None:
    known = {chain.record_hash(**RECORD)}
    for part, value in OTHER.items():
        known.add(chain.record_hash(**RECORD | {part: value}))
    for one, two in combinations(OTHER, 2):
        known.add(chain.record_hash(**RECORD | {one: OTHER[one], two: OTHER[two]}))
    assert len(known) == 1 + 7 + 21


def test_a_commits_hash_covers_its_number_its_lines_and_the_commit_before() -> None:
    lines = [
        chain.record_line(1, b"x" * 32), chain.record_line(2, b"x" * 32), chain.epoch_line("a-1", 1), chain.epoch_line("a-1", 2),
        chain.request_line(1, "a-1", "cancel", b"{}"), chain.request_line(1, None, "cancel", b"{}"),
        chain.request_line(1, "a-1", "kill", b"{}"), chain.request_line(1, "a-1", "cancel", b"[]"),
        chain.answer_line(1, b"{}"), chain.answer_line(1, b"[]"),
    ]  # fmt: skip
    hashes = {chain.commit_hash(chain.START, 1, [line]) for line in lines}
    hashes |= {chain.commit_hash(chain.START, 1, pair) for pair in combinations(lines, 2)}
    hashes |= {chain.commit_hash(chain.START, 2, lines[:1]), chain.commit_hash(b"y" * 32, 1, lines[:1])}
    hashes |= {chain.commit_hash(chain.START, 1, []), chain.commit_hash(chain.START, 1, lines[1::-1])}
    assert len(hashes) == 10 + 45 + 2 + 2


def test_the_bytes_stay_what_they_are() -> None:
    """Stored journals are verified with these; another result here makes every journal look damaged."""
    record = chain.record_hash(**RECORD)
    assert record.hex() == "807492cecba48a2d54e0bc9a6c805c87fb1bc17e85c980ce571694c0333e8e51"
    assert (
        chain.commit_hash(chain.START, 1, [chain.record_line(1, record), chain.epoch_line("a-1", 1)]).hex()
        == "e0a632a71fd513ae8a2ef3b6da43b9c3ec67ed5479027da30f2c1e7e26f2f5ac"
    )
