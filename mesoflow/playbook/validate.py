"""Hold a value against a schema: the keywords that ours uses, and problems that know what they are about.

A general validator says of an `anyOf` that nothing fits; this one says what would: "expected a number or an expression".
It also keeps apart what our findings keep apart: unknown keys, missing keys, keys of later versions, wrong values. That it
agrees with a general validator is a property test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from mesoflow.playbook import words
from mesoflow.playbook.tree import Path

Kind = Literal["unknown", "missing", "later", "wrong"]
# `format` only annotates, as the standard has it; `dependentRequired` is lint/prices.py's, which says it in better words.
_KEYWORDS = (
    "$ref type enum const pattern minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength minItems maxItems "
    "minProperties maxProperties properties required additionalProperties propertyNames items anyOf format dependentRequired"
)
KEYWORDS = frozenset(_KEYWORDS.split())


_EXPRESSION = "#/$defs/expression"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong at a place. `owner` names the definition whose key it is about, `known` its keys."""

    path: Path
    kind: Kind
    expected: tuple[str, ...] = ()
    sentence: str = ""
    form: str = ""
    owner: str = ""
    known: tuple[str, ...] = ()

    @property
    def here(self) -> bool:
        """Whether the value itself is of a wrong type or outside a list of values."""
        return self.kind == "wrong" and bool(self.expected)


@dataclass(frozen=True, slots=True)
class Validator:
    """Validates against the definitions of one schema."""

    defs: Mapping[str, Any]

    def problems(
        self,
        schema: Mapping[str, Any],
        value: Any,  # noqa: ANN401 - any value of YAML
        path: Path = (),
        owner: str = "",
    ) -> Iterator[Problem]:
        """Everything that is wrong with a value."""
        while "$ref" in schema:
            owner = str(schema["$ref"]).rsplit("/", 1)[-1]
            schema = self.defs[owner]
        if "anyOf" in schema:
            yield from self._any(schema["anyOf"], value, path, owner)
            return
        if not _is_of(schema, value):
            yield Problem(path, "wrong", _words(schema))
            return
        sentence = _constraint(schema, value)
        if sentence:
            yield Problem(path, "wrong", (), sentence, str(schema.get("x-mesoflow", "")))
        if isinstance(value, dict):
            yield from self._object(schema, value, path, owner)
        elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
            for index, item in enumerate(value):
                yield from self.problems(schema["items"], item, (*path, index), owner)

    def _any(self, members: list[Mapping[str, Any]], value: Any, path: Path, owner: str) -> Iterator[Problem]:  # noqa: ANN401
        """If no member fits: what is wrong inside the one that was meant, else all that would have been right."""
        expected: list[str] = []
        inside: list[Problem] | None = None
        for member in members:
            found = list(self.problems(member, value, path, owner))
            if not found:
                return
            mismatch = [problem for problem in found if problem.path == path and problem.here]
            if mismatch and member.get("$ref") != _EXPRESSION:
                expected += [word for problem in mismatch for word in problem.expected]
            elif inside is None and member.get("$ref") != _EXPRESSION and member.get("type") != "null":
                inside = found
        if inside is not None:
            yield from inside
            return
        if any(member.get("$ref") == _EXPRESSION for member in members):
            expected.append("an expression")
        yield Problem(path, "wrong", tuple(dict.fromkeys(expected)))

    def _object(
        self, schema: Mapping[str, Any], value: dict[str, Any], path: Path, owner: str
    ) -> Iterator[Problem]:
        known: Mapping[str, Any] = schema.get("properties", {})
        names = tuple(name for name, inner in known.items() if inner.get("x-mesoflow") != "later")
        others = schema.get("additionalProperties", True)
        for key, item in value.items():
            inner = known.get(key, others)
            if isinstance(inner, Mapping):
                if inner.get("x-mesoflow") == "later":
                    yield Problem(
                        (*path, key), "later", sentence=str(inner.get("description", "")), owner=owner
                    )
                else:
                    yield from self.problems(inner, item, (*path, key), owner if key in known else "")
            elif inner is False:
                yield Problem((*path, key), "unknown", owner=owner, known=names)
            if key not in known and "propertyNames" in schema and _constraint(schema["propertyNames"], key):
                yield Problem((*path, key), "unknown", _words(schema["propertyNames"]), owner=owner)
        for key in schema.get("required", ()):
            if key not in value:
                yield Problem((*path, key), "missing", owner=owner)


# --- types and lists of values


def _is_of(schema: Mapping[str, Any], value: Any) -> bool:  # noqa: ANN401
    """Whether the value is of the type, and one of the values, that a schema names."""
    if "const" in schema:
        return type(schema["const"]) is type(value) and schema["const"] == value
    if "enum" in schema:
        return any(type(member) is type(value) and member == value for member in schema["enum"])
    match schema.get("type"):
        case "string":
            known = schema.get("pattern") in _PATTERNS
            return isinstance(value, str) and (not known or bool(_pattern(schema["pattern"]).search(value)))
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case "null":
            return value is None
    return True


_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
}
_FORMS = {
    "duration": "a duration (30s, 5m, 2h)",
    "moment": 'a moment ("15:45", close - 30m)',
    "amount": "an amount (0.30, 2 ticks, 15% of mid)",
    "percent": "a percentage (10%)",
    "day": "a date (2025-03-19)",
}
_PATTERNS = {
    words.EXPRESSION: "one expression, {{ … }}",
    words.SLUG: "small letters, digits and -",
    words.STEP_ID: "a name: a small letter, then small letters, digits and _",
    r"\{\{": "an expression",
}


def _words(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """What a schema wants, in words."""
    if "const" in schema:
        return (str(schema["const"]),)
    if "enum" in schema:
        return tuple(str(member) for member in schema["enum"])
    form = schema.get("x-mesoflow")
    if form in words.FORMS:
        return (_FORMS[str(form)],)
    if schema.get("pattern") in _PATTERNS:
        return (_PATTERNS[schema["pattern"]],)
    return (_TYPES[schema["type"]],) if schema.get("type") in _TYPES else ()


# --- bounds and patterns


def _constraint(schema: Mapping[str, Any], value: Any) -> str:  # noqa: ANN401
    """What is wrong with a value of the right type, in a sentence; empty if nothing is."""
    if isinstance(value, str):
        return _text(schema, value)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _number(schema, value)
    if isinstance(value, list):
        return _size(schema, len(value), "minItems", "maxItems", "item")
    if isinstance(value, dict):
        return _size(schema, len(value), "minProperties", "maxProperties", "key")
    return ""


def _text(schema: Mapping[str, Any], value: str) -> str:
    pattern = schema.get("pattern")
    if pattern is not None and not _pattern(pattern).search(value):
        form = schema.get("x-mesoflow")
        if form in words.FORMS:
            return words.wrong(str(form), value) or f"{value!r} is no {form} that may stand here"
        return f"must be text like {pattern}"
    return _size(schema, len(value), "minLength", "maxLength", "character")


def _number(schema: Mapping[str, Any], value: int | Decimal) -> str:
    if "minimum" in schema and value < schema["minimum"]:
        return f"must be at least {schema['minimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        return f"must be at most {schema['maximum']}"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        return f"must be more than {schema['exclusiveMinimum']}"
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        return f"must be less than {schema['exclusiveMaximum']}"
    return ""


def _size(schema: Mapping[str, Any], size: int, least: str, most: str, what: str) -> str:
    for limit, words_, fits in (
        (schema.get(least), "at least", size.__ge__),
        (schema.get(most), "at most", size.__le__),
    ):
        if limit is not None and not fits(limit):
            return f"must have {words_} {limit} {what}{'' if limit == 1 else 's'}"
    return ""


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str]:
    """JSON Schema's `$` is the end of the text; Python's also stands before a last newline."""
    return re.compile(pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern)
