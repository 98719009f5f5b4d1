"""A run held against its preview: what changes the world or lets time pass must have been forecast, by path, kind and method,
and by every value that the forecast knew.

A forecast knows no numbers: its `group-*` is any group, and the second try of a step is the step. What the engine asks for of
its own (`engine/…`) is no step's, and what only looks needs no forecast.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from mesoflow.actions.catalogue import ACTIONS
from mesoflow.cli.commands.run import context_of
from mesoflow.cli.reading import report_of
from mesoflow.engine.action import Action, Context
from mesoflow.engine.effects import Call, Effect, Place, Tell, Withdraw
from mesoflow.engine.paths import is_engine, join
from mesoflow.expressions.unknown import Unknown
from mesoflow.playbook.compile import load
from mesoflow.review.preview import Asked, build_preview
from mesoflow.review.replay import replay
from mesoflow.review.report import EffectLine
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.machine import machine_of
from mesoflow.runtime.programs import program_digest
from mesoflow.runtime.standing import standings

MATTERS = frozenset({"change", "prepare", "trade", "withdraw", "tell", "wait"})
_LATER_TRY = re.compile(r"~[0-9]+$")


@dataclass(frozen=True)
class Forecast:
    """What a preview says might be asked, and by which effects, by path."""

    asks: list[Asked]
    effects: list[tuple[str, Effect]]


@dataclass(frozen=True)
class Happened:
    """What a run asked for, line by line, and by which effects."""

    lines: list[EffectLine]
    effects: list[tuple[str, Effect]]

    @property
    def kinds(self) -> set[str]:
        return {line.ask for line in self.lines}


def forecast_of(playbook: Path, actions: Mapping[str, Action] = ACTIONS) -> Forecast:
    """All that the preview of a playbook says."""
    compiled = load(playbook)
    assert compiled.program is not None, [finding.summary for finding in compiled.findings]
    effects: list[tuple[str, Effect]] = []
    preview = build_preview(
        compiled.program,
        program_digest(compiled.program),
        _Overheard(actions, effects),
        context_of(compiled),
        compiled.inputs,
    )
    return Forecast([ask for step in preview.steps for ask in step.asks], effects)


class _Overheard(Mapping[str, Any]):
    """The actions; what they forecast is noted on its way to the preview."""

    def __init__(self, actions: Mapping[str, Action], effects: list[tuple[str, Effect]]) -> None:
        self._actions, self._effects = actions, effects

    def __getitem__(self, name: str) -> Any:
        action: Any = self._actions[name]

        def forecast(ctx: Context, inputs: Any) -> Iterator[Any]:
            body = action.forecast(ctx, inputs)
            try:
                effect = next(body)
                while True:
                    self._effects.append((join(ctx.step, effect.name), effect))
                    effect = body.send((yield effect))
            except StopIteration as end:
                return end.value

        return replace(action, foretold=forecast)

    def __iter__(self) -> Iterator[str]:
        return iter(self._actions)

    def __len__(self) -> int:
        return len(self._actions)


def happened_in(home: Path) -> Happened:
    """All that the runs of a home have asked for."""
    journal = StateHome.open(home).journal(read_only=True)
    lines: list[EffectLine] = []
    effects: list[tuple[str, Effect]] = []
    try:
        for run in standings(journal, lambda _: False):
            report = report_of(journal, run)
            assert report.differs == ""
            first, *rest = journal.read(run.run_id)
            asked = replay(machine_of(first.body), rest, first.body["at"]).asked
            lines += report.effects
            effects += [(path, effect) for path, (effect, _) in asked.items() if not is_engine(path)]
    finally:
        journal.close()
    return Happened(lines, effects)


# --- by path, kind and method ------------------------------------------------------------------------------------------


def unforetold(happened: Happened, forecast: Forecast) -> list[str]:
    """What happened and was not forecast, a line each."""
    return [
        f"{effect.path}: {effect.ask} {effect.method or ''}".rstrip()
        for effect in happened.lines
        if effect.ask in MATTERS
        and not is_engine(effect.path)
        and not any(_is_forecast(effect, ask) for ask in forecast.asks)
    ]


def _is_forecast(effect: EffectLine, ask: Asked) -> bool:
    return (effect.ask, effect.method) == (ask.ask, ask.method) and _covers(ask.path, effect.path)


def _covers(told: str, path: str) -> bool:
    patterns, parts = told.replace("[", "[[]").split("/"), path.split("/")
    return len(patterns) == len(parts) and all(map(_same, parts, patterns))


def _same(part: str, pattern: str) -> bool:
    return fnmatchcase(part, pattern) or fnmatchcase(_LATER_TRY.sub("", part), pattern)


# --- by value ----------------------------------------------------------------------------------------------------------


def otherwise(happened: Happened, forecast: Forecast) -> list[str]:
    """Values that a forecast knew, and that were others when it happened: a line for each effect that no forecast fits."""
    wrong = []
    for path, effect in happened.effects:
        said = [
            known for told, known in forecast.effects if type(known) is type(effect) and _covers(told, path)
        ]
        differences = [list(_differing(_values(effect), _values(known))) for known in said]
        if differences and all(differences):
            wrong.append(f"{path}: {', '.join(min(differences, key=len))}")
    return wrong


def compared(happened: Happened, forecast: Forecast) -> set[str]:
    """Which values the forecasts knew, and were compared."""
    return {
        name
        for path, effect in happened.effects
        for told, known in forecast.effects
        if type(known) is type(effect) and _covers(told, path)
        for name, value in _values(known).items()
        if _is_known(value) and name in _values(effect)
    }


def _values(effect: Effect) -> dict[str, Any]:
    """What stands in it. A page is titled by what has happened, and a wait ends by the clock of the run."""
    match effect:
        case Call(method=method, args=args) | Withdraw(method=method, args=args):
            return {"method": method, **args}
        case Place(order=order):
            return {"method": order.method, "account": order.account, "kind": order.kind, **order.args}
        case Tell(level="info"):
            return {"to": list(effect.to), "title": effect.title, "body": effect.body}
        case _:
            return {}


def _differing(values: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    for name, said in known.items():
        if name in values and _is_known(said) and said != values[name]:
            yield f"{name} was forecast as {said!r} and is {values[name]!r}"


def _is_known(value: Any) -> bool:
    match value:
        case Unknown():
            return False
        case Mapping():
            return all(map(_is_known, value.values()))
        case list() | tuple():
            return all(map(_is_known, value))
        case _:
            return True
