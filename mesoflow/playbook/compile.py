"""From a file to a Program: checked, its inputs' values resolved, every file it stands on read and pinned.

What counts for an input, weakest first: default or file, `environments/NAME.yaml`, `--set`. Nothing is read from outside the
playbook's folder. Without errors there is a program; with any there is none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mesoflow.engine.effects import Value
from mesoflow.engine.program import Clause, ForEach, Program, Retry, Step
from mesoflow.expressions.errors import ExpressionError
from mesoflow.expressions.evaluate import evaluate
from mesoflow.findings import Finding, Place
from mesoflow.playbook.check import Checked, check_file, definition_findings, with_excerpts
from mesoflow.playbook.definition.used import Used, named
from mesoflow.playbook.inputs import from_text, typed
from mesoflow.playbook.language import Language, shipped
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.lint.near import did_you_mean
from mesoflow.playbook.lint.risk import unreadable
from mesoflow.playbook.lint.structure import Structure
from mesoflow.playbook.load import read
from mesoflow.playbook.outline import Outline, StepOutline
from mesoflow.playbook.tree import Mapping as MappingNode
from mesoflow.playbook.tree import Node, Scalar, to_value
from mesoflow.playbook.validate import Validator
from mesoflow.safety.limits import Limits

_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(slots=True)
class Compiled:
    """What a start needs. `sources` are the texts of all files, by path as written; the playbook's own is the first.

    `risk` is the risk block with its expressions evaluated; `files` are the sources without the playbook.
    """

    program: Program | None
    findings: list[Finding]
    inputs: dict[str, Value] = field(default_factory=dict)
    risk: dict[str, Value] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, str]:
        """Texts of input files and definitions, by path as written."""
        return dict(list(self.sources.items())[1:])


def load(
    path: str | Path,
    sets: Mapping[str, str] | None = None,
    environment: str | None = None,
    language: Language | None = None,
    ceilings: Limits | None = None,
) -> Compiled:
    """Check a playbook and make a Program of it. Findings are values; nothing is raised for what is in the file. `ceilings`:
    those of a policy that it is held against."""
    where = Path(path)
    checked = check_file(where, str(path), language, ceilings)
    result = Compiled(None, list(checked.findings), sources={where.name: checked.loaded.source.text})
    if checked.shape is None and checked.ok:
        help = "a playbook makes a strategy of it: `action: strategy.create`"
        summary = "this file is a strategy definition, and not a playbook"
        result.findings.append(Finding(Code.NEITHER, summary, Place(str(path)), help=help))
    if checked.shape is None or not checked.ok:
        return result
    folder = _Folder(where.parent.resolve(), result.sources)
    found = list(_resolve(checked.shape, folder, sets or {}, environment, result))
    if not any(finding.level == "error" for finding in found):
        found += _definitions(checked.shape, folder, result, checked)
        found += _risk(checked.shape, language or shipped(), result)
    result.findings += with_excerpts(found, checked.loaded)
    if not any(finding.level == "error" for finding in found):
        result.program = _program(checked, result)
    return result


# --- files


@dataclass(slots=True)
class _Folder:
    """The playbook's folder: the only place files are read from. What is read is kept in `sources`."""

    root: Path
    sources: dict[str, str]

    def value(self, written: str) -> Any:  # noqa: ANN401 - any value of YAML
        """The value in a YAML file; ValueError says what is wrong."""
        loaded = read(self._inside(written), written)
        if loaded.finding is not None:
            place = loaded.finding.place
            raise ValueError(f"{written}{f':{place.line}' if place.line else ''}: {loaded.finding.summary}")
        self.sources[written] = loaded.source.text
        return to_value(loaded.root)

    def text(self, written: str) -> None:
        """Keep the text of a file."""
        loaded = read(self._inside(written), written)
        if loaded.finding is not None and not loaded.source.text:
            raise ValueError(f"{written}: {loaded.finding.summary}")
        self.sources[written] = loaded.source.text

    def _inside(self, written: str) -> Path:
        path = (self.root / written).resolve()
        if Path(written).is_absolute() or not path.is_relative_to(self.root):
            raise ValueError(f"{written} is outside the playbook's folder")
        return path


# --- inputs


def _resolve(
    shape: Outline, folder: _Folder, sets: Mapping[str, str], environment: str | None, result: Compiled
) -> Iterator[Finding]:
    declared = shape.section("inputs")
    for name in sets:
        if name not in declared.entries:
            help = did_you_mean(name, declared.entries, "the inputs are")
            yield Finding(
                Code.INPUT_UNKNOWN,
                f'--set {name}: the playbook has no input "{name}"',
                Place("--set"),
                help=help,
            )
    given: dict[str, Any] = {}
    if environment is not None:
        yield from _environment(environment, declared, folder, given)
    for name, (key, node) in declared.entries.items():
        declaration = to_value(node)
        try:
            result.inputs[name] = _value(name, declaration, sets, given, folder)
        except ValueError as error:
            yield _wrong(name, key, str(error), sets, given, environment)
        except LookupError:
            help = f"--set {name}=…" + (
                f"   ({declaration['description']})" if declaration.get("description") else ""
            )
            place = key.place("in inputs")
            yield Finding(
                Code.INPUT_MISSING, f'the input "{name}" has no default and was not given', place, help=help
            )


def _value(
    name: str,
    declaration: Mapping[str, Any],
    sets: Mapping[str, str],
    given: Mapping[str, Any],
    folder: _Folder,
) -> Value:
    if name in sets:
        return from_text(declaration, sets[name])
    if name in given:
        return typed(declaration, given[name])
    if "file" in declaration:
        return typed(declaration, folder.value(declaration["file"]))
    if "default" in declaration:
        return typed(declaration, declaration["default"])
    raise LookupError(name)


def _wrong(
    name: str,
    key: Scalar,
    sentence: str,
    sets: Mapping[str, str],
    given: Mapping[str, Any],
    environment: str | None,
) -> Finding:
    if name in sets:
        return Finding(Code.INPUT_WRONG, f"--set {name}: {sentence}", Place("--set"))
    if name in given:
        return Finding(Code.INPUT_WRONG, f"{name}: {sentence}", Place(f"environments/{environment}.yaml"))
    return Finding(Code.INPUT_FILE, f'input "{name}": {sentence}', key.place("in inputs"))


def _environment(
    name: str, declared: MappingNode, folder: _Folder, given: dict[str, Any]
) -> Iterator[Finding]:
    written = f"environments/{name}.yaml"
    try:
        if not name or "/" in name or "\\" in name or name.startswith("."):
            raise ValueError(f"{name!r} is no name of an environment")
        values = folder.value(written)
        if not isinstance(values, dict):
            raise ValueError(f"{written} is no map of inputs and values")
    except ValueError as error:
        yield Finding(Code.ENVIRONMENT, str(error), Place(written))
        return
    for key, value in values.items():
        if key in declared.entries:
            given[key] = value
        else:
            summary = f'the playbook has no input "{key}"'
            yield Finding(
                Code.INPUT_UNKNOWN,
                summary,
                Place(written),
                "warning",
                help=did_you_mean(key, declared.entries),
            )


# --- definitions, risk


def _definitions(shape: Outline, folder: _Folder, result: Compiled, checked: Checked) -> list[Finding]:
    """Those whose path is written out were checked with the playbook; the others are known only now."""
    found = []
    for node, place in named(shape):
        try:
            written = str(evaluate(node.value, {"inputs": result.inputs}))
            folder.text(written)
            if written != node.value:
                found += definition_findings(Used(written, place), folder.root, checked.loaded)
        except ExpressionError:
            help = "its path may read inputs only: the file is pinned when the run starts"
            found.append(Finding(Code.INPUT_FILE, "this file is not known before the run", place, help=help))
        except ValueError as error:
            found.append(Finding(Code.INPUT_FILE, str(error), place))
    return found


def _risk(shape: Outline, language: Language, result: Compiled) -> list[Finding]:
    """The rails as they will hold, checked once more now that their inputs are known."""
    section = shape.section("risk")
    if not section.entries:
        return []
    try:
        result.risk = evaluate(to_value(section), {"inputs": result.inputs})
    except ExpressionError as error:
        return [Finding(Code.WRONG_VALUE, str(error), section.place("in risk"))]
    judge = Structure(shape, Validator(language.defs))
    found = list(judge.of(language.defs["Risk"], _with_values(section, result.risk), "in risk"))
    return found or list(unreadable(section, result.risk, Limits.parse, "in risk"))


def _with_values(node: Node, value: Any) -> Node:  # noqa: ANN401
    """A copy of a tree with other values at the same places."""
    if isinstance(node, MappingNode) and isinstance(value, dict):
        entries = {key: (own, _with_values(child, value[key])) for key, (own, child) in node.entries.items()}
        return MappingNode(node.source, node.line, node.column, node.end_line, node.end_column, entries)
    if hasattr(node, "items") and isinstance(value, list):
        items = [_with_values(child, item) for child, item in zip(node.items, value, strict=True)]
        return type(node)(node.source, node.line, node.column, node.end_line, node.end_column, items)  # type: ignore[call-arg]
    return Scalar(node.source, node.line, node.column, node.end_line, node.end_column, value, "")


# --- the program


def _program(checked: Checked, result: Compiled) -> Program:
    shape = checked.shape
    assert shape is not None
    root: dict[str, Any] = to_value(shape.root)
    return Program(
        name=root["name"],
        steps=tuple(_step(step) for step in shape.steps),
        description=root.get("description") or "",
        session=root.get("session") or "cboe-index-options",
        start=_start(shape, root),
        inputs={name: _pinned(item, result.sources) for name, item in (root.get("inputs") or {}).items()},
        risk=root.get("risk") or {},
        rescue=tuple(_clause(clause.node, clause.steps) for clause in shape.last),
        always=tuple(_step(step) for step in shape.always),
        outputs=root.get("outputs") or {},
    )


def _start(shape: Outline, root: Mapping[str, Any]) -> dict[str, Value]:
    """`once_per: session` is the default of every playbook that can send an order."""
    start = dict(root.get("start") or {})
    trades = "risk" in root and any(
        step.action in ("orders.work", "orders.send", "paper.fill") for step in shape.every
    )
    start.setdefault("once_per", "session" if trades else "never")
    return start


def _pinned(declaration: Mapping[str, Any], sources: Mapping[str, str]) -> dict[str, Value]:
    written = declaration.get("file")
    text = sources.get(written) if isinstance(written, str) else None
    return dict(declaration) | (
        {"digest": hashlib.sha256(text.encode()).hexdigest()} if text is not None else {}
    )


def _step(step: StepOutline) -> Step:
    written: dict[str, Any] = to_value(step.node)
    return Step(
        id=step.id,
        action=step.action,
        inputs=written.get("with") or {},
        steps=tuple(_step(inner) for inner in step.steps),
        name=written.get("name"),
        when=_condition(written.get("when")),
        rescue=tuple(_clause(clause.node, clause.steps) for clause in step.clauses),
        for_each=_loop(written.get("for_each")),
        retry=_retry(written.get("retry")),
        outputs=written.get("outputs"),
        line=step.line(),
    )


def _condition(when: str | bool | None) -> str | None:
    return when if when is None or isinstance(when, str) else "{{ true }}" if when else "{{ false }}"


def _loop(loop: Mapping[str, Any] | None) -> ForEach | None:
    if loop is None:
        return None
    return ForEach(
        loop["items"], loop.get("key"), bool(loop.get("keep_going", False)), int(loop.get("at_once", 1))
    )


def _retry(retry: Mapping[str, Any] | None) -> Retry | None:
    if retry is None:
        return None
    wait = retry.get("wait")
    seconds = int(wait[:-1]) * _SECONDS[wait[-1]] if wait else 0
    return Retry(int(retry["attempts"]), tuple(retry["errors"]), seconds)


def _clause(node: MappingNode, steps: list[StepOutline]) -> Clause:
    written: dict[str, Any] = to_value(node)
    errors = () if written["errors"] == "any" else tuple(written["errors"])
    return Clause(errors, tuple(_step(step) for step in steps), written.get("stop"))
