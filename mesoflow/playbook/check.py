"""Check a playbook: read it, hold it against the schema, then the lint. All findings at once, in the order of the lines.

A file may also be a strategy definition (definition/), and a playbook may name one, which is checked with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from mesoflow.findings import Finding
from mesoflow.playbook.definition import recognise
from mesoflow.playbook.definition.used import Used, used
from mesoflow.playbook.language import Language, shipped
from mesoflow.playbook.lint import declarations, prices, risk, rules, sending, structure, unwinding
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.lint.references import References
from mesoflow.playbook.load import Loaded, load, read
from mesoflow.playbook.load_json import load_json, read_json
from mesoflow.playbook.outline import Outline, outline
from mesoflow.playbook.tree import Mapping as MappingNode
from mesoflow.safety.limits import JUDGED, Limits

# After so many a reader has enough to do; the rest is told as a number.
FINDINGS_MAX = 200


@dataclass(slots=True)
class Checked:
    """A playbook with its findings, those about definitions that it uses behind its own. `shape` is there as soon as the
    file is a map that is no strategy definition."""

    loaded: Loaded
    shape: Outline | None
    findings: list[Finding]
    is_definition: bool = False

    @property
    def ok(self) -> bool:
        """Nothing that would keep it from running."""
        return not any(finding.level == "error" for finding in self.findings)


def check_file(
    path: Path,
    shown_as: str | None = None,
    language: Language | None = None,
    ceilings: Limits | None = None,
) -> Checked:
    """Check a file. `ceilings`: those of a policy that it is held against."""
    name = shown_as or str(path)
    loaded = read_json(path, name) if path.suffix == ".json" else read(path, name)
    checked = _checked(loaded, language or shipped(), ceilings)
    if checked.shape is not None:
        for one in used(checked.shape):
            checked.findings += definition_findings(one, path.parent.resolve(), loaded)
    return checked


def check_text(text: str, shown_as: str, language: Language | None = None) -> Checked:
    """Check a text."""
    return _checked(load(text, shown_as), language or shipped())


def checked_json(text: str, shown_as: str, language: Language | None = None) -> Checked:
    """Check a text of JSON: a definition, or a playbook."""
    return _checked(load_json(text, shown_as), language or shipped())


def definition_findings(one: Used, folder: Path, playbook: Loaded) -> list[Finding]:
    """What there is to say of a definition that a playbook in `folder` uses, in the definition's own lines."""
    try:
        loaded = read_json(one.inside(folder), one.shown_as)
    except ValueError as error:
        return with_excerpts([Finding(Code.INPUT_FILE, str(error), one.place)], playbook)
    if loaded.finding is not None and loaded.finding.code == Code.FILE_UNREADABLE:
        summary = f"{one.written}: {loaded.finding.summary}"
        return with_excerpts([Finding(Code.INPUT_FILE, summary, one.place)], playbook)
    return _definition(loaded).findings


def _definition(loaded: Loaded) -> Checked:
    if loaded.finding is not None:
        return Checked(loaded, None, with_excerpts([loaded.finding], loaded), True)
    root = loaded.root
    assert root is not None
    if not isinstance(root, MappingNode) or not recognise.is_definition(root):
        return Checked(loaded, None, with_excerpts([recognise.neither(root)], loaded))
    # Most checks meet no definition, and need nothing of what reads one.
    from mesoflow.playbook.definition.check import findings

    return Checked(loaded, None, with_excerpts(_once(findings(root)), loaded), True)


def _checked(loaded: Loaded, language: Language, ceilings: Limits | None = None) -> Checked:
    if loaded.finding is not None:
        return Checked(loaded, None, with_excerpts([loaded.finding], loaded))
    root = loaded.root
    is_map = isinstance(root, MappingNode)
    if not recognise.is_playbook(root) and (is_map or loaded.source.file.endswith(".json")):
        return _definition(loaded)
    if not isinstance(root, MappingNode):
        place = root.place() if root is not None else None
        assert place is not None
        finding = Finding(
            Code.WRONG_VALUE,
            "a playbook is a map of keys and values",
            place,
            help="it begins with `mesoflow: 1`",
        )
        return Checked(loaded, None, with_excerpts([finding], loaded))
    shape = outline(loaded.source, root)
    found = _once(_all(shape, language, ceilings))
    return Checked(loaded, shape, with_excerpts(found, loaded))


def _all(shape: Outline, language: Language, ceilings: Limits | None) -> Iterable[Finding]:
    yield from prices.walks(shape)
    yield from structure.structure(shape, language)
    yield from References(shape, language).findings()
    yield from declarations.declarations(shape)
    yield from rules.rules(shape, language)
    yield from sending.sending(shape)
    yield from unwinding.unwinding(shape)
    yield from risk.risk(shape, language, JUDGED, ceilings)


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """In the order of the lines; of several about one place and one matter the first."""
    kept: dict[tuple[int, int, str], Finding] = {}
    for finding in islice(findings, 10 * FINDINGS_MAX):
        kept.setdefault((finding.place.line, finding.place.column, _matter(finding)), finding)
    ordered = sorted(
        kept.values(), key=lambda finding: (finding.place.line, finding.place.column, finding.code)
    )
    return ordered[:FINDINGS_MAX]


def _matter(finding: Finding) -> str:
    if finding.code in (Code.NOT_AN_EXPRESSION, Code.EXPRESSION_WANTED):
        return "text"
    # Of a definition all missing fields are told: its author has no template beside it.
    return finding.summary if finding.code == Code.DEFINITION_MISSING else finding.code


def with_excerpts(findings: Iterable[Finding], loaded: Loaded) -> list[Finding]:
    """The findings with the line they are about."""
    source = loaded.source
    return [
        f if f.place.file != source.file else replace(f, excerpt=source.line(f.place.line)) for f in findings
    ]
