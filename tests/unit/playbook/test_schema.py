"""The schema: fresh, a schema, and of one mind with the models it comes from and with the checker that reads it.

Parity is a property: playbooks that are right are damaged at random, and a general validator, our own one and the models must
agree about each. A checker of the checkers is below: what they would disagree about is noticed.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel, ValidationError

from mesoflow.actions.catalogue import ACTIONS, NOT_IN_THIS_VERSION
from mesoflow.findings import Finding
from mesoflow.playbook import models, schema, words
from mesoflow.playbook.inputs import TYPES
from mesoflow.playbook.language import from_data, shipped
from mesoflow.playbook.later import NOT_YET
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.lint.prices import walks
from mesoflow.playbook.lint.structure import structure
from mesoflow.playbook.load import load
from mesoflow.playbook.outline import outline
from mesoflow.playbook.tree import Mapping as MappingNode
from mesoflow.playbook.tree import to_value

ROOT = Path(__file__).resolve().parents[3]
SOUND = sorted((ROOT / "tests" / "cases" / "valid").glob("*.yaml")) + sorted((ROOT / "plans").glob("*.yaml"))
SCHEMA = schema.generate()
GENERAL = jsonschema.Draft202012Validator(SCHEMA)


def test_the_generated_files_are_fresh() -> None:
    assert schema.schema_problems(ROOT) == []


def test_a_stale_file_is_noticed(tmp_path: Path) -> None:
    schema.write(tmp_path)
    assert schema.schema_problems(tmp_path) == []
    file = tmp_path / schema.FILE
    file.write_text(file.read_text(encoding="utf-8").replace("lots", "lits", 1), encoding="utf-8")
    assert schema.schema_problems(tmp_path) == [
        "schemas/playbook.schema.json is out of date; run: mesoflow schema"
    ]
    (tmp_path / "mesoflow" / "playbook" / "language.json").unlink()
    assert len(schema.schema_problems(tmp_path)) == 2


def test_it_is_a_schema_with_an_id_and_a_description_of_every_input() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert (SCHEMA["$schema"], SCHEMA["$id"]) == (schema.DIALECT, "urn:mesoflow:schema:playbook:1")
    for name in ACTIONS:
        for field, spec in SCHEMA["$defs"][name].get("properties", {}).items():
            assert "description" in spec, f"{name}: {field}"


def test_what_is_not_in_this_version_is_named() -> None:
    step = SCHEMA["$defs"]["Step"]["properties"]
    assert set(step["action"]["not"]["enum"]) == set(NOT_IN_THIS_VERSION)
    assert set(step["action"]["enum"]) == set(ACTIONS)
    for key in NOT_YET["Step"]:
        assert step[key]["not"] == {}


def test_the_facts_are_those_of_the_catalogue() -> None:
    language = from_data(schema.facts())
    assert language == shipped()
    assert language.actions["orders.work"].effect == "trade"
    assert language.actions["assert"].outputs is None
    assert language.types["ExecPlan"]["legs"] == {"map": "Leg"}
    assert language.types["Greeks"]["theta"] == "value"
    assert set(TYPES) == set(models.InputType.__args__)


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.name)
def test_sound_playbooks_fit(path: Path) -> None:
    value = document(path)
    assert [error.message for error in GENERAL.iter_errors(plain(value))] == []
    assert (ours(value), theirs(value)) == (True, True)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        *((text, "moment") for text in ("open", "15:45", "close - 30m", "next open + 15m", "fri close", "+5 sessions 10:00",
                                        "+1 session open", "2025-01-21 15:45", "today close", "open+15m", "lunch", "25:00",
                                        "open + 15", "tomorrow open", "next", "close - 2 h", "15:45 open", "")),
        *((text, "amount") for text in ("0.30", "2 ticks", "1 tick", "-1 tick", "15% of mid", "5% of strike_width", "1%",
                                        "1% of net_liquidation", "15 % of mid", "ticks", "1e5", "")),
        *((text, "duration") for text in ("30s", "5m", "2h", "1d", "5 m", "-5m", "m", "")),
        *((text, "percent") for text in ("10%", "2.5%", "10", "10 %", "")),
    ],
)  # fmt: skip
def test_the_patterns_say_what_trading_says(text: str, form: str) -> None:
    pattern = {
        "moment": words.MOMENT,
        "amount": words.AMOUNT,
        "duration": words.DURATION,
        "percent": words.PERCENT,
    }[form]
    assert (re.search(pattern, text) is not None) == (words.wrong(form, text) == "")


# --- three judges


def document(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = to_value(load(path.read_text(encoding="utf-8"), path.name).root)
    return value


def plain(value: Any) -> Any:
    """As a JSON reader would have it."""
    match value:
        case Decimal():
            return float(value)
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


def ours(value: Any) -> bool:
    """What `check` says of the structure, without what a schema cannot say."""
    return not [
        finding for finding in found(value) if finding.code != Code.PRICE_POLICY or finding.help == ""
    ]


def found(value: Any) -> list[Finding]:
    loaded = load(json.dumps(plain(value)), "x.yaml")
    assert isinstance(loaded.root, MappingNode)
    shape = outline(loaded.source, loaded.root)
    return [*structure(shape, shipped()), *walks(shape)]


def theirs(value: Any) -> bool:
    """What the models say, and each action's inputs; and the one rule that is no model's: a step has one body."""
    return fits(models.Playbook, value) and all(step_fits(step) for step in every_step(value))


def step_fits(step: Any) -> bool:
    action, has_steps = step.get("action"), "steps" in step
    if ("action" in step) == has_steps:
        return False
    if has_steps:
        return "with" not in step
    return (
        isinstance(action, str) and action in ACTIONS and fits(ACTIONS[action].inputs, step.get("with", {}))
    )


def fits(model: type[BaseModel], value: Any) -> bool:
    try:
        model.model_validate(value, context={"authored": True})
    except ValidationError as error:
        expressions = model is not models.Playbook
        for found in error.errors(include_url=False):
            allowed = expressions or found["loc"][0] == "risk"
            if not (allowed and may_be_later(found)):
                return False
    return True


def may_be_later(error: Any) -> bool:
    """Whether a model only misses what an expression will give."""
    given = error["input"]
    if error["type"] in ("extra_forbidden", "missing"):
        return False
    if isinstance(given, str):
        return "{{" in given
    return error["type"] == "value_error" and "{{" in str(given)


def every_step(value: Any) -> Iterator[Any]:
    match value:
        case dict():
            for key, item in value.items():
                if key in ("steps", "always") and isinstance(item, list):
                    yield from (step for step in item if isinstance(step, dict))
                if key not in ("with", "outputs", "inputs"):
                    yield from every_step(item)
        case list():
            for item in value:
                yield from every_step(item)


# --- the mutator

POOL: tuple[Any, ...] = (
    None, True, 0, 1, -1, 7, "x", "", "any", "unlimited", "5m", "close - 30m", "{{ inputs.x }}", "a {{ 1 }}", [], ["x"], {},
    {"x": 1}, [1], "mid", "15% of mid",
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def damaged(value: Any, draw: random.Random) -> Any:
    """One change somewhere: another value, a key less, a key more, a key renamed."""
    result = copy.deepcopy(value)
    path = draw.choice(list(places(result)))
    holder = result
    for part in path[:-1]:
        holder = holder[part]
    match draw.choice(("value", "value", "value", "less", "more", "renamed")):
        case "less":
            del holder[path[-1]]
        case "more" if isinstance(holder, dict):
            holder[draw.choice(("extra", "step", "within", "with", "steps", "when", "repeat", "stop"))] = (
                draw.choice(POOL)
            )
        case "renamed" if isinstance(holder, dict):
            holder[f"{path[-1]}x"] = holder.pop(path[-1])
        case _:
            holder[path[-1]] = copy.deepcopy(draw.choice(POOL))
    return result


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.name)
def test_all_judges_agree_about_damaged_playbooks(path: Path) -> None:
    sound, draw = document(path), random.Random(path.name)
    refused = 0
    for _ in range(250):
        mutant = damaged(sound, draw)
        verdicts = (GENERAL.is_valid(plain(mutant)), ours(mutant))
        assert verdicts[0] == verdicts[1], (verdicts, difference(sound, mutant))
        # In a price the schema is stricter than the models: nothing is written there and empty.
        # What a model says around a new expression says nothing: it does not know what the expression will give.
        change = difference(sound, mutant)
        if "{{" not in change.rpartition(" -> ")[2] and not (
            "/price" in change and change.endswith("-> None")
        ):
            assert theirs(mutant) == (found(mutant) == []), (found(mutant), difference(sound, mutant))
        refused += not verdicts[1]
    assert refused > 70  # the mutator does damage


def difference(before: Any, after: Any, path: str = "") -> str:
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        return "".join(difference(before[key], after[key], f"{path}/{key}") for key in before)
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return "".join(
            difference(b, a, f"{path}/{i}") for i, (b, a) in enumerate(zip(before, after, strict=True))
        )
    return "" if before == after else f"{path}: {str(before)[:120]} -> {str(after)[:120]}"


def test_a_judge_that_forgets_a_rule_is_noticed() -> None:
    forgetful = copy.deepcopy(SCHEMA)
    del forgetful["$defs"]["Retry"]["properties"]["attempts"]["minimum"]
    lax = jsonschema.Draft202012Validator(forgetful)
    value: Mapping[str, Any] = {
        "mesoflow": 1, "name": "x",
        "steps": [{"id": "a", "action": "agent.require", "retry": {"attempts": 0, "errors": ["agent_stale"]}}],
    }  # fmt: skip
    assert (lax.is_valid(value), ours(value), theirs(value)) == (True, False, False)
