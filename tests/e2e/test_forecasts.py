"""Every effect that happened was forecast (the property of previews): whole playbooks, run by the command in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesoflow.actions.catalogue import ACTIONS
from mesoflow.cli.__main__ import main
from mesoflow.engine.action import Action
from mesoflow.engine.effects import Call, Effect, Place
from mesoflow.runtime import machine
from tests.support.drawn_playbooks import CHANGES, drawn
from tests.support.forecasts import Happened, compared, forecast_of, happened_in, otherwise, unforetold

ROOT = Path(__file__).parents[2]
PLAYBOOKS = sorted(
    [*(ROOT / "plans").glob("*.yaml"), *(ROOT / "tests/cases/valid").glob("*.yaml"), *(ROOT / "tests/corpus").glob("*.yaml")]
)  # fmt: skip
# Walks differ from market to market: how often they are taken back, which group fills, what is unwound.
SEEDS = (1, 2)
MARKETS = [(path, seed) for path in PLAYBOOKS for seed in SEEDS if path.stem.startswith(("live", "first"))]

CHANGING = [name for name, action in ACTIONS.items() if action.effect_class not in ("local", "read", "wait")]
# Small playbooks as they are drawn (drawn_playbooks.py).
DRAWN = 24

Play = Callable[..., Happened]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Run a playbook in a home of its own, however it ends: all that it asked for."""

    def run(playbook: Path, *more: str) -> Happened:
        home = tmp_path / "home"
        monkeypatch.setenv("MESOFLOW_HOME", str(home))
        main(["run", str(playbook), *more])
        return happened_in(home)

    return run


def said_otherwise(happened: Happened, playbook: Path) -> list[str]:
    """What was not forecast, or not like that."""
    forecast = forecast_of(playbook)
    return unforetold(happened, forecast) + otherwise(happened, forecast)


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.stem)
def test_of_every_playbook(play: Play, playbook: Path) -> None:
    happened = play(playbook)
    assert happened.lines
    assert said_otherwise(happened, playbook) == []


@pytest.mark.parametrize(("playbook", "seed"), MARKETS, ids=lambda value: getattr(value, "stem", value))
def test_in_other_markets(play: Play, playbook: Path, seed: int) -> None:
    assert said_otherwise(play(playbook, "--seed", str(seed)), playbook) == []


@pytest.mark.parametrize("seed", range(1, DRAWN + 1))
def test_of_drawn_playbooks(play: Play, tmp_path: Path, seed: int) -> None:
    playbook = tmp_path / "drawn.yaml"
    playbook.write_text(drawn(seed))
    happened = play(playbook)
    assert happened.lines
    assert said_otherwise(happened, playbook) == [], playbook.read_text()


def test_of_a_playbook_that_changes_everything_else(play: Play, tmp_path: Path) -> None:
    playbook = tmp_path / "changes.yaml"
    playbook.write_text(CHANGES)
    (tmp_path / "definition.json").write_text((ROOT / "mesoflow/data/strategies/103.json").read_text())
    happened = play(playbook)
    assert said_otherwise(happened, playbook) == []
    changed = [f"{line.path} {line.method or ''}".rstrip() for line in happened.lines if line.ask == "change"]
    assert changed == [
        "made/create CreateStrategy",
        "shelf/create CreateStrategy",
        "renamed/update UpdateStrategy",
        "renamed/rename RenameStrategy",
        "idle/update UpdateStrategy",
        "removed/delete DeleteStrategy",
        "less/start StartPreparePositionAdjustment",
        "enough/set",
    ]


@pytest.mark.parametrize("action", CHANGING)
def test_every_action_that_changes_something_is_in_a_playbook_that_is_played(action: str) -> None:
    texts = [CHANGES, *(path.read_text() for path in PLAYBOOKS), *map(drawn, range(1, DRAWN + 1))]
    assert any(f"action: {action}" in text for text in texts)


def test_what_is_compared_is_not_nothing(play: Play) -> None:
    """All kinds of effect that change something or let time pass occur in the playbooks above, and values that are known."""
    strangle, quickstart = ROOT / "plans/live-like-strangle.yaml", ROOT / "plans/quickstart.yaml"
    happened = play(strangle)
    kinds, values = happened.kinds, compared(happened, forecast_of(strangle))
    happened = play(quickstart)
    assert {"change", "prepare", "trade", "withdraw", "tell", "wait"} <= kinds | happened.kinds
    values |= compared(happened, forecast_of(quickstart))
    assert {
        "method",
        "account",
        "kind",
        "qty_multiplier",
        "broker_account_id",
        "name",
        "title",
    } <= values


# --- mutants: forecasts that say something else than what is done --------------------------------------------------------


def mutant(name: str, change: Callable[[Effect], Effect | None]) -> dict[str, Action]:
    """The catalogue, with a forecast of which an effect is changed, or left out (None)."""
    honest: Any = ACTIONS[name]

    def forecast(ctx: Any, inputs: Any) -> Iterator[Any]:
        body = honest.forecast(ctx, inputs)
        try:
            effect = next(body)
            while True:
                other = change(effect)
                answer = None
                if other is not None:
                    answer = yield other
                effect = body.send(answer)
        except StopIteration as end:
            return end.value

    return {**ACTIONS, name: replace(honest, foretold=forecast)}


def leaves_out(name: str) -> Callable[[Effect], Effect | None]:
    return lambda effect: None if effect.name == name else effect


def other_method(effect: Effect) -> Effect:
    return replace(effect, method="StartPreparePositionExit") if isinstance(effect, Call) else effect


def other_order(effect: Effect) -> Effect:
    if isinstance(effect, Place) and effect.name == "fill":
        return replace(effect, order=replace(effect.order, method="SendOrder"))
    return effect


def other_name(effect: Effect) -> Effect:
    return replace(effect, name="booking") if effect.name == "fill" else effect


@pytest.mark.parametrize(
    ("action", "change", "missed"),
    [
        ("orders.work", leaves_out("fill"), ["buy/fill: trade ApplyPaperFills", "sell/fill: trade ApplyPaperFills"]),
        ("orders.work", other_order, ["buy/fill: trade ApplyPaperFills", "sell/fill: trade ApplyPaperFills"]),
        ("orders.work", other_name, ["buy/fill: trade ApplyPaperFills", "sell/fill: trade ApplyPaperFills"]),
        ("entry.prepare", other_method, ["entry/start: prepare StartPreparePositionEntry"]),
        ("strategy.clone", leaves_out("create"), ["strategy/create: change CreateStrategy"]),
        ("wait.until", leaves_out("sleep"), ["window/sleep: wait"]),
    ],
)  # fmt: skip
def test_a_forecast_that_leaves_out_or_says_something_else_is_noticed(
    play: Play, action: str, change: Callable[[Effect], Effect | None], missed: list[str]
) -> None:
    quickstart = ROOT / "plans/quickstart.yaml"
    assert unforetold(play(quickstart), forecast_of(quickstart, mutant(action, change))) == missed


def other_value(effect: Effect) -> Effect:
    """Knows a value that is none of this run's."""
    if isinstance(effect, Call):
        return replace(effect, args={**effect.args, "broker_account_id": "PAPER-2"})
    if isinstance(effect, Place) and effect.name == "fill":
        return replace(effect, order=replace(effect.order, account="PAPER-2"))
    return effect


@pytest.mark.parametrize(
    ("action", "paths"), [("entry.prepare", ["entry/start"]), ("orders.work", ["buy/fill", "sell/fill"])]
)
def test_a_forecast_that_knows_better_is_noticed(play: Play, action: str, paths: list[str]) -> None:
    quickstart = ROOT / "plans/quickstart.yaml"
    found = otherwise(play(quickstart), forecast_of(quickstart, mutant(action, other_value)))
    assert [line.split(": ")[0] for line in found] == paths
    assert all("was forecast as 'PAPER-2' and is 'PAPER-1'" in line for line in found)


def test_an_action_that_sends_what_it_did_not_forecast_is_noticed(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The action is the mutant, not its forecast: a strategy is renamed on the way, and nobody had said so."""
    honest: Any = ACTIONS["entry.prepare"]

    def body(ctx: Any, inputs: Any) -> Iterator[Any]:
        yield Call("rename", "RenameStrategy", {"strategy_id": 101, "name": "mine now"})
        return (yield from honest.body(ctx, inputs))

    changed = {**ACTIONS, "entry.prepare": replace(honest, body=body)}
    monkeypatch.setattr(machine, "ACTIONS", changed)
    quickstart = ROOT / "plans/quickstart.yaml"
    assert unforetold(play(quickstart), forecast_of(quickstart)) == ["entry/rename: change RenameStrategy"]
