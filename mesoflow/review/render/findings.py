"""Findings as text and as JSON. First the summary, then the place with its line, then the values, then what to do.

Nothing to report is reported, too. The text is a function of the same data as the JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from mesoflow.findings import Finding, Place

FORMAT_VERSION = 1
# A line of a playbook that is longer than this is cut around what is underlined.
LINE_MAX = 140


def as_text(findings: Sequence[Finding], checked: Iterable[str]) -> str:
    """What a person reads. `checked`: the files that were looked at, those without findings included."""
    return "\n".join([*(_finding(finding) for finding in findings), _total(findings, list(checked))]) + "\n"


def as_json(findings: Sequence[Finding], checked: Iterable[str]) -> str:
    """What a program reads: {format_version, checked, errors, warnings, findings}."""
    errors = sum(finding.level == "error" for finding in findings)
    report = {
        "format_version": FORMAT_VERSION,
        "checked": list(checked),
        "errors": errors,
        "warnings": len(findings) - errors,
        "findings": [_data(finding) for finding in findings],
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


# --- text


def _finding(finding: Finding) -> str:
    lines = [f"{finding.level}[{finding.code}]: {finding.summary}", f"  --> {_where(finding.place)}"]
    if finding.place.line and finding.excerpt:
        lines += _excerpt(finding.place, finding.excerpt)
    lines += [f"  {place.line:>3} | {text}" if place.line else f"  {text}" for place, text in finding.related]
    lines += [f"  {line}" for line in finding.detail]
    if finding.help:
        first, *rest = finding.help.split("\n")
        lines += [f"  help: {first}", *(f"        {line}" for line in rest)]
    return "\n".join(lines) + "\n"


def _where(place: Place) -> str:
    position = f":{place.line}:{place.column}" if place.line else ""
    within = place.within if not place.within or place.within.startswith("in ") else f"in {place.within}"
    return f"{place.file}{position}{', ' if within else ''}{within}"


def _excerpt(place: Place, line: str) -> list[str]:
    start = max(place.column - 1, 0)
    width = max(1, min(place.width, len(line) - start))
    # A tab is as wide as it is written, so that the marks stand below what they mark.
    line = line.replace("\t", " ")
    if len(line) > LINE_MAX:
        cut = max(0, min(start - LINE_MAX // 3, len(line) - LINE_MAX))
        line, start = (
            ("…" if cut else "") + line[cut : cut + LINE_MAX] + ("…" if cut + LINE_MAX < len(line) else ""),
            start - cut + (1 if cut else 0),
        )
        width = min(width, max(len(line) - start, 1))
    return [f"  {place.line:>3} | {line}", f"      | {' ' * start}{'^' * width}"]


def _total(findings: Sequence[Finding], checked: list[str]) -> str:
    noun = "file" if any(name.endswith(".json") for name in checked) else "playbook"
    files = f"1 {noun}" if len(checked) == 1 else f"{len(checked)} {noun}s"
    if not findings:
        return f"{files} checked, nothing to report"
    errors = sum(finding.level == "error" for finding in findings)
    counts = [_count(errors, "error"), _count(len(findings) - errors, "warning")]
    return f"{files} checked, {' and '.join(count for count in counts if count)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}" if number else ""


# --- data


def _data(finding: Finding) -> Mapping[str, object]:
    return {
        "code": str(finding.code),
        "level": finding.level,
        "summary": finding.summary,
        "place": _place(finding.place),
        "excerpt": finding.excerpt,
        "detail": list(finding.detail),
        "related": [{"place": _place(place), "text": text} for place, text in finding.related],
        "help": finding.help,
    }


def _place(place: Place) -> Mapping[str, object]:
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "width": place.width,
        "within": place.within,
    }
