"""The catalogue: whole, explicit, described, and cheap to have."""

import re
import subprocess
import sys
from typing import Any

import pytest

from mesoflow.actions.catalogue import ACTIONS, NOT_IN_THIS_VERSION
from mesoflow.actions.kinds import field_word
from mesoflow.expressions.unknown import Unknown
from mesoflow.hubs.contract import METHODS
from tests.support.acting import foretell

ALL = [
    "account.select", "account.reconcile", "agent.require", "strategy.get", "strategy.clone", "strategy.create",
    "strategy.update", "strategy.delete", "entry.prepare", "exit.prepare", "adjustment.prepare", "orders.work",
    "orders.send", "fills.wait", "hub.read", "orders.cancel", "paper.fill", "position.list", "position.get",
    "position.exit", "position.update_vars", "data.underlying", "session.get", "wait.for", "wait.until", "signal.entry",
    "signal.exit", "signal.adjustment", "ask", "assert", "set", "trading.halt", "notify",
]  # fmt: skip


def test_every_action_is_there_or_refused_by_name() -> None:
    assert sorted([*ACTIONS, *NOT_IN_THIS_VERSION]) == sorted(ALL)


@pytest.mark.parametrize("name", ACTIONS)
def test_a_member_is_described(name: str) -> None:
    member: Any = ACTIONS[name]
    assert member.name == name
    assert member.summary.endswith(".")
    for model in (member.inputs, member.outputs):
        for field, spec in {} if model is None else model.model_fields.items():
            assert spec.description, f"{name}: {field} says nothing"
            assert not field_word(spec).startswith("<"), f"{name}: {field} has no word for its type"
    for field, spec in member.inputs.model_fields.items():
        assert spec.examples, f"{name}: {field} has no example"
        for example in spec.examples:
            if "{{" not in str(example):
                others = (
                    {key: Unknown() for key in _keys(member.inputs)} if member.inputs.model_fields else {}
                )
                member.inputs.forecast_of(others | {spec.alias or field: example})


def _keys(model: Any) -> list[str]:
    return [spec.alias or field for field, spec in model.model_fields.items()]


@pytest.mark.parametrize("name", ACTIONS)
def test_a_member_names_its_errors_and_methods(name: str) -> None:
    member: Any = ACTIONS[name]
    assert all(re.fullmatch(r"[a-z_]+", code) for code in member.errors)
    assert set(member.methods) <= set(METHODS)


@pytest.mark.parametrize("name", ACTIONS)
def test_a_forecast_of_nothing_known_gives_every_output_by_its_type(name: str) -> None:
    member: Any = ACTIONS[name]
    told = foretell(name, {key: Unknown() for key in _keys(member.inputs)})
    assert told.error is None
    fields = {} if member.outputs is None else member.outputs.model_fields
    assert set(told.outputs or {}) == set(fields)
    for field, spec in fields.items():
        value = told.outputs[field]
        assert not isinstance(value, Unknown) or value.type in (field_word(spec), "any"), f"{name}: {field}"


@pytest.mark.parametrize("name", ACTIONS)
def test_what_trades_prepares_or_changes_has_a_forecast_of_its_own(name: str) -> None:
    member: Any = ACTIONS[name]
    if member.effect_class in ("trade", "prepare", "change", "tell", "wait"):
        assert member.foretold is not None


def test_a_look_at_the_catalogue_imports_no_family() -> None:
    code = (
        "import sys; from mesoflow.actions.catalogue import ACTIONS, NOT_IN_THIS_VERSION; list(ACTIONS); "
        "'assert' in ACTIONS; print([n for n in sys.modules if n.startswith('mesoflow.actions.') or n == 'pydantic'])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "['mesoflow.actions.catalogue']"
