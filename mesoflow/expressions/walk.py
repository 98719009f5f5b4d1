"""The walk over parse trees behind analyse.py; apart from it, because it needs Jinja2's nodes."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from mesoflow.expressions.access import ROOTS
from mesoflow.expressions.analyse import NOTHING, Facts, Reference
from mesoflow.expressions.compile import TESTS, is_path, step_named
from mesoflow.expressions.parse import Tree, parse

_STATES = frozenset(TESTS)


def references(text: str) -> Iterator[Reference]:
    """All references of a string that compiles."""
    for part in parse(text).parts:
        if isinstance(part, Tree):
            yield from _walk(part.node, NOTHING, False, text)


def facts_of(text: str, truth: bool) -> Facts:
    """What is known of steps when a string of one expression has this truth."""
    parts = parse(text).parts
    if len(parts) != 1 or not isinstance(parts[0], Tree):
        return NOTHING
    return facts(parts[0].node, truth)


def facts(node: nodes.Node, truth: bool) -> Facts:
    """What is known of steps when this node is true, or false."""
    match node:
        case nodes.Test(name=name):
            step = step_named(node.node)
            known = name if truth else f"not {name}"
            return frozenset({(step, known)}) if step and name in _STATES else NOTHING
        case nodes.Not():
            return facts(node.node, not truth)
        case nodes.And() if truth:
            return facts(node.left, True) | facts(node.right, True)
        case nodes.Or() if not truth:
            return facts(node.left, False) | facts(node.right, False)
        case nodes.And() | nodes.Or():
            return facts(node.left, truth) & facts(node.right, truth)
    return NOTHING


def _walk(node: nodes.Node, known: Facts, defaulted: bool, text: str) -> Iterator[Reference]:
    match node:
        case nodes.Name() | nodes.Getattr() | nodes.Getitem():
            yield from _path(node, known, defaulted, text)
        case nodes.Test():
            path, at, _ = _unfold(node.node)
            if path:
                yield Reference(path, at, _length(text, at), asks=True, known=known)
        case nodes.Filter(name="default") if node.node is not None:
            yield from _walk(node.node, known, defaulted or is_path(node.node), text)
            for argument in node.args:
                yield from _walk(argument, known, defaulted, text)
        case nodes.CondExpr():
            yield from _walk(node.test, known, False, text)
            yield from _walk(node.expr1, known | facts(node.test, True), defaulted, text)
            if node.expr2 is not None:
                yield from _walk(node.expr2, known | facts(node.test, False), defaulted, text)
        case nodes.And() | nodes.Or():
            yield from _walk(node.left, known, False, text)
            yield from _walk(node.right, known | facts(node.left, isinstance(node, nodes.And)), False, text)
        case _:
            subject = node.node if isinstance(node, nodes.Filter) and is_path(node) else None
            for child in node.iter_child_nodes():
                yield from _walk(child, known, defaulted and child is subject, text)


def _path(node: nodes.Expr, known: Facts, defaulted: bool, text: str) -> Iterator[Reference]:
    path, at, others = _unfold(node)
    if path:
        yield Reference(path, at, _length(text, at), defaulted, False, known)
    for other in others:
        yield from _walk(other, known, defaulted and other is others[0] and not path, text)


def _unfold(node: nodes.Node) -> tuple[tuple[str | int, ...], int, list[nodes.Node]]:
    """The constant path of a chain, where it begins, and what else has to be walked: computed indices, another base."""
    chain: list[nodes.Node] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        chain.append(node)
        node = node.node
    computed: list[nodes.Node] = [link.arg for link in chain if isinstance(link, nodes.Getitem)]
    if not isinstance(node, nodes.Name):
        return (), node.lineno, [node, *computed]
    if node.name not in ROOTS:  # the name of a function
        return (), node.lineno, computed
    path: list[str | int] = [node.name]
    others: list[nodes.Node] = []
    constant = True
    for link in reversed(chain):
        key = (
            link.attr
            if isinstance(link, nodes.Getattr)
            else link.arg
            if isinstance(link, nodes.Getitem)
            else ""
        )
        if isinstance(key, nodes.Node) and not isinstance(key, nodes.Const):
            others.append(key)
            constant = False
        elif constant:
            path.append(key.value if isinstance(key, nodes.Const) else key)
    return tuple(path), node.lineno, others


def _length(text: str, at: int) -> int:
    """How much of the text is the path: up to the first character that no plain path has."""
    end = at
    while end < len(text) and (text[end].isalnum() or text[end] in "._"):
        end += 1
    return max(end - at, 1)
