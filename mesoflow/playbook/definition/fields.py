"""Findings about fields: unknown, missing, of version 2, of the wrong type. The schema judges; here its problems get words.

The vendor's list of fields is not known to be whole. So a field that nobody knows is an error only where it looks like one
that is known: what is meant to stop a loss must not be a typing error.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from mesoflow.findings import Finding
from mesoflow.playbook.definition.facts import Facts
from mesoflow.playbook.definition.outline import joined
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.lint.near import did_you_mean, near
from mesoflow.playbook.lint.structure import either, shown
from mesoflow.playbook.tree import Mapping, Path, Scalar, follow, to_value
from mesoflow.playbook.validate import Problem, Validator

_TOP = "StrategyDefinition"
# Patterns of the schema, in words.
_WORDS = {
    r"^[A-Za-z_][A-Za-z0-9_]*$": "letters, digits and _, for it becomes part of variables' names",
    r"^-?[0-9]+(\.[0-9]+)?$": "a number",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$": "an instant like 2025-01-17T15:40:00",
    r"\S": "text that is not blank",
}
_EVERY = "day, 5min, or days of the week like mon,wed,fri"


def fields(root: Mapping, facts: Facts) -> Iterator[Finding]:
    """All of them."""
    wrong: set[Path] = set()
    for problem in Validator(facts.defs).problems(facts.schema, to_value(root)):
        if problem.kind == "wrong":
            if problem.path not in wrong:
                wrong.add(problem.path)
                yield _wrong(problem, root)
        elif problem.kind == "missing":
            yield _missing(problem, root)
        else:
            yield _unknown(problem, root, facts)


def _within(path: Path) -> str:
    return f"in {reduce(joined, path, '')}" if path else ""


def _missing(problem: Problem, root: Mapping) -> Finding:
    holder, name = follow(root, problem.path[:-1])[0], str(problem.path[-1])
    summary, help = f"`{name}` is missing", f'add "{name}": …'
    return Finding(Code.DEFINITION_MISSING, summary, holder.place(_within(problem.path[:-1])), help=help)


def _unknown(problem: Problem, root: Mapping, facts: Facts) -> Finding:
    name = str(problem.path[-1])
    node, key = follow(root, problem.path)
    place = (key or node).place(_within(problem.path[:-1]))
    if not problem.known:
        summary = f"`{name}` cannot be a variable: its name is letters, digits and _"
        return Finding(Code.DEFINITION_VALUE, summary, place)
    owner = problem.owner or _TOP
    moved = facts.moved.get(name if owner == _TOP else f"{owner}.{name}")
    if moved is not None:
        summary = f"`{name}` is of version 2 of strategy definitions"
        return Finding(Code.DEFINITION_MOVED, summary, place, help=f"it is now {moved}")
    alike = near(name, problem.known, 1) or _same_letters(name, problem.known)
    if alike:
        help = (
            did_you_mean(name, problem.known) if near(name, problem.known) else f'it is written "{alike[0]}"'
        )
        return Finding(Code.DEFINITION_FIELD, f"there is no `{name}` here", place, help=help)
    summary = f"`{name}` is not known here"
    detail = ("MesoLive may keep it, and nothing that we know of reads it.",)
    help = did_you_mean(name, problem.known, "the fields here are")
    return Finding(Code.DEFINITION_FIELD, summary, place, "warning", detail, help=help)


def _same_letters(name: str, known: tuple[str, ...]) -> list[str]:
    return [other for other in known if other.lower() == name.lower()]


def _wrong(problem: Problem, root: Mapping) -> Finding:
    node, key = follow(root, problem.path)
    about = f"`{key.value}`" if key is not None else "this"
    place = node.place(_within(problem.path))
    pattern = problem.sentence.removeprefix("must be text like ")
    if problem.sentence and pattern == problem.sentence:
        return Finding(Code.DEFINITION_VALUE, f"{about} {problem.sentence}", place)
    wanted = _WORDS.get(pattern, _EVERY) if problem.sentence else either(problem.expected)
    help = ""
    if isinstance(node, Scalar) and isinstance(node.value, bool) and "text" in wanted:
        help = f'an expression is text: "{str(node.value).lower()}"'
    return Finding(Code.DEFINITION_VALUE, f"{about} is {shown(node)}; expected {wanted}", place, help=help)
