"""What can be wrong with an expression: one error, with the expression and the place in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class ExpressionError(Exception):
    """`expression` is the whole string as written; `position` is the 0-based offset in it of what is wrong."""

    summary: str
    expression: str = ""
    position: int = 0

    def __str__(self) -> str:
        return f"{self.summary}, in {shortened(self.expression)}" if self.expression else self.summary


@dataclass
class MissingValue(ExpressionError):
    """Something that is not there: an output of a step that did not run, a key, null where a field was asked for.

    The only error that `default(…)` turns into a value.
    """

    def __str__(self) -> str:
        return ExpressionError.__str__(self)


def shortened(text: str, limit: int = 120) -> str:
    """A text for a message: one line, not longer than anybody reads."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
