"""Findings about expressions: syntax, what is hostile or endless, and everything they read (steps, inputs, loop, error)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from mesoflow.expressions.analyse import Reference, references
from mesoflow.expressions.errors import ExpressionError
from mesoflow.expressions.evaluate import evaluate
from mesoflow.expressions.unknown import Unknown
from mesoflow.findings import Finding, Place
from mesoflow.playbook.language import Language
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.lint.near import did_you_mean, near
from mesoflow.playbook.lint.outputs import no_such_output
from mesoflow.playbook.lint.reach import Reached, Reader, reached
from mesoflow.playbook.outline import Outline, StepOutline
from mesoflow.playbook.tree import Mapping as MappingNode
from mesoflow.playbook.tree import Node, Scalar, texts

Related: TypeAlias = tuple[tuple[Place, str], ...]

RUN_FIELDS = ("id", "playbook", "session_date")
LOOP_FIELDS = ("item", "key", "index")
ERROR_FIELDS = ("code", "summary", "step", "details", "retryable")
_UNKNOWN = {name: Unknown() for name in ("inputs", "steps", "run", "loop", "error")}


@dataclass(slots=True)
class References:
    """The checker of one playbook's expressions. Collects which inputs are read on the way."""

    shape: Outline
    language: Language
    read: set[str] = field(default_factory=set)

    def findings(self) -> Iterator[Finding]:
        """All of them, in the order of the document's sections."""
        for step in self.shape.every:
            yield from self._step(step)
        for text in texts(self.shape.root.get("outputs")):
            yield from self._text(text, Reader(None), "in outputs")
        for key in ("risk", "start"):
            for text in texts(self.shape.root.get(key)):
                yield from self._risk(text, key)
        yield from self._unused()

    def _step(self, step: StepOutline) -> Iterator[Finding]:
        for part in ("when", "with", "outputs"):
            for text in texts(step.node.get(part)):
                yield from self._text(text, Reader(step, part), step.label)
        if step.for_each is not None:
            for part, (_, node) in step.for_each.entries.items():
                for text in texts(node):
                    yield from self._text(text, Reader(step, f"for_each.{part}"), step.label)
        if step.when is not None:
            yield from self._condition(step.when, step.label)
        for check in self._checks(step):
            yield from self._condition(check, step.label)

    def _checks(self, step: StepOutline) -> Iterator[Scalar]:
        """The conditions of an assert."""
        checks = step.inputs.get("all") if step.action == "assert" and step.inputs is not None else None
        for check in getattr(checks, "items", []):
            that = check.get("that") if isinstance(check, MappingNode) else None
            if isinstance(that, Scalar):
                yield that

    def _condition(self, node: Scalar, within: str) -> Iterator[Finding]:
        """A condition that can already be seen to be no condition."""
        if not isinstance(node.value, str) or "{{" not in node.value:
            return
        try:
            value = evaluate(node.value, _UNKNOWN)
        except ExpressionError:
            return
        kind = value.type if isinstance(value, Unknown) else type(value).__name__
        if kind not in ("boolean", "any", "bool"):
            words = {
                "str": "text",
                "string": "text",
                "Decimal": "a number",
                "int": "a number",
                "decimal": "a number",
            }
            summary = f"a condition must be true or false, and this is {words.get(kind, kind)}"
            yield Finding(Code.NEVER_TRUE_OR_FALSE, summary, node.place(within))

    # --- one text

    def _text(self, node: Scalar, reader: Reader, within: str) -> Iterator[Finding]:
        found = self._parsed(node, within)
        if isinstance(found, Finding):
            yield found
            return
        around = reader.known()
        for reference in found:
            place = node.place_at(reference.position, reference.length, within)
            yield from self._reference(reference, reader, place, around)

    def _parsed(self, node: Scalar, within: str) -> list[Reference] | Finding:
        """The references of a text, or what is wrong with it: its syntax, or a part that nothing could make right."""
        try:
            found = references(node.value)
            if "{{" in node.value:
                evaluate(node.value, _UNKNOWN)
        except ExpressionError as error:
            return Finding(Code.NOT_AN_EXPRESSION, error.summary, node.place_at(error.position, 1, within))
        return found

    def _risk(self, node: Scalar, key: str) -> Iterator[Finding]:
        found = self._parsed(node, f"in {key}")
        if isinstance(found, Finding):
            yield found
            return
        for reference in found:
            place = node.place_at(reference.position, reference.length, f"in {key}")
            if reference.path[0] == "inputs":
                yield from self._input(reference, place)
            else:
                summary = f"{key} can read inputs only: it holds before the first step"
                yield Finding(Code.RISK_READS_STEPS, summary, place)

    def _reference(
        self, reference: Reference, reader: Reader, place: Place, around: frozenset[tuple[str, str]]
    ) -> Iterator[Finding]:
        match reference.path[0]:
            case "inputs":
                yield from self._input(reference, place)
            case "steps":
                yield from self._of_step(reference, reader, place, around)
            case "run":
                yield from self._fixed(reference, place, RUN_FIELDS)
            case "loop":
                if not _in_loop(reader):
                    help = "loop.item, loop.key and loop.index are known inside for_each"
                    yield Finding(
                        Code.NAME_NOT_HERE, "`loop` is not known here: no loop around it", place, help=help
                    )
                else:
                    yield from self._fixed(reference, place, LOOP_FIELDS)
            case "error":
                if not _in_rescue(reader):
                    yield Finding(Code.NAME_NOT_HERE, "`error` is not known here: it is no rescue", place)
                else:
                    yield from self._fixed(reference, place, ERROR_FIELDS)

    def _fixed(self, reference: Reference, place: Place, known: tuple[str, ...]) -> Iterator[Finding]:
        name = reference.path[0]
        if len(reference.path) < 2:
            summary = f"`{name}` is no value by itself"
            yield Finding(
                Code.UNKNOWN_OUTPUT,
                summary,
                place,
                help=f"there is {', '.join(f'{name}.{part}' for part in known)}",
            )
        elif reference.path[1] not in known:
            part = str(reference.path[1])
            yield Finding(
                Code.UNKNOWN_OUTPUT, f"{name} has no `{part}`", place, help=did_you_mean(part, known)
            )

    # --- inputs

    def _input(self, reference: Reference, place: Place) -> Iterator[Finding]:
        declared = self.shape.section("inputs")
        if len(reference.path) < 2:
            self.read.update(declared.entries)
            return
        name = str(reference.path[1])
        self.read.add(name)
        if name not in declared.entries:
            help = self._with_lines(name, {key: node.line + 1 for key, (node, _) in declared.entries.items()})
            yield Finding(
                Code.UNKNOWN_INPUT,
                f'no input is called "{name}"',
                place,
                help=help or "declare it under `inputs:`",
            )

    def _with_lines(self, name: str, lines: Mapping[str, int]) -> str:
        found = near(name, lines)
        return (
            "did you mean " + " or ".join(f'"{other}" (line {lines[other]})' for other in found) + "?"
            if found
            else ""
        )

    def _unused(self) -> Iterator[Finding]:
        for name, (key, _) in self.shape.section("inputs").entries.items():
            if name not in self.read:
                help = "remove it, or read it: {{ inputs." + name + " }}"
                yield Finding(
                    Code.UNUSED_INPUT,
                    f'nothing reads the input "{name}"',
                    key.place("in inputs"),
                    "warning",
                    help=help,
                )

    # --- steps

    def _of_step(
        self, reference: Reference, reader: Reader, place: Place, around: frozenset[tuple[str, str]]
    ) -> Iterator[Finding]:
        if len(reference.path) < 2:
            yield Finding(Code.UNKNOWN_STEP, "`steps` is no value by itself", place, help="write steps.ID")
            return
        name = str(reference.path[1])
        target = self.shape.ids.get(name)
        if target is None:
            lines = {key: step.line() for key, step in self.shape.ids.items()}
            help = self._with_lines(name, lines) or did_you_mean(name, lines, "the steps are")
            yield Finding(Code.UNKNOWN_STEP, f'no step is called "{name}"', place, help=help)
            return
        verdict = reached(target, reader, around | reference.known)
        finding = self._verdict(verdict, reference, target, reader, place)
        if finding is not None:
            yield finding
            return
        wrong = None if reference.asks else no_such_output(target, reference.path, self.language)
        if wrong is not None:
            yield self._no_output(wrong.index, wrong.known, wrong.of, reference, target, place)

    def _verdict(
        self, verdict: Reached, reference: Reference, target: StepOutline, reader: Reader, place: Place
    ) -> Finding | None:
        name = target.id
        match verdict.verdict:
            case "later":
                related: Related = ((target.node.place(), f'step "{name}" comes here'),)
                summary = f'step "{name}" comes later: it has not run when this is read'
                return Finding(
                    Code.LATER_STEP,
                    summary,
                    place,
                    related=related,
                    help="read an earlier step, or move this one behind it",
                )
            case "itself":
                summary = f'step "{name}" reads itself: what it gives is not there yet'
                return Finding(Code.LATER_STEP, summary, place, help="read an earlier step")
            case "hidden":
                related = ((verdict.because.place(), verdict.note),) if verdict.because else ()
                summary = f'step "{name}" is inside a loop and cannot be seen from outside'
                return Finding(
                    Code.HIDDEN_STEP,
                    summary,
                    place,
                    related=related,
                    help="hand values out with `outputs:` of the loop; outside they are steps.LOOP.results",
                )
            case "elsewhere":
                summary = f'step "{name}" runs only when the run ends, and cannot be seen here'
                return Finding(Code.HIDDEN_STEP, summary, place)
            case "maybe" if not reference.guarded:
                return self._may_not_have_run(verdict, reference, name, place)
        return None

    def _may_not_have_run(self, verdict: Reached, reference: Reference, name: str, place: Place) -> Finding:
        path = ".".join(str(part) for part in reference.path)
        what = f"no `{reference.path[2]}`" if len(reference.path) > 2 else "nothing to read"
        related = (
            ((verdict.because.place(), self._shown(verdict.because, verdict.note)),)
            if verdict.because
            else ()
        )
        return Finding(
            Code.MAY_NOT_HAVE_RUN, f'step "{name}" may not have run, so there may be {what}', place, related=related,
            help=f'say what the value is otherwise: "{{{{ {path} | default(0) }}}}", or\n'
                 f'"{{{{ {path} if steps.{name} is done else … }}}}"',
        )  # fmt: skip

    def _shown(self, node: Node, note: str) -> str:
        return f"{self.shape.source.line(node.line + 1)}          {note}"

    def _no_output(
        self,
        index: int,
        known: tuple[str, ...],
        of: str,
        reference: Reference,
        target: StepOutline,
        place: Place,
    ) -> Finding:
        part = str(reference.path[index])
        before = ".".join(str(piece) for piece in reference.path[1:index])
        shown = f'step "{target.id}"' if index == 2 else f"`{before}`"
        help = did_you_mean(part, known) if known else ""
        if not known and target.action is None and index == 2:
            help = "a group gives only what its `outputs:` name"
        return Finding(Code.UNKNOWN_OUTPUT, f"{shown} ({of}) has no `{part}`", place, help=help)


def _in_loop(reader: Reader) -> bool:
    steps = list(reader.step.ancestors()) if reader.step else []
    if not steps:
        return False
    own = steps[0]
    # `items`, `when` and the outputs of a plain step are read outside; the rest of a looping step belongs to each item.
    inside_own = own.for_each is not None and reader.part not in ("for_each.items", "when")
    return inside_own or any(
        outer.for_each is not None and inner.slot == "body" for inner, outer in pairwise(steps)
    )


def _in_rescue(reader: Reader) -> bool:
    return any(step.slot in ("rescue", "last") for step in (reader.step.ancestors() if reader.step else ()))
