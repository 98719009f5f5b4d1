"""A run held against its preview: what changes the world or lets time pass must have been forecast, by path, kind and method.

A forecast knows no numbers: its `group-*` is any group, and the second try of a step is the step. What the engine asks for of
its own (`engine/…`) is no step's, and what only looks needs no forecast.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from mesoflow.actions.catalogue import ACTIONS
from mesoflow.cli.commands.run import context_of
from mesoflow.cli.reading import report_of
from mesoflow.engine.action import Action
from mesoflow.engine.paths import is_engine
from mesoflow.playbook.compile import load
from mesoflow.review.preview import Asked, build_preview
from mesoflow.review.report import EffectLine
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.programs import program_digest
from mesoflow.runtime.standing import standings

MATTERS = frozenset({"change", "prepare", "trade", "withdraw", "tell", "wait"})
_LATER_TRY = re.compile(r"~[0-9]+$")


def forecast_of(playbook: Path, actions: Mapping[str, Action] = ACTIONS) -> list[Asked]:
    """All that the preview of a playbook says might be asked."""
    compiled = load(playbook)
    assert compiled.program is not None, compiled.findings
    digest = program_digest(compiled.program)
    preview = build_preview(compiled.program, digest, actions, context_of(compiled), compiled.inputs)
    return [ask for step in preview.steps for ask in step.asks]


def happened_in(home: Path) -> list[EffectLine]:
    """All that the runs of a home have asked for."""
    journal = StateHome.open(home).journal(read_only=True)
    try:
        reports = [report_of(journal, run) for run in standings(journal, lambda _: False)]
    finally:
        journal.close()
    assert [report.differs for report in reports] == [""] * len(reports)
    return [effect for report in reports for effect in report.effects]


def unforetold(happened: Iterable[EffectLine], forecast: Iterable[Asked]) -> list[str]:
    """What happened and was not forecast, a line each."""
    told = list(forecast)
    return [
        f"{effect.path}: {effect.ask} {effect.method or ''}".rstrip()
        for effect in happened
        if effect.ask in MATTERS
        and not is_engine(effect.path)
        and not any(_is_forecast(effect, ask) for ask in told)
    ]


def _is_forecast(effect: EffectLine, ask: Asked) -> bool:
    return (effect.ask, effect.method) == (ask.ask, ask.method) and _covers(ask.path, effect.path)


def _covers(told: str, path: str) -> bool:
    patterns, parts = told.replace("[", "[[]").split("/"), path.split("/")
    return len(patterns) == len(parts) and all(map(_same, parts, patterns))


def _same(part: str, pattern: str) -> bool:
    return fnmatchcase(part, pattern) or fnmatchcase(_LATER_TRY.sub("", part), pattern)
