"""Lua expressions, read and never run: their words, and where one stops being an expression.

Lua's own compiler judges; lupa is loaded when the first expression is read. It says what is wrong and not at which column:
that is the end of the longest beginning that could still become an expression, found by asking again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

# Compiling 4,000 characters takes some 100 kB.
MEMORY_BYTES_MAX = 8 * 1024 * 1024

_WORD = re.compile(
    r"""(?P<space>[ \t\r\n\v\f]+)
    |(?P<long>(?:--)?\[(?P<level>=*)\[)
    |(?P<comment>--[^\n]*)
    |(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>0[xX][0-9a-fA-F.]+(?:[pP][+-]?[0-9]+)?|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<sign>\.\.\.|\.\.|==|~=|<=|>=|//|<<|>>|::|.)""",
    re.VERBOSE | re.DOTALL,
)
KEYWORDS = frozenset(
    [
        "and",
        "break",
        "do",
        "else",
        "elseif",
        "end",
        "false",
        "for",
        "function",
        "goto",
        "if",
        "in",
        "local",
        "nil",
        "not",
        "or",
        "repeat",
        "return",
        "then",
        "true",
        "until",
        "while",
    ]
)
_ENDED = "near <eof>"
# What the compiler says of an expression that is too much for it.
_LIMITS = {
    "memory": "it needs more memory than an expression may",
    "overflow": "the expression is nested too deep",
    "levels": "the expression is nested too deep",
}
# What other languages write.
_INSTEAD = {
    "=": "two values are compared with ==",
    "!": "`not` negates, ~= means different",
    "&": "write `and`",
    "|": "write `or`",
    "*": "x ^ y is x to the power of y",
    "?": "write `condition and a or b`",
    "AND": "write `and`",
    "OR": "write `or`",
    "NOT": "write `not`",
    ",": "an expression is one value",
}


@dataclass(frozen=True, slots=True)
class Word:
    """A word or sign; spaces and comments are none. `kind` is name, keyword, number, text or sign."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text is no expression, and where."""

    summary: str
    start: int
    length: int
    help: str = ""


def words(text: str) -> list[Word]:
    """Its words in their order, whether it is an expression or not."""
    found: list[Word] = []
    at = 0
    while at < len(text):
        match = _WORD.match(text, at)
        assert match is not None, "any character is a sign"
        kind, end = match.lastgroup or "sign", match.end()
        if match["long"] is not None:
            closed = text.find(f"]{match['level']}]", end)
            end = len(text) if closed < 0 else closed + len(match["level"]) + 2
            kind = "comment" if match["long"].startswith("--") else "text"
        if kind not in ("space", "comment"):
            written = text[at:end]
            found.append(Word("keyword" if written in KEYWORDS else kind, written, at, end))
        at = end
    return found


def fault(text: str, read: list[Word]) -> Fault | None:
    """What keeps a text from being one expression; None if nothing does. `read`: its words."""
    for word in read:
        if word.text == "function":
            return Fault("an expression makes no functions", word.start, len(word.text))
    unopened = _unopened(read)
    if unopened is not None:
        return Fault("this ) closes nothing", unopened.start, 1)
    said = _said(f"return ({text}\n)")
    if not said:
        return None
    end = len(text.rstrip())
    for part, summary in _LIMITS.items():
        if part in said:
            return Fault(summary, end, 1)
    first = _first_wrong(text, read)
    if first is None:
        return Fault("the expression is not finished", end, 1)
    help = _INSTEAD.get(first.text, "")
    shown = first.text.split("\n")[0][:40]
    return Fault(
        f"this is no Lua expression: `{shown}` cannot stand here", first.start, len(first.text), help
    )


def _unopened(read: list[Word]) -> Word | None:
    depth = 0
    for word in read:
        depth += {"(": 1, ")": -1}.get(word.text, 0) if word.kind == "sign" else 0
        if depth < 0:
            return word
    return None


def _first_wrong(text: str, read: list[Word]) -> Word | None:
    """The first word with which the text cannot become an expression any more."""
    low, high = 0, len(read)
    while low < high:
        middle = (low + high) // 2
        if _said(f"return ({text[: read[middle].end]}").endswith(_ENDED):
            low = middle + 1
        else:
            high = middle
    return read[low] if low < len(read) else None


def _said(chunk: str) -> str:
    """What the compiler says; empty if it takes the chunk."""
    try:
        return str(_compiler()(chunk) or "")
    except (MemoryError, UnicodeError) as error:
        return f"not enough memory: {error}" if isinstance(error, MemoryError) else "no text"


@lru_cache(maxsize=1)
def _compiler() -> Callable[[str], object]:
    from lupa.lua54 import LuaRuntime  # loading it takes 13 ms

    runtime = LuaRuntime(register_eval=False, register_builtins=False, max_memory=MEMORY_BYTES_MAX)
    found: Callable[[str], object] = runtime.execute(
        "local load = load\n"
        "return function(chunk) local good, problem = load(chunk, '=expression', 't', {}) return problem end"
    )
    return found
