"""Findings about the structure: unknown and missing keys, wrong types and values, what this version does not have.

The schema judges (playbook/validate.py), each step's inputs by that of its action; here its problems become findings, one a
place, with near names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mesoflow.findings import Finding, Place
from mesoflow.playbook.language import Language
from mesoflow.playbook.later import INSTEAD, NOT_YET
from mesoflow.playbook.lint import prices
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.lint.near import did_you_mean
from mesoflow.playbook.outline import Outline, StepOutline
from mesoflow.playbook.tree import Mapping, Node, Path, Scalar, follow, to_value
from mesoflow.playbook.validate import Problem, Validator


def structure(shape: Outline, language: Language) -> Iterator[Finding]:
    """Everything the schema has to say, step by step."""
    judge = Structure(shape, Validator(language.defs))
    yield from judge.of(language.schema, shape.root, "")
    for step in shape.every:
        yield from _body(step)
        yield from _action(step, language, judge)


def _body(step: StepOutline) -> Iterator[Finding]:
    bodies = [key for key in ("action", "steps") if key in step.node.entries]
    later = [key for key in NOT_YET["Step"] if key in step.node.entries]
    if len(bodies) == 2:
        key = step.node.key("steps") or step.node
        summary, help = (
            "a step is an action or a group, not both",
            "put the action into the group, as its first step",
        )
        yield Finding(Code.STEP_BODY, summary, key.place(step.label), help=help)
    elif not bodies and not later:
        help = "write `action: …`, or `steps: …` for a group"
        summary = "this step does nothing: it has no action and no steps"
        yield Finding(Code.STEP_BODY, summary, step.node.place(step.label), help=help)
    if "action" not in step.node.entries and "with" in step.node.entries and "call" not in step.node.entries:
        key = step.node.key("with") or step.node
        yield Finding(
            Code.UNKNOWN_KEY, "`with` without an action", key.place(step.label), help="a group has no inputs"
        )


def _action(step: StepOutline, language: Language, judge: Structure) -> Iterator[Finding]:
    name, node = step.action, step.node.get("action")
    if node is None:
        return
    if name is None:
        yield Finding(
            Code.WRONG_VALUE,
            f"`action` is {shown(node)}; expected the name of an action",
            node.place(step.label),
        )
    elif name in language.not_yet:
        what = f" ({language.not_yet[name]})" if language.not_yet[name] else ""
        summary = f"the action {name}{what} is not in this version"
        yield Finding(Code.ACTION_NOT_YET, summary, node.place(step.label), help=INSTEAD.get(name, ""))
    elif name not in language.actions:
        help = did_you_mean(name, [*language.actions, *language.not_yet])
        yield Finding(Code.UNKNOWN_ACTION, f"there is no action {name}", node.place(step.label), help=help)
    else:
        given = step.node.get("with")
        if isinstance(given, Mapping):
            yield from judge.of(language.defs[name], given, step.label)
        elif given is None:
            empty = Mapping(node.source, node.line, node.column, node.end_line, node.end_column, {})
            yield from judge.of(language.defs[name], empty, step.label)


@dataclass(frozen=True, slots=True)
class Structure:
    """Turns the problems of a value into findings with places."""

    shape: Outline
    validator: Validator
    labels: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.labels.update({id(step.node): step.label for step in self.shape.every})

    def of(self, schema: object, node: Node, within: str) -> Iterator[Finding]:
        """Hold a node against a schema."""
        assert isinstance(schema, dict)
        wrong: list[Problem] = []
        for problem in self.validator.problems(schema, to_value(node)):
            if problem.kind == "wrong":
                wrong.append(problem)
            else:
                yield self._key(problem, node, within or self._label(problem.path))
        for problem in _one_a_place(wrong):
            yield _wrong(problem, node, within or self._label(problem.path))

    def _label(self, path: Path) -> str:
        """Which step a path from the top stands in."""
        node: Node = self.shape.root
        label = ""
        for part in path:
            node, _ = follow(node, (part,))
            label = self.labels.get(id(node), label)
        if label:
            return label
        return f"in {path[0]}" if len(path) > 1 and path[0] in ("risk", "inputs", "start", "outputs") else ""

    def _key(self, problem: Problem, root: Node, within: str) -> Finding:
        name, holder = str(problem.path[-1]), follow(root, problem.path[:-1])[0]
        if problem.kind == "missing":
            return Finding(
                Code.MISSING_KEY, f"`{name}` is missing", holder.place(within), help=f"add `{name}: …`"
            )
        node, key = follow(root, problem.path)
        place = (key or node).place(within)
        if problem.kind == "later":
            return Finding(
                Code.KEY_NOT_YET, f"`{name}` is not in this version", place, help=_more(problem.sentence)
            )
        if problem.expected:
            return Finding(
                Code.UNKNOWN_KEY,
                f"`{name}` cannot be a key here; expected {either(problem.expected)}",
                place,
            )
        special = prices.unknown_key(name, problem.path, node, place) or _special(problem, name, place)
        if special is not None:
            return special
        help = did_you_mean(name, problem.known, "the keys here are")
        return Finding(Code.UNKNOWN_KEY, f"there is no `{name}` here", place, help=help)


def _more(why: str) -> str:
    return "" if why == "not in this version" else why


def _special(problem: Problem, name: str, place: Place) -> Finding | None:
    if problem.owner == "LastClause" and name == "stop":
        summary = "the playbook's own rescue has no `stop`: it runs before a failed run ends and cannot turn it into success"
        return Finding(
            Code.STOP_IN_LAST_RESCUE,
            summary,
            place,
            help="a `rescue` at the step itself can end the run as done",
        )
    if name == "timeout":
        help = "`within` is a duration (5m), `deadline` a moment (close - 10m)"
        return Finding(Code.UNKNOWN_KEY, "there is no `timeout`", place, help=help)
    return None


# --- wrong values

_FORM_CODES = {"duration": Code.BAD_DURATION, "moment": Code.BAD_MOMENT, "amount": Code.BAD_AMOUNT}


def _one_a_place(problems: Iterable[Problem]) -> list[Problem]:
    kept: dict[Path, Problem] = {}
    for problem in problems:
        kept.setdefault(problem.path, problem)
    return list(kept.values())


def _wrong(problem: Problem, root: Node, within: str) -> Finding:
    node, key = follow(root, problem.path)
    place = node.place(within)
    special = prices.wrong_value(problem.path, node, place)
    if special is not None:
        return special
    about = f"`{key.value}`" if key is not None else "this"
    if problem.sentence:
        code = _FORM_CODES.get(problem.form, Code.WRONG_VALUE)
        if code is Code.WRONG_VALUE and prices.is_policy(problem.path):
            code = Code.PRICE_POLICY
        return Finding(code, problem.sentence if problem.form else f"{about} {problem.sentence}", place)
    wanted = either(problem.expected)
    code = Code.EXPRESSION_WANTED if wanted.startswith("one expression") else Code.WRONG_VALUE
    return Finding(code, f"{about} is {shown(node)}; expected {wanted}", place)


def either(expected: Iterable[str]) -> str:
    """a, b or c."""
    words = list(dict.fromkeys(word for word in expected if word))
    if not words:
        return "something else"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def shown(node: Node) -> str:
    """A value as findings say it."""
    match node:
        case Scalar(value=None):
            return "empty"
        case Scalar(value=bool()):
            return str(node.value).lower()
        case Scalar(value=str()):
            text = node.value if len(node.value) <= 40 else node.value[:39] + "…"
            return f'"{text}"'
        case Scalar():
            return str(node.value)
        case Mapping():
            return "a map"
    return "a list"
