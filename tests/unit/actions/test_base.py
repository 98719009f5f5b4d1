"""What an action is: strict inputs, inputs with unknowns, forecasts, and no effect in a `finally`."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, ValidationError

from mesoflow.actions.base import Acting, Inputs, Outputs, account_of, action
from mesoflow.actions.hub import call
from mesoflow.actions.strategies import CloneOrder
from mesoflow.engine.action import Context
from mesoflow.engine.errors import StepError
from mesoflow.expressions.unknown import Unknown
from tests.support.acting import Script, act, context, foretell

SOURCES = sorted(Path(__file__).parents[3].joinpath("mesoflow/actions").glob("*.py"))


class Named(Inputs):
    value: int = Field(description="the value", examples=[3])


class Given(Outputs):
    given: int = Field(description="the same value")


@action("value.give", "local", inputs=Named, outputs=Given)
def value_give(ctx: Context, inputs: Named) -> Acting[Given]:
    """Give a value
    back."""
    return Given(given=inputs.value)
    yield


@action("strategy.drop", "change", inputs=Named)
def secretive(ctx: Context, inputs: Named) -> Acting[None]:
    """Changes something and does not foretell it."""
    yield from call("delete", "DeleteStrategy", {"strategy_id": inputs.value})


def test_the_recipes_example() -> None:
    assert (value_give.summary, act(value_give, {"value": 3}).outputs) == ("Give a value back.", {"given": 3})
    assert foretell(value_give, {"value": 3}).outputs == {"given": Unknown("integer", 'step "step"')}


def test_the_driver_catches_what_was_not_foretold() -> None:
    with pytest.raises(AssertionError, match="had not foretold: \\['delete: DeleteStrategy'\\]"):
        act(secretive, {"value": 3}, Script().answers("DeleteStrategy", {}))


@pytest.mark.parametrize(
    "values", [{"value": "3"}, {"value": True}, {"value": 3, "other": 1}, {}, {"value": None}]
)
def test_inputs_are_strict(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Named.model_validate(values)


def test_inputs_with_unknowns_check_what_is_known() -> None:
    template = Unknown("string", 'step "x"')
    inputs = CloneOrder.forecast_of({"from": template, "name": "copy"})
    assert (inputs.template, inputs.name, inputs.active_on, inputs.if_exists) == (
        template,
        "copy",
        [],
        "reuse",
    )
    for wrong in ({"name": 3}, {"name": "copy", "nothing": 1}):
        with pytest.raises(ValidationError):
            CloneOrder.forecast_of({"from": template} | wrong)


def test_the_account_of_a_step() -> None:
    assert account_of(context(), None) == "PAPER-1"
    assert account_of(context(), "IB-1") == "IB-1"
    with pytest.raises(StepError, match="bad_value: broker_account_id is needed"):
        account_of(context(account=None), None)


# --- no effect where a dropped generator would run it ------------------------------------------------------------------


def effects_in_endings(source: str) -> list[int]:
    """Lines of every yield in a `finally`, or in a handler that takes GeneratorExit: a parked run drops its generators."""
    return sorted(
        node.lineno
        for ending in _endings(ast.parse(source))
        for statement in ending
        for node in ast.walk(statement)
        if isinstance(node, ast.Yield | ast.YieldFrom)
    )


def _endings(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            yield node.finalbody
            for handler in node.handlers:
                if handler.type is None or _names(handler.type) & {"BaseException", "GeneratorExit"}:
                    yield handler.body


def _names(node: ast.expr) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_effect_stands_where_a_dropped_generator_runs_it(path: Path) -> None:
    assert effects_in_endings(path.read_text()) == []


@pytest.mark.parametrize(
    ("ending", "lines"),
    [
        ("    finally:\n        yield 2", [5]),
        ("    except BaseException:\n        yield from x()", [5]),
        ("    except (ValueError, GeneratorExit):\n        yield 2", [5]),
        ("    except:\n        yield 2", [5]),
        ("    except Cancelled:\n        yield 2", []),
        ("    finally:\n        x()", []),
    ],
)
def test_the_search_finds_what_it_looks_for(ending: str, lines: list[int]) -> None:
    assert effects_in_endings(f"def f():\n    try:\n        yield 1\n{ending}\n") == lines
