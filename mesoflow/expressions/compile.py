"""From parse trees to closures: what each construct of the language means, node by node.

A node that is not in `_MAKERS` is no part of the language. Closures take the names and return an object; `default` and the
conditionals decide themselves what of theirs is evaluated at all. An operation on something unknown is unknown.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NoReturn, TypeAlias

from jinja2 import nodes

from mesoflow.expressions.access import ROOTS, reach, root
from mesoflow.expressions.errors import ExpressionError, MissingValue
from mesoflow.expressions.functions import FILTERS, FUNCTIONS, Member, unknown_among
from mesoflow.expressions.names import Scope, StepView
from mesoflow.expressions.parse import Template, Tree
from mesoflow.expressions.unknown import Unknown
from mesoflow.expressions.values import (
    Object,
    Wrong,
    arithmetic,
    boolean,
    bounded,
    bounded_text,
    compare,
    number,
    plain,
    text,
)

Names: TypeAlias = Mapping[str, object]
Run: TypeAlias = Callable[[Names], Object]

# Python's own recursion carries the closures: three frames a level.
DEPTH_MAX = 120
# Filters that pick from a list what is in it; the first of an empty one is missing, as an attribute is.
PICKING = frozenset({"first", "last", "min", "max", "sort", "list", "map", "selectattr", "default"})
TESTS = ("done", "failed", "skipped")


def compiled(template: Template) -> Run:
    """The function of a whole string: typed if it is one expression, text if it is mixed."""
    source = template.source
    runs = [part if isinstance(part, str) else _Maker(source).top(part) for part in template.parts]
    if len(runs) == 1 and not isinstance(runs[0], str):
        return runs[0]

    def mixed(names: Names) -> Object:
        values = [part if isinstance(part, str) else part(names) for part in runs]
        unknown = next((value for value in values if isinstance(value, Unknown)), None)
        if unknown is not None:
            return Unknown("string", unknown.until)
        return _placed(source, 0, lambda: bounded_text("".join(text(value) for value in values)))

    return mixed


def _placed(source: str, at: int, work: Callable[[], Object]) -> Object:
    """Do it; what is wrong gets its expression and its place."""
    try:
        return work()
    except Wrong as wrong:
        raise ExpressionError(str(wrong), source, at) from None
    except MissingValue as missing:
        if not missing.expression:
            missing.expression, missing.position = source, at
        raise


class _Maker:
    """Makes the closures of one string; keeps the source for messages and the depth for the bound."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.depth = 0

    def top(self, tree: Tree) -> Run:
        run, source, at = self.make(tree.node), self.source, _start(tree.node)

        def value(names: Names) -> Object:
            return _placed(source, at, lambda: plain(run(names)))

        return value

    def make(self, node: nodes.Node) -> Run:
        maker = _MAKERS.get(type(node))
        if maker is None:
            self.refuse(f"{type(node).__name__} is no part of the language", node)
        self.depth += 1
        if self.depth > DEPTH_MAX:
            self.refuse("an expression nested too deeply", node)
        run = maker(self, node)
        self.depth -= 1
        return run

    def refuse(self, summary: str, node: nodes.Node) -> NoReturn:
        raise ExpressionError(summary, self.source, node.lineno)

    # --- values and access

    def const(self, node: nodes.Const) -> Run:
        value = node.value
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            _placed(self.source, node.lineno, lambda: bounded(value))
        return lambda names: value

    def name(self, node: nodes.Name) -> Run:
        name, source, at = node.name, self.source, node.lineno
        if name not in ROOTS:
            known = FUNCTIONS.keys() | FILTERS.keys()
            hint = f"; {name} is a function or filter" if name in known else f"; there is {', '.join(ROOTS)}"
            self.refuse(f"there is no name {name}{hint}", node)
        return lambda names: root(names, name, source, at)

    def getattr(self, node: nodes.Getattr) -> Run:
        return self._reach(node, node.attr)

    def getitem(self, node: nodes.Getitem) -> Run:
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str | int):
            return self._reach(node, node.arg.value)
        if isinstance(node.arg, nodes.Slice):
            self.refuse("slices are no part of the language; there is | first and | last", node)
        base, index, source, at = self.make(node.node), self.make(node.arg), self.source, _start(node)

        def run(names: Names) -> Object:
            key = index(names)
            if isinstance(key, Unknown):
                return Unknown("any", key.until)
            if not isinstance(key, str | int) or isinstance(key, bool) or str(key).startswith("_"):
                raise ExpressionError("[ ] takes a name or a whole number", source, at)
            return reach(base(names), key, source, at)

        return run

    def _reach(self, node: nodes.Getattr | nodes.Getitem, key: str | int) -> Run:
        if isinstance(key, str) and key.startswith("_"):
            self.refuse(f"{key} starts with _; such names are no part of the language", node)
        base, source, at = self.make(node.node), self.source, _start(node)
        return lambda names: reach(base(names), key, source, at)

    def sequence(self, node: nodes.List | nodes.Tuple) -> Run:
        items = [self.make(item) for item in node.items]
        return lambda names: [plain(item(names)) for item in items]

    def mapping(self, node: nodes.Dict) -> Run:
        pairs = [(self._key(pair.key), self.make(pair.value)) for pair in node.items]
        return lambda names: {key: plain(value(names)) for key, value in pairs}

    def _key(self, node: nodes.Expr) -> str:
        if not isinstance(node, nodes.Const) or not isinstance(node.value, str):
            self.refuse("a key of a map is text in quotes", node)
        return node.value

    # --- operators

    def binary(self, node: nodes.BinExpr) -> Run:
        left, right, source, at = self.make(node.left), self.make(node.right), self.source, _start(node)
        symbol = node.operator
        return lambda names: _placed(source, at, lambda: arithmetic(symbol, left(names), right(names)))

    def unary(self, node: nodes.Neg | nodes.Pos) -> Run:
        inner, source, at = self.make(node.node), self.source, node.lineno
        negative = isinstance(node, nodes.Neg)

        def run(names: Names) -> Object:
            value = inner(names)
            if isinstance(value, Unknown):
                return value
            exact = _placed(source, at, lambda: number(value, "-" if negative else "+"))
            return -exact if negative else exact

        return run

    def concat(self, node: nodes.Concat) -> Run:
        parts, source, at = [self.make(part) for part in node.nodes], self.source, node.lineno

        def run(names: Names) -> Object:
            values = [part(names) for part in parts]
            unknown = unknown_among(values)
            if unknown is not None:
                return Unknown("string", unknown.until)
            return _placed(source, at, lambda: bounded_text("".join(text(value) for value in values)))

        return run

    def compare(self, node: nodes.Compare) -> Run:
        first, source, at = self.make(node.expr), self.source, _start(node)
        rest = [(operand.op, self.make(operand.expr)) for operand in node.ops]

        def run(names: Names) -> Object:
            left, result = first(names), True
            for operator, operand in rest:
                right = operand(names)
                result = _placed(source, at, lambda: compare(operator, left, right))  # noqa: B023 called at once
                if result is not True:
                    return result
                left = right
            return result

        return run

    def logic(self, node: nodes.And | nodes.Or) -> Run:
        left, right, source, at = self.make(node.left), self.make(node.right), self.source, node.lineno
        word, decided = ("and", False) if isinstance(node, nodes.And) else ("or", True)

        def run(names: Names) -> Object:
            first = left(names)
            if isinstance(first, Unknown):
                return Unknown("boolean", first.until)
            if _placed(source, at, lambda: boolean(first, word)) is decided:
                return decided
            second = right(names)
            if isinstance(second, Unknown):
                return Unknown("boolean", second.until)
            return _placed(source, at, lambda: boolean(second, word))

        return run

    def negation(self, node: nodes.Not) -> Run:
        inner, source, at = self.make(node.node), self.source, node.lineno

        def run(names: Names) -> Object:
            value = inner(names)
            if isinstance(value, Unknown):
                return Unknown("boolean", value.until)
            return not _placed(source, at, lambda: boolean(value, "not"))

        return run

    def conditional(self, node: nodes.CondExpr) -> Run:
        if node.expr2 is None:
            self.refuse("… if … needs an else: what is the value otherwise?", node)
        test, yes, no = self.make(node.test), self.make(node.expr1), self.make(node.expr2)
        source, at = self.source, node.lineno

        def run(names: Names) -> Object:
            value = test(names)
            if isinstance(value, Unknown):
                return Unknown("any", value.until)
            return yes(names) if _placed(source, at, lambda: boolean(value, "if")) else no(names)

        return run

    # --- functions, filters, tests

    def call(self, node: nodes.Call) -> Run:
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        if not name:
            self.make(node.node)  # what is wrong inside comes first
            summary = "values have no methods; there are functions and | filters"
            raise ExpressionError(summary, self.source, _start(node.node))
        if name not in FUNCTIONS:
            self.refuse(f"there is no function {name}; there is {', '.join(FUNCTIONS)}", node.node)
        return self._apply(name, FUNCTIONS[name], node, [])

    def filter(self, node: nodes.Filter) -> Run:
        if node.node is None:
            self.refuse("a filter needs a value", node)
        if node.name == "default":
            return self._default(node, node.node)
        if node.name not in FILTERS:
            self.refuse(f"there is no filter {node.name}; there is default, {', '.join(FILTERS)}", node)
        return self._apply(node.name, FILTERS[node.name], node, [self.make(node.node)])

    def _apply(self, name: str, member: Member, node: nodes.Call | nodes.Filter, first: list[Run]) -> Run:
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            self.refuse("* and ** are no part of the language", node)
        runs = first + [self.make(argument) for argument in node.args]
        named = {str(pair.key): self.make(pair.value) for pair in node.kwargs}
        try:
            inspect.signature(member.call).bind(*runs, **named)
        except TypeError as error:
            raise ExpressionError(f"{name}: {error}", self.source, _start(node)) from None
        source, at, call = self.source, _start(node), member.call

        def run(names: Names) -> Object:
            values = [plain(value) if isinstance(value := one(names), StepView) else value for one in runs]
            options = {key: one(names) for key, one in named.items()}
            unknown = unknown_among([*values, *options.values()])
            if unknown is not None:
                return Unknown(member.type, unknown.until)
            return _placed(source, at, lambda: call(*values, **options))

        return run

    def _default(self, node: nodes.Filter, inner: nodes.Expr) -> Run:
        """The value, or the other one where it is missing or null. Only a path is forgiven, not a wrong calculation."""
        if len(node.args) != 1 or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self.refuse("default takes one value", node)
        value, other = self.make(inner), self.make(node.args[0])
        forgiving = is_path(inner)

        def run(names: Names) -> Object:
            try:
                found = value(names)
            except MissingValue:
                if not forgiving:
                    raise
                return other(names)
            if found is None or (isinstance(found, StepView) and found.state != "done"):
                return other(names)
            return found

        return run

    def test(self, node: nodes.Test) -> Run:
        step = step_named(node.node)
        if node.name not in TESTS or node.args or node.kwargs:
            self.refuse(f"there is no test {node.name}; there is is {', is '.join(TESTS)}", node)
        if step is None:
            self.refuse(f"is {node.name} asks about a step: steps.ID is {node.name}", node)
        wanted, source, at = node.name, self.source, node.lineno

        def run(names: Names) -> Object:
            steps = root(names, "steps", source, at)
            if isinstance(steps, Unknown):
                return Unknown("boolean", steps.until)
            view = steps.get(step) if isinstance(steps, Scope | Mapping) else None
            if isinstance(view, Unknown):
                return Unknown("boolean", view.until)
            return wanted == (view.state if view is not None else "skipped")

        return run


def step_named(node: nodes.Node) -> str | None:
    """The step that `steps.ID` names, else None."""
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "steps":
        return str(node.attr)
    return None


def is_path(node: nodes.Node | None) -> bool:
    """Whether a node only reaches into values: names, attributes, items, one or some of a list."""
    while True:
        match node:
            case nodes.Name() | nodes.List() | nodes.Tuple():
                return True
            case nodes.Getattr() | nodes.Getitem():
                node = node.node
            case nodes.Filter(name=name) if name in PICKING:
                node = node.node
            case _:
                return False


def _start(node: nodes.Node) -> int:
    """Where an expression begins in the text: a node's own offset is often that of its last dot or operator."""
    while True:
        match node:
            case nodes.Getattr() | nodes.Getitem() | nodes.Call():
                node = node.node
            case nodes.Compare():
                node = node.expr
            case nodes.BinExpr():
                node = node.left
            case _:
                return node.lineno


_MAKERS: Mapping[type, Callable[[_Maker, Any], Run]] = {
    nodes.Const: _Maker.const,
    nodes.Name: _Maker.name,
    nodes.Getattr: _Maker.getattr,
    nodes.Getitem: _Maker.getitem,
    nodes.List: _Maker.sequence,
    nodes.Tuple: _Maker.sequence,
    nodes.Dict: _Maker.mapping,
    nodes.Add: _Maker.binary,
    nodes.Sub: _Maker.binary,
    nodes.Mul: _Maker.binary,
    nodes.Div: _Maker.binary,
    nodes.FloorDiv: _Maker.binary,
    nodes.Mod: _Maker.binary,
    nodes.Pow: _Maker.binary,
    nodes.Neg: _Maker.unary,
    nodes.Pos: _Maker.unary,
    nodes.Concat: _Maker.concat,
    nodes.Compare: _Maker.compare,
    nodes.And: _Maker.logic,
    nodes.Or: _Maker.logic,
    nodes.Not: _Maker.negation,
    nodes.CondExpr: _Maker.conditional,
    nodes.Call: _Maker.call,
    nodes.Filter: _Maker.filter,
    nodes.Test: _Maker.test,
}
