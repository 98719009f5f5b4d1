"""Evaluate a Value: every string with {{ … }} in it, at any depth. Results are never scanned again.

Compiled expressions are kept; the kept ones are a cache, not needed for correctness.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from mesoflow.expressions.access import DOTTED, reach, root
from mesoflow.expressions.errors import ExpressionError
from mesoflow.expressions.names import Scope, StepView
from mesoflow.expressions.values import Object, Wrong, plain


def evaluate(value: Object, names: Mapping[str, object]) -> Object:
    """The value with its expressions evaluated. Raises ExpressionError.

    `names` holds inputs, steps (a Scope), run and, where they are known, loop and error. Where a name holds an `Unknown`
    (a preview), every string that depends on it becomes an `Unknown` itself.
    """
    if isinstance(value, str):
        return compile_text(value)(names) if "{{" in value or "{%" in value else value
    if isinstance(value, Mapping):
        return {key: evaluate(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [evaluate(item, names) for item in value]
    return value


@lru_cache(maxsize=4096)
def compile_text(source: str) -> Callable[[Mapping[str, object]], Object]:
    """The function of one string with expressions. Raises ExpressionError for what is no expression."""
    dotted = DOTTED.fullmatch(source)
    if dotted:
        return _path(source, tuple(dotted[1].split(".")), dotted.start(1))
    # Jinja2 takes longer to import than everything else here together.
    from mesoflow.expressions.compile import compiled
    from mesoflow.expressions.parse import parse

    try:
        return compiled(parse(source))
    except RecursionError:
        raise ExpressionError("an expression nested too deeply", source, 0)


def _path(source: str, path: tuple[str, ...], at: int) -> Callable[[Mapping[str, object]], Object]:
    first, rest = path[0], path[1:]

    def run(names: Mapping[str, object]) -> Object:
        value: Object = root(names, first, source, at)
        for key in rest:
            value = value[key] if type(value) is dict and key in value else reach(value, key, source, at)
        if isinstance(value, StepView | Scope):
            try:
                return plain(value)
            except Wrong as wrong:
                raise ExpressionError(str(wrong), source, at) from None
        return value

    return run
