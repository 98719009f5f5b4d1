"""Pages with opaque tokens. A token says after which id the next page begins, and belongs to one question."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import blake2b
from typing import TypeVar

from mesoflow.simulator.world.errors import bad

_T = TypeVar("_T")

LIMIT_DEFAULT = 50
LIMIT_MAX = 500


def page(
    find: Callable[[int, int], list[tuple[int, _T]]],
    question: tuple[object, ...],
    limit: int | None,
    token: str | None,
) -> tuple[list[tuple[int, _T]], str | None]:
    """One page of `find(after, limit)`, and the token of the next. Raises Refused."""
    size = LIMIT_DEFAULT if limit is None else limit
    if not 1 <= size <= LIMIT_MAX:
        raise bad("Limit", f"Limit is {size}, not 1 to {LIMIT_MAX}", fields={"Limit": [f"1 to {LIMIT_MAX}"]})
    found = find(_after(token, question), size + 1)
    if len(found) <= size:
        return found, None
    return found[:size], _token(found[size - 1][0], question)


def _token(after: int, question: tuple[object, ...]) -> str:
    return urlsafe_b64encode(f"{after}.{_mark(after, question)}".encode()).decode()


def _after(token: str | None, question: tuple[object, ...]) -> int:
    if token is None:
        return 0
    try:
        text, _, mark = urlsafe_b64decode(token.encode("ascii")).decode("ascii").partition(".")
        after = int(text)
    except ValueError:
        after, mark = 0, ""
    if mark != _mark(after, question):
        raise bad("ContinuationToken", "the continuation token is not of this question")
    return after


def _mark(after: int, question: tuple[object, ...]) -> str:
    return blake2b(repr((after, question)).encode(), digest_size=8).hexdigest()
