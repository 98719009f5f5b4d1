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
from mesoflow.review.report import EffectLine
from tests.support.forecasts import forecast_of, happened_in, unforetold

ROOT = Path(__file__).parents[2]
PLAYBOOKS = sorted(
    [*(ROOT / "plans").glob("*.yaml"), *(ROOT / "tests/cases/valid").glob("*.yaml"), *(ROOT / "tests/corpus").glob("*.yaml")]
)  # fmt: skip
# Walks differ from market to market: how often they are taken back, which group fills, what is unwound.
SEEDS = (1, 2)
MARKETS = [(path, seed) for path in PLAYBOOKS for seed in SEEDS if path.stem.startswith(("live", "first"))]

Play = Callable[..., list[EffectLine]]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Run a playbook in a home of its own, however it ends: all that it asked for."""

    def run(playbook: Path, *more: str) -> list[EffectLine]:
        home = tmp_path / "home"
        monkeypatch.setenv("MESOFLOW_HOME", str(home))
        main(["run", str(playbook), *more])
        return happened_in(home)

    return run


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.stem)
def test_of_every_playbook(play: Play, playbook: Path) -> None:
    happened = play(playbook)
    assert happened
    assert unforetold(happened, forecast_of(playbook)) == []


@pytest.mark.parametrize(("playbook", "seed"), MARKETS, ids=lambda value: getattr(value, "stem", value))
def test_in_other_markets(play: Play, playbook: Path, seed: int) -> None:
    assert unforetold(play(playbook, "--seed", str(seed)), forecast_of(playbook)) == []


def test_what_is_compared_is_not_nothing(play: Play) -> None:
    """All kinds of effect that change something or let time pass occur in the playbooks above."""
    happened = play(ROOT / "plans/live-like-strangle.yaml") + play(ROOT / "plans/quickstart.yaml")
    assert {"change", "prepare", "trade", "withdraw", "tell", "wait"} <= {effect.ask for effect in happened}


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
