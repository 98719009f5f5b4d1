"""Reaching into values: `steps.entry.greeks.theta`, `loop.item['name']`. Only keys of maps and indices of lists exist.

There are no attributes of Python objects in the language, so there is nothing to hide; names that start with `_` are
refused all the same, by the grammar (compile.py) and here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from mesoflow.expressions.errors import ExpressionError, MissingValue
from mesoflow.expressions.names import Scope, StepView
from mesoflow.expressions.unknown import Unknown
from mesoflow.expressions.values import Object, kind

ROOTS = ("inputs", "steps", "run", "loop", "error")
_WHERE = {
    "loop": "loop is only known inside for_each",
    "error": "error is only known inside rescue",
}

# The expressions that playbooks are full of. They need no parser, so a playbook that has no other never imports Jinja2.
DOTTED = re.compile(r"\{\{\s*((?:inputs|steps|run|loop|error)(?:\.[A-Za-z][A-Za-z0-9_]*)+)\s*\}\}")


def root(names: Mapping[str, object], name: str, source: str, at: int) -> Object:
    """One of the five names."""
    try:
        return names[name]
    except KeyError:
        raise ExpressionError(_WHERE.get(name, f"there is no name {name} here"), source, at)


def reach(value: Object, key: str | int, source: str, at: int) -> Object:
    """`value.key` or `value[key]`; MissingValue if it is not there."""
    if type(value) is dict:
        try:
            return value[key]
        except KeyError:
            raise MissingValue(f"there is no {key!r}{_near(key, value)}", source, at)
    if isinstance(value, Scope):
        # A step that has not been reached has not run: it is skipped, like one whose `when` was false.
        return value.get(str(key)) or StepView("skipped", key)
    if isinstance(value, StepView):
        if value.state != "done":
            raise MissingValue(
                f"{_step_of(value, source, at)} {_ENDED[value.state]}, so it has no {key!r}", source, at
            )
        return reach(value.outputs, key, source, at)
    if isinstance(value, Unknown):
        return _part(value, key, source, at)
    if isinstance(value, Mapping):
        return reach(dict(value), key, source, at)
    if isinstance(value, list) and isinstance(key, int):
        if -len(value) <= key < len(value):
            return value[key]
        raise MissingValue(f"there is no item {key} in a list of {len(value)}", source, at)
    if value is None:
        raise MissingValue(f"null has no {key!r}", source, at)
    hint = ", only its items; their number is … | length" if isinstance(value, list) else ""
    hint = hint or (", only | date and | time" if isinstance(value, datetime) else "")
    raise ExpressionError(f"{kind(value)} has no {key!r}{hint}", source, at)


_ENDED = {"skipped": "did not run", "failed": "failed"}


def _step_of(view: StepView, source: str, at: int) -> str:
    match = re.compile(r"steps\.([A-Za-z0-9_]+)").match(source, at)
    return f'step "{match[1]}"' if match else "the step"


def _part(value: Unknown, key: str | int, source: str, at: int) -> Object:
    if value.fields is None:
        return Unknown("any", value.until)
    if key in value.fields:
        return value.fields[str(key)]
    raise MissingValue(f"there is no {key!r}{_near(key, value.fields)}", source, at)


def _near(key: str | int, known: Mapping[str, object]) -> str:
    from difflib import get_close_matches  # only when something is wrong

    near = get_close_matches(str(key), [str(name) for name in known], n=3)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    names = ", ".join(sorted(str(name) for name in known)[:12])
    return f"; there is {names}" if names else ""
