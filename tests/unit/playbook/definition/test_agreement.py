"""A definition and the simulator's reading of it: two judges that may not disagree in silence. And what nobody would write.

What each says alone is in test_check.py and in tests/unit/simulator/strategies.
"""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesoflow.findings import Finding
from mesoflow.hubs.script import ITEMS_MAX, LENGTH_MAX, VARIABLES_MAX
from mesoflow.playbook.check import check_file, checked_json
from mesoflow.playbook.compile import load
from mesoflow.playbook.definition import facts
from mesoflow.playbook.definition.expressions import expressions_of
from mesoflow.playbook.definition.outline import Outline
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.load_json import load_json
from mesoflow.playbook.tree import Mapping as MappingNode
from mesoflow.review.render.findings import as_text
from mesoflow.simulator.strategies.definition import read_definition
from mesoflow.simulator.strategies.lua import ExpressionFailed, Lua
from mesoflow.simulator.strategies.reading import DefinitionRefused

ROOT = Path(__file__).resolve().parents[4]
TEMPLATES = sorted((ROOT / "mesoflow" / "data" / "strategies").glob("*.json"))
LUA = Lua(7)


def template(number: int = 103) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / f"mesoflow/data/strategies/{number}.json").read_text("utf-8"))
    return found


def found(value: Any) -> list[Finding]:
    """What check says of a definition."""
    return checked_json(json.dumps(value), "x.json").findings


def errors(value: Any) -> list[Finding]:
    return [finding for finding in found(value) if finding.level == "error"]


def refused(value: Any) -> str:
    """What the simulator says of it; empty where it takes it."""
    try:
        read_definition(json.loads(json.dumps(value), parse_float=Decimal))
    except DefinitionRefused as error:
        return str(error)
    return ""


# --- the two judges ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_of_the_simulator_has_no_errors_and_nothing_that_the_simulator_refuses(path: Path) -> None:
    checked = check_file(path, path.name)
    assert (checked.is_definition, checked.ok) == (True, True), as_text(checked.findings, [path.name])
    assert Code.NOT_SIMULATED not in {finding.code for finding in checked.findings}
    assert refused(json.loads(path.read_text(encoding="utf-8"))) == ""


POOL: tuple[Any, ...] = (
    None, True, 0, -1, 2.5, "", " ", "x", "1", "put", "term", "short_put", "pos_delta", [], ["x"], [None], {}, {"x": 1}, {"Delta": "5"},
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def damaged(value: Any, draw: random.Random) -> tuple[Any, str]:
    """One change somewhere, and which."""
    result = copy.deepcopy(value)
    path = draw.choice(list(places(result)))
    holder = result
    for part in path[:-1]:
        holder = holder[part]
    match draw.choice(("value", "value", "value", "less", "twice", "renamed")):
        case "less":
            del holder[path[-1]]
        case "twice" if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[path[-1]]))
        case "renamed" if isinstance(holder, dict):
            holder[f"{path[-1]}x"] = holder.pop(path[-1])
        case _:
            holder[path[-1]] = copy.deepcopy(draw.choice(POOL))
    return result, f"{path}: {holder.get(path[-1], 'gone') if isinstance(holder, dict) else holder}"


# Where `check` says an error of what the simulator takes: it does not read these fields, or only when it needs them.
STRICTER = frozenset(
    (
        Code.DEFINITION_FIELD, Code.DEFINITION_MISSING, Code.DEFINITION_VALUE, Code.DEFINITION_ONE_OF, Code.DEFINITION_NO_SUCH,
        Code.LUA_SYNTAX, Code.LUA_NAME, Code.LUA_LATER,
    )
)  # fmt: skip


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_what_the_simulator_refuses_is_a_finding(path: Path) -> None:
    """And what it takes is refused only for reasons that are named above."""
    sound, draw = json.loads(path.read_text(encoding="utf-8")), random.Random(path.name)
    both = 0
    for _ in range(400):
        mutant, change = damaged(sound, draw)
        said = refused(mutant)
        findings = found(mutant)
        wrong = [one for one in findings if one.level == "error" or one.code == Code.NOT_SIMULATED]
        if said:
            assert wrong, (change, said)
            both += 1
        else:
            assert {finding.code for finding in wrong} <= {*STRICTER, Code.NOT_SIMULATED}, (change, wrong)
    assert both > 60  # the mutator does damage that the simulator minds


@pytest.mark.parametrize(
    "change",
    [
        {"MesoSimVersion": "2.9"},
        {"MesoSimVersion": "v2"},
        {"MesoSimVersion": "three"},
        {"MesoSimVersion": None},
        {"Symbol": ""},
        {"Structure": []},
        {"Entry": None},
        {"Exit": {"StopLoss": True}},
        {"Adjustment": {"ConditionalAdjustments": {"true": {}}}},
        {"Adjustment": {"ConditionalAdjustments": {"true": {"UpdateVarsAdjustment": {}}}}},
        {"Adjustment": {"ConditionalAdjustments": {"true": {"RemoveLegsAdjustment": {"LegNames": ["nobody"]}}}}},
        {"Adjustment": {"ConditionalAdjustments": {f"true -- {n}": {"UpdateVarsAdjustment": {"VarDefines": {"a": "1"}}} for n in range(ITEMS_MAX + 1)}}},
    ],
    ids=str,
)  # fmt: skip
def test_both_refuse_what_is_broken(change: Mapping[str, Any]) -> None:
    broken = {**template(), **change}
    assert refused(broken)
    assert [one for one in found(broken) if one.level == "error" or one.code == Code.NOT_SIMULATED]


def test_more_variables_than_the_simulator_takes() -> None:
    broken = template()
    broken["Entry"]["VarDefines"] = {f"v{n}": "1" for n in range(VARIABLES_MAX + 1)}
    assert "101 variables" in refused(broken)
    assert [one.summary for one in found(broken) if one.code == Code.NOT_SIMULATED] == [
        "101 of them: the simulator takes 100"
    ]


@pytest.mark.parametrize(
    "text",
    ["1 +", "(1", "1)", "1, 2", "x = 1", "a b", "not", "'open", "1 --[[ open", "!1", "1 && 2", "é", "return 1", "[", "1) + (2",
     "1 + 1", "2 ^ 3 -- eight", "abs(-1) // 2", "1 --[[ in ]] + 1", "1\n+ 1", "'a' == 'b'", "nil", "((((1))))", "-- none", "~1", "...", "[[a]]", "1 .. 2",
     "--[==[ a ]==] 1", "1 -- [[ a"],
)  # fmt: skip
def test_both_parse_the_same_expressions(text: str) -> None:
    changed = template()
    changed["Exit"]["Conditions"] = [text]
    try:
        LUA.value(text, {})
        runs = True
    except ExpressionFailed as error:
        runs = "there is no" in error.reason
    fits = {one.code for one in found(changed)}.isdisjoint((Code.LUA_SYNTAX, Code.NOT_SIMULATED))
    # The simulator wraps a text in parentheses and does not look whether they are still a pair.
    assert fits == (runs and text != "1) + (2")


# --- every expression is read ------------------------------------------------------------------------------------------


def full() -> dict[str, Any]:
    """A definition with every field that is an expression."""
    value = template()
    search = {"Complex": {"Statement": "1", "Target": "1", "Constraints": ["true"]}}
    leg = {"Name": "more", "Qty": "1", "OptionType": "Put", "ExpirationName": "near", "LegGroupId": "1"}
    selectors = [
        {name: "1", "Min": "1", "Max": "1"}
        for name in ("BidPrice", "AskPrice", "MidPrice", "Delta", "StrikePrice")
    ]
    expirations = [{"Name": "near", "DTE": "1", "Min": "1", "Max": "1"}]
    legs = [
        leg | {"Name": f"more{n}", "StrikeSelector": selector}
        for n, selector in enumerate([*selectors, search])
    ]
    value["Structure"] = {"Expirations": expirations, "Legs": legs}
    value["Entry"] |= {
        "Conditions": ["true"],
        "AbortConditions": ["true"],
        "QtyMultiplier": "1",
        "VarDefines": {"a": "1"},
    }
    value["Exit"] |= {"ProfitTarget": "1", "StopLoss": "1", "Conditions": ["true"], "VarDefines": {"b": "1"}}
    variables = {"VarDefines": {"c": "1"}}
    value["Adjustment"]["ConditionalAdjustments"] = {
        "true": {
            "RemoveLegsAdjustment": {"LegNames": ["more1"]} | variables,
            "MoveLegAdjustment": {"LegName": "more1", "StrikeSelector": search, "Expirations": expirations} | variables,
            "AddLegsAdjustment": {"Legs": [leg | {"StrikeSelector": search}], "Expirations": expirations, "AbortConditions": ["true"]} | variables,
            "UpdateVarsAdjustment": variables,
        }
    }  # fmt: skip
    found: dict[str, Any] = json.loads(json.dumps(value))  # without parts that are shared
    return found


def marked(schema: Mapping[str, Any], value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a definition where the schema says that an expression stands."""
    schema = facts.shipped().resolved(schema)
    if "x-expression" in schema:
        yield path
    for key, item in value.items() if isinstance(value, dict) else ():
        below = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
        if isinstance(below, Mapping):
            yield from marked(below, item, (*path, key))
    for index, item in enumerate(value) if isinstance(value, list) else ():
        yield from marked(schema.get("items", {}), item, (*path, index))


def test_every_expression_of_the_schema_is_read() -> None:
    sound = full()
    assert errors(sound) == []
    read = list(marked(facts.shipped().schema, sound))
    seen = {str(path[-1]) for path in read if isinstance(path[-1], str)}
    assert len(read) > 40
    assert seen >= {"DTE", "Qty", "LegGroupId", "Delta", "Statement", "Target", "QtyMultiplier", "StopLoss"}
    for path in read:
        broken = copy.deepcopy(sound)
        holder = broken
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = "1 +"
        assert [one.code for one in errors(broken)] == [Code.LUA_SYNTAX], path


def test_a_key_of_the_adjustments_is_an_expression() -> None:
    broken = full()
    broken["Adjustment"]["ConditionalAdjustments"] = {
        "1 +": {"UpdateVarsAdjustment": {"VarDefines": {"c": "1"}}}
    }
    assert [(one.code, one.place.within) for one in errors(broken)] == [
        (Code.LUA_SYNTAX, "in Adjustment.ConditionalAdjustments[1 +]")
    ]


# --- a playbook's definition -------------------------------------------------------------------------------------------

PLAYBOOK = """\
mesoflow: 1
name: creates
inputs:
  file: {type: string, default: strategies/own.json}
steps:
  - id: make
    action: strategy.create
    with: {definition: FILE}
  - {id: use, action: set, with: {file: "{{ inputs.file }}"}}
"""


def playbook(folder: Path, definition: Any, written: str = "strategies/own.json") -> Path:
    (folder / "strategies").mkdir()
    (folder / "strategies" / "own.json").write_text(json.dumps(definition, indent=1), encoding="utf-8")
    path = folder / "plan.yaml"
    path.write_text(PLAYBOOK.replace("FILE", written), encoding="utf-8")
    return path


def wrong() -> dict[str, Any]:
    value = template()
    value["Exit"] = {"Schedule": None, "StopLos": "5", "ProfitTarget": "1 +"}
    return value


def places_of(findings: list[Finding]) -> list[tuple[str, str, int]]:
    return [(str(one.code), one.place.file, one.place.line) for one in findings if one.level == "error"]


def test_a_definition_that_a_playbook_uses_is_checked_in_its_own_lines(tmp_path: Path) -> None:
    path = playbook(tmp_path, wrong())
    checked = check_file(path, "plans/plan.yaml")
    text = (tmp_path / "strategies" / "own.json").read_text(encoding="utf-8").splitlines()
    found = [one for one in checked.findings if one.level == "error"]
    assert {one.place.file for one in found} == {"plans/strategies/own.json"}
    assert [(str(one.code), text[one.place.line - 1].strip(), one.excerpt.strip()) for one in found] == [
        ("MF163", '"Schedule": null,', '"Schedule": null,'),
        ("MF161", '"StopLos": "5",', '"StopLos": "5",'),
        ("MF171", '"ProfitTarget": "1 +"', '"ProfitTarget": "1 +"'),
    ]
    assert not checked.ok
    assert load(path).program is None


def test_a_definition_whose_path_an_input_gives_is_checked_at_the_start(tmp_path: Path) -> None:
    path = playbook(tmp_path, wrong(), '"{{ inputs.file }}"')
    assert check_file(path).findings == []
    started = load(path)
    assert started.program is None
    assert [code for code, *_ in places_of(started.findings)] == ["MF163", "MF161", "MF171"]


def test_one_that_is_sound_does_not_keep_a_playbook_from_running(tmp_path: Path) -> None:
    started = load(playbook(tmp_path, template()))
    assert started.program is not None
    assert {one.level for one in started.findings} == {"warning"}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("strategies/none.json", "strategies/none.json: cannot read this file: no such file or directory"),
        ("../own.json", "../own.json is outside the playbook's folder"),
        ("/etc/own.json", "/etc/own.json is outside the playbook's folder"),
        ("strategies", "strategies: cannot read this file: is a directory"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_at_the_step(tmp_path: Path, written: str, told: str) -> None:
    checked = check_file(playbook(tmp_path, template(), written), "plan.yaml")
    assert [(one.code, one.summary, one.place.line) for one in checked.findings] == [
        (Code.INPUT_FILE, told, 8)
    ]
    assert checked.findings[0].excerpt == f"    with: {{definition: {written}}}"


def test_a_definition_is_no_playbook_to_run(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps(template()), encoding="utf-8")
    started = load(path)
    assert started.program is None
    assert [one.summary for one in started.findings if one.level == "error"] == [
        "this file is a strategy definition, and not a playbook"
    ]


# --- what nobody would write -------------------------------------------------------------------------------------------


def test_a_file_of_50_mb_is_one_finding_at_once(tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    path.write_bytes(b'{"StrategyName": "' + b"x" * 50_000_000 + b'"}')
    assert as_text(check_file(path, "big.json").findings, ["big.json"]) == (
        "error[MF002]: a file of 50,000,020 bytes is no strategy definition; the limit is 2,097,152\n"
        "  --> big.json\n\n"
        "1 file checked, 1 error\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "1" + " + 1" * 990,
        "(" * 1_900 + "1" + ")" * 1_900,
        "not " * 990 + "true",
        "-" * 3_000 + "1",
        "- " * 1_900 + "1",
        "{" * 1_900,
        "[[" * 1_900,
        "--[[" * 900,
        "'" * 3_001,
        "x." * 1_900 + "x",
        "f(" * 1_000,
        "2^" * 1_900 + "2",
        "1 .. " * 700 + "1",
        "\0",
        "1e99999",
        "x" * LENGTH_MAX,
        "x" * (LENGTH_MAX + 1),
    ],
    ids=lambda text: text[:8],
)
def test_no_expression_is_too_hostile(text: str) -> None:
    changed = template()
    changed["Exit"]["Conditions"] = [text] * 30
    before = time.perf_counter()
    assert len(found(changed)) > 0
    assert time.perf_counter() - before < 10


def test_a_file_full_of_expressions_is_read_in_bounded_time() -> None:
    changed = template()
    changed["Exit"]["Conditions"] = ["pos_delta > 5 and unknown_name < 4 or f(1"] * 40_000
    findings = found(changed)
    assert len(findings) == 200
    assert Code.LUA_SYNTAX in {one.code for one in findings}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12) | st.sampled_from(("1 +", "pos_delta", "term")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.sampled_from(sorted(
        {name for part in facts.shipped().defs.values() for name in part["properties"]} | set(facts.shipped().schema["properties"])
    )), inner, max_size=6),
    max_leaves=40,
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(JSON)
def test_any_json_is_findings_or_nothing(value: Any) -> None:
    for findings in (
        found(value),
        found({"Structure": value, "StrategyName": "x"}),
        found({**template(), "Exit": value}),
    ):
        assert all(isinstance(one, Finding) and one.place.file == "x.json" for one in findings)
        as_text(findings, ["x.json"]).encode()


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_any_text_is_findings_or_a_tree(text: str) -> None:
    loaded = load_json(text, "x.json")
    assert (loaded.root is None) == (loaded.finding is not None)
    as_text([loaded.finding] if loaded.finding else [], ["x.json"]).encode()


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=60) | st.text("()+-*/^<>=~ 019.\"'[]{},:;#%\\ax_andortf\n", max_size=60))
def test_any_expression_is_findings_or_nothing(text: str) -> None:
    changed = template()
    changed["Exit"]["Conditions"] = [text.encode("utf-8", "replace").decode()]
    assert all(one.place.line > 0 for one in found(changed))


# --- start-up ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "loads"), [("plans/quickstart.yaml", False), ("mesoflow/data/strategies/103.json", True)]
)
def test_lua_is_loaded_for_definitions_only(path: str, loads: bool) -> None:
    code = (
        "import sys; from pathlib import Path; from mesoflow.playbook.check import check_file;"
        "check_file(Path(sys.argv[1])); print('lupa' in sys.modules, 'pydantic' in sys.modules, 'mesoflow.hubs.script' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == f"{loads} False {loads}\n"


def test_a_checker_that_reads_no_expressions_would_be_noticed() -> None:
    """The mutant of this file: an outline without an exit reads none of the exit's."""
    loaded = load_json(json.dumps(template() | {"Exit": {"Conditions": ["1 +"]}}), "x.json")
    assert isinstance(loaded.root, MappingNode)
    blind = Outline(loaded.root)
    assert [one.code for one in expressions_of(blind)] == [Code.LUA_SYNTAX]
    blind.exit = None
    assert list(expressions_of(blind)) == []
