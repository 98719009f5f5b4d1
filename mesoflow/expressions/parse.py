"""From a string with {{ … }} to parse trees: Jinja2's lexer and parser, nothing of its compiler or run time.

The trees are evaluated by compile.py, node by node, so no Python is generated from a playbook and there is no object whose
attributes could be reached. Two things differ from Jinja on purpose: number literals with a point are Decimal, and every
token's line number is replaced by its offset in the string, so that errors and references have a column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.lexer import Lexer, Token, TokenStream
from jinja2.parser import Parser
from jinja2.sandbox import SandboxedEnvironment

from mesoflow.expressions.errors import ExpressionError

# No playbook needs more than a few hundred characters or a handful of brackets; the parser recurses about 13 Python
# frames a bracket, and 24 brackets stay far from Python's own limit of 1,000.
LENGTH_MAX = 8_000
TOKENS_MAX = 1_200
NESTING_MAX = 24
DIGITS_MAX = 30

# Statements are no part of the language; comments and line statements would only hide things, so they are plain text.
_ENVIRONMENT = SandboxedEnvironment(
    comment_start_string="{\0#", comment_end_string="#\0}", keep_trailing_newline=True, optimized=False
)
_LEXER = Lexer(_ENVIRONMENT)
_OPENING, _CLOSING = ("lparen", "lbracket", "lbrace"), ("rparen", "rbracket", "rbrace")


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed string: texts and trees in their order. `start` and `end` of an expression are offsets of its inside."""

    source: str
    parts: tuple[str | Tree, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """One {{ … }}. Every node's `lineno` is its offset in the source."""

    node: nodes.Expr
    start: int
    end: int


def is_template(text: str) -> bool:
    """Whether a string is looked at at all. `{%` counts, so that a statement is refused and not taken for text."""
    return "{{" in text or "{%" in text


def parse(source: str) -> Template:
    """Parse a string; ExpressionError with the place in it if it is none."""
    if len(source) > LENGTH_MAX:
        raise ExpressionError(
            f"an expression of {len(source)} characters; the limit is {LENGTH_MAX}", source, 0
        )
    try:
        return Template(source, tuple(_parts(source)))
    except TemplateSyntaxError as error:
        raise ExpressionError(
            _plain(error.message or "not an expression"), source, _within(error.lineno, source)
        )
    except RecursionError:
        raise ExpressionError("an expression nested too deeply", source, 0)


def _parts(source: str) -> Iterator[str | Tree]:
    inside: list[tuple[int, str, str]] | None = None
    start = 0
    for offset, kind, text in _tokens(source):
        if kind == "data":
            yield text
        elif kind == "variable_begin":
            inside, start = [], offset + 2
            _refuse_modifier(source, start - 2, text)
        elif kind == "variable_end":
            _refuse_modifier(source, offset, text)
            yield Tree(_tree(inside or [], source, start), start, offset)
            inside = None
        elif inside is None:
            raise TemplateSyntaxError("only {{ … }} is part of the language, no statements {% … %}", offset)
        else:
            inside.append((offset, kind, text))
    if inside is not None:
        raise TemplateSyntaxError("{{ without }}", start - 2)


def _tokens(source: str) -> Iterator[tuple[int, str, str]]:
    """Jinja's raw tokens, with offsets in place of line numbers."""
    offset = 0
    try:
        for _, kind, text in _LEXER.tokeniter(source, None):
            yield offset, kind, text
            offset += len(text)
    except TemplateSyntaxError as error:
        raise TemplateSyntaxError(error.message or "not an expression", offset)


def _refuse_modifier(source: str, offset: int, text: str) -> None:
    if "-" in text or "+" in text:
        raise TemplateSyntaxError("write {{ and }} without - or +", offset)


def _tree(raw: list[tuple[int, str, str]], source: str, start: int) -> nodes.Expr:
    for offset, kind, text in raw:
        if kind in ("integer", "float") and len(text) > DIGITS_MAX:
            raise TemplateSyntaxError(f"a number of more than {DIGITS_MAX} digits", offset)
    written = {offset: text for offset, kind, text in raw if kind == "float"}
    tokens = [_exact(token, written) for token in _LEXER.wrap(iter(raw))]
    if not tokens:
        raise TemplateSyntaxError("{{ }} is empty", start)
    _bound(tokens)
    parser = Parser(_ENVIRONMENT, "", state="variable")
    parser.stream = TokenStream(tokens, None, None)
    tree = parser.parse_expression()
    if not parser.stream.eos:
        raise TemplateSyntaxError(
            f"unexpected {str(parser.stream.current.value)!r}", parser.stream.current.lineno
        )
    return tree


def _exact(token: Token, written: dict[int, str]) -> Token:
    """A float as the Decimal that is written. The parser only carries the value on into its Const."""
    if token.type != "float":
        return token
    value: Any = Decimal(written[token.lineno].replace("_", ""))
    return Token(token.lineno, "float", value)


def _bound(tokens: list[Token]) -> None:
    if len(tokens) > TOKENS_MAX:
        raise TemplateSyntaxError(f"an expression of more than {TOKENS_MAX} tokens", tokens[0].lineno)
    depth = prefixes = 0
    for token in tokens:
        depth += (token.type in _OPENING) - (token.type in _CLOSING)
        prefixes += token.type in ("sub", "add") or token.value in ("not", "if")
        if depth > NESTING_MAX or prefixes > 10 * NESTING_MAX:
            raise TemplateSyntaxError("an expression nested too deeply", token.lineno)


def _within(offset: int, source: str) -> int:
    return min(max(offset, 0), max(len(source) - 1, 0))


def _plain(message: str) -> str:
    """Jinja's messages, in the words and the case of our own."""
    text = re.sub(r"^unexpected char (.*) at \d+$", r"unexpected \1", message.rstrip("."))
    known = {
        "unexpected 'end of print statement'": "the expression ends too early",
        "unexpected 'end of template'": "the expression ends too early",
        "Expected an expression, got 'end of template'": "the expression ends too early",
        "Expected an expression, got 'end of print statement'": "the expression ends too early",
    }
    return known.get(text, text[:1].lower() + text[1:])
