"""Regular expressions that a playbook brings: hostile input, so only those whose matching time has a bound.

Python's engine backtracks: a repetition inside a repetition takes exponential time on a text that does not match. Such a
pattern is refused, and so are many unbounded repetitions in a row; what is left is at most cubic in a short text.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import Any

REPETITIONS_MAX = 3
MATCHED_MAX = 300


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches. ValueError for a pattern that is none, or too slow."""
    if len(text) > MATCHED_MAX:
        raise ValueError(f"a text of more than {MATCHED_MAX} characters is not matched against a pattern")
    return bounded(pattern).fullmatch(text) is not None


@lru_cache(maxsize=256)
def bounded(pattern: str) -> re.Pattern[str]:
    """The compiled pattern, if its time has a bound."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from re import _parser  # type: ignore[attr-defined]  # the standard library's own tree of a pattern

            tree = _parser.parse(pattern)
            compiled = re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"{pattern!r} is no pattern: {error}")
    count = _repetitions(tree, pattern)
    if count > REPETITIONS_MAX:
        raise ValueError(
            f"{pattern!r} has more than {REPETITIONS_MAX} unbounded repetitions, and could take for ever"
        )
    return compiled


def _repetitions(tree: Any, pattern: str) -> int:  # noqa: ANN401 - the standard library's parse tree has no types
    """How many repetitions a pattern has. Refuses one inside another, and what refers back or looks around."""
    count = 0
    for operator, argument in tree:
        name = str(operator)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _, high, body = argument
            inner = _repetitions(body, pattern)
            if inner or (high > 1 and any(str(part[0]) == "BRANCH" for part in _flat(body))):
                raise ValueError(f"{pattern!r} repeats a repetition or a choice, and could take for ever")
            count += 1 if high > 1 else 0
        elif name in ("GROUPREF", "GROUPREF_EXISTS", "ASSERT", "ASSERT_NOT"):
            raise ValueError(f"{pattern!r} refers back or looks around, which patterns here cannot")
        elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
            count += _repetitions(argument[-1] if name == "SUBPATTERN" else argument, pattern)
        elif name == "BRANCH":
            count += max((_repetitions(branch, pattern) for branch in argument[1]), default=0)
    return count


def _flat(tree: Any) -> list[Any]:  # noqa: ANN401
    found = []
    for operator, argument in tree:
        found.append((operator, argument))
        if str(operator) == "SUBPATTERN":
            found += _flat(argument[-1])
    return found
