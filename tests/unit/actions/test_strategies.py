"""strategy.get, .clone, .create, .update, .delete: what is read first, what is sent, and what is never overwritten."""

import json
from typing import Any

import pytest

from mesoflow.actions.definitions import definition_digest
from tests.support.acting import Acted, Script, act, context, foretell
from tests.support.answers import DEFINITION, strategies, strategy

TEMPLATE = strategy()
COPY = strategy(201, "campaign", active_on_accounts=["PAPER-1"])
OTHER = {**DEFINITION, "Symbol": "XSP"}
DIGEST = definition_digest(DEFINITION)
CLONE = {"from": "SPX put calendar 30/60", "name": "campaign", "active_on": ["PAPER-1"]}


def got(row: dict[str, Any]) -> dict[str, Any]:
    return {"strategy": row}


def listed(*rows: dict[str, Any]) -> Script:
    return Script().answers("ListStrategies", strategies(*rows))


# --- get ---------------------------------------------------------------------------------------------------------------


def test_a_strategy_by_id_is_one_read() -> None:
    acted = act("strategy.get", {"strategy": 101}, Script().answers("GetStrategy", got(TEMPLATE)))
    assert acted.asked == ["strategy: GetStrategy"]
    assert acted.outputs == {
        "strategy_id": 101,
        "name": "SPX put calendar 30/60",
        "digest": DIGEST,
        "symbol": "SPX",
        "active_on": [],
    }


def test_a_strategy_by_name_is_looked_for_on_every_page() -> None:
    script = Script().answers("ListStrategies", strategies(TEMPLATE, token="more"), strategies(COPY))
    acted = act("strategy.get", {"strategy": "campaign"}, script.answers("GetStrategy", got(COPY)))
    assert acted.asked == [
        "strategies: ListStrategies",
        "strategies/page-2: ListStrategies",
        "strategy: GetStrategy",
    ]
    assert acted.effect("strategies/page-2").args == {"limit": 50, "continuation_token": "more"}
    assert acted.outputs["strategy_id"] == 201


def test_names_are_exact_and_a_near_one_is_named() -> None:
    acted = act("strategy.get", {"strategy": "Campaign"}, listed(TEMPLATE, COPY))
    assert str(acted.error) == "strategy_not_found: no strategy is called 'Campaign'; there is 'campaign'"


def test_a_name_that_two_strategies_have() -> None:
    acted = act("strategy.get", {"strategy": "campaign"}, listed(COPY, strategy(202, "campaign")))
    assert str(acted.error) == "strategy_ambiguous: 2 strategies are called 'campaign': 201, 202; give the id"


def test_an_id_that_the_hub_does_not_have() -> None:
    acted = act("strategy.get", {"strategy": 7}, Script().refuses("GetStrategy", "NotFound"))
    assert str(acted.error) == "strategy_not_found: the hub has no strategy 7"


def test_another_definition_than_the_reviewed_one() -> None:
    script = Script().answers("GetStrategy", got(strategy(strategy_definition=OTHER)))
    assert act("strategy.get", {"strategy": 101, "digest": DIGEST}, script).code == "definition_changed"
    script = Script().answers("GetStrategy", got(strategy(strategy_definition=None)))
    assert act("strategy.get", {"strategy": 101, "digest": DIGEST}, script).code == "definition_changed"
    script = Script().answers("GetStrategy", got(TEMPLATE))
    assert act("strategy.get", {"strategy": 101, "digest": DIGEST}, script).error is None


# --- clone -------------------------------------------------------------------------------------------------------------


def test_a_clone_lists_what_is_there_and_creates() -> None:
    script = listed(TEMPLATE).answers("GetStrategy", got(TEMPLATE), got(COPY))
    acted = act("strategy.clone", CLONE, script.answers("CreateStrategy", {"strategy_id": 201}))
    assert acted.asked == [
        "list: ListStrategies",
        "template: GetStrategy",
        "create: CreateStrategy",
        "created: GetStrategy",
    ]
    create = acted.effect("create")
    assert create.args == {
        "strategy_definition": None,
        "name": "campaign",
        "active_on_accounts": ["PAPER-1"],
        "clone_strategy_id": 101,
    }
    assert create.hints == {
        "ids_before": [101],
        "names": ["campaign", "SPX put calendar 30/60"],
        "digest": DIGEST,
    }
    assert acted.outputs == {
        "strategy_id": 201,
        "name": "campaign",
        "digest": DIGEST,
        "symbol": "SPX",
        "active_on": ["PAPER-1"],
        "created": True,
    }


def test_a_hub_that_does_not_take_name_and_accounts_is_put_right() -> None:
    raw = strategy(201)
    script = listed(TEMPLATE).answers("GetStrategy", got(TEMPLATE), got(raw), got(COPY))
    script.answers("CreateStrategy", {"strategy_id": 201})
    script.answers("RenameStrategy", {"strategy_id": 201}).answers("UpdateStrategy", {"strategy_id": 201})
    acted = act("strategy.clone", CLONE, script)
    assert acted.asked[3:] == [
        "created: GetStrategy",
        "rename: RenameStrategy",
        "activate: UpdateStrategy",
        "result: GetStrategy",
    ]
    assert (acted.outputs["name"], acted.outputs["active_on"]) == ("campaign", ["PAPER-1"])


def test_the_same_name_and_definition_is_taken_as_it_is() -> None:
    acted = act(
        "strategy.clone", CLONE, listed(TEMPLATE, COPY).answers("GetStrategy", got(TEMPLATE), got(COPY))
    )
    assert acted.asked == ["list: ListStrategies", "template: GetStrategy", "existing: GetStrategy"]
    assert (acted.outputs["strategy_id"], acted.outputs["created"]) == (201, False)


def test_reuse_sets_the_accounts_where_they_differ() -> None:
    idle = strategy(201, "campaign")
    script = listed(TEMPLATE, idle).answers("GetStrategy", got(TEMPLATE), got(idle), got(COPY))
    acted = act("strategy.clone", CLONE, script.answers("UpdateStrategy", {"strategy_id": 201}))
    assert acted.asked[3:] == ["activate: UpdateStrategy", "result: GetStrategy"]
    assert acted.effect("activate").args == {"strategy_id": 201, "active_on_accounts": ["PAPER-1"]}


def test_another_title_is_the_same_definition() -> None:
    titled = strategy(201, "campaign", active_on_accounts=["PAPER-1"])
    titled["strategy_definition"] = {**DEFINITION, "StrategyName": "campaign", "Description": "mine"}
    acted = act(
        "strategy.clone", CLONE, listed(TEMPLATE, titled).answers("GetStrategy", got(TEMPLATE), got(titled))
    )
    assert acted.error is None


@pytest.mark.parametrize("definition", [OTHER, None], ids=["another", "not told"])
def test_another_definition_under_the_name_is_an_error(definition: Any) -> None:
    changed = strategy(201, "campaign", strategy_definition=definition)
    acted = act(
        "strategy.clone", CLONE, listed(TEMPLATE, changed).answers("GetStrategy", got(TEMPLATE), got(changed))
    )
    assert acted.code == "definition_changed"
    assert "create: CreateStrategy" not in acted.asked


def test_a_hub_that_cloned_something_else_is_noticed() -> None:
    script = listed(TEMPLATE).answers(
        "GetStrategy", got(TEMPLATE), got(strategy(201, strategy_definition=OTHER))
    )
    acted = act("strategy.clone", CLONE, script.answers("CreateStrategy", {"strategy_id": 201}))
    assert acted.code == "definition_changed"


def test_fail_if_it_exists() -> None:
    acted = act(
        "strategy.clone",
        {**CLONE, "if_exists": "fail"},
        listed(TEMPLATE, COPY).answers("GetStrategy", got(TEMPLATE)),
    )
    assert str(acted.error) == "strategy_exists: a strategy called 'campaign' exists (id 201)"


def test_two_of_the_name_cannot_be_reused() -> None:
    script = listed(TEMPLATE, COPY, strategy(202, "campaign")).answers("GetStrategy", got(TEMPLATE))
    assert act("strategy.clone", CLONE, script).code == "strategy_ambiguous"


def test_a_forecast_says_what_a_clone_may_send() -> None:
    told = foretell("strategy.clone", CLONE)
    assert told.asked == ["create: CreateStrategy", "rename: RenameStrategy", "activate: UpdateStrategy"]
    assert told.outputs["name"] == "campaign"
    assert (told.outputs["strategy_id"].type, told.outputs["strategy_id"].until) == ("integer", 'step "step"')


# --- create ------------------------------------------------------------------------------------------------------------

FILES = context(files={"s/calendar.json": json.dumps(DEFINITION)}).files


def create(files: Any = FILES, script: Script | None = None, **inputs: Any) -> Acted:
    return act("strategy.create", {"definition": "s/calendar.json"} | inputs, script, context(files=files))


def test_a_definition_file_becomes_a_strategy() -> None:
    made = strategy(301)
    script = listed().answers("CreateStrategy", {"strategy_id": 301}).answers("GetStrategy", got(made))
    acted = create(script=script, backtest_id="BT-123")
    assert acted.asked == ["list: ListStrategies", "create: CreateStrategy", "created: GetStrategy"]
    assert acted.effect("create").args == {
        "strategy_definition": DEFINITION,
        "name": "SPX put calendar 30/60",
        "active_on_accounts": [],
        "backtest_id": "BT-123",
    }
    assert (acted.outputs["strategy_id"], acted.outputs["created"]) == (301, True)


def test_an_existing_one_of_the_same_definition_is_taken() -> None:
    acted = create(script=listed(TEMPLATE).answers("GetStrategy", got(TEMPLATE)))
    assert acted.outputs["created"] is False


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        (
            "{",
            "s/calendar.json is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        ("[]", "s/calendar.json: a definition is a JSON object"),
        ('{"StrategyName": "x"}', "s/calendar.json: Structure is missing; Entry is missing; Exit is missing"),
        (
            json.dumps({**DEFINITION, "MesoSimVersion": "2.10.28-0-gabc"}),
            "s/calendar.json: MesoSimVersion 2 is older than 3, which MesoLive does not import",
        ),
    ],
)
def test_a_file_that_is_no_definition(text: str, summary: str) -> None:
    acted = create({"s/calendar.json": text})
    assert (acted.asked, str(acted.error)) == ([], f"definition_invalid: {summary}")


def test_a_file_that_the_run_does_not_hold() -> None:
    assert create({}).code == "definition_invalid"


# --- update and delete -------------------------------------------------------------------------------------------------


def test_an_update_sends_what_is_given() -> None:
    script = (
        Script()
        .answers("UpdateStrategy", {"strategy_id": 201})
        .answers("RenameStrategy", {"strategy_id": 201})
    )
    script.answers("GetStrategy", got(COPY))
    inputs = {
        "strategy_id": 201,
        "name": "campaign",
        "definition": "s/calendar.json",
        "active_on": ["PAPER-1"],
    }
    acted = act("strategy.update", inputs, script, context(files=FILES))
    assert acted.asked == ["update: UpdateStrategy", "rename: RenameStrategy", "result: GetStrategy"]
    assert acted.effect("update").args == {
        "strategy_id": 201,
        "strategy_definition": DEFINITION,
        "active_on_accounts": ["PAPER-1"],
    }
    assert acted.outputs["name"] == "campaign"


def test_an_update_of_nothing_only_reads() -> None:
    acted = act("strategy.update", {"strategy_id": 201}, Script().answers("GetStrategy", got(COPY)))
    assert acted.asked == ["result: GetStrategy"]


def test_an_update_of_a_strategy_that_is_not_there() -> None:
    acted = act(
        "strategy.update", {"strategy_id": 9, "name": "x"}, Script().refuses("RenameStrategy", "NotFound")
    )
    assert acted.code == "strategy_not_found"


def positions(*ids: int) -> dict[str, Any]:
    rows = [
        {
            "id": id,
            "state": "Open",
            "created_at": "2025-01-16T15:00:00Z",
            "name": "p",
            "broker_account_id": "PAPER-1",
            "live_strategy_id": 201,
            "strategy_name": "campaign",
        }
        for id in ids
    ]
    return {"positions": rows, "continuation_token": None}


def test_a_strategy_without_positions_is_removed() -> None:
    script = Script().answers("ListPositions", positions()).answers("DeleteStrategy", {"strategy_id": 201})
    acted = act("strategy.delete", {"strategy_id": 201}, script)
    assert acted.asked == ["positions: ListPositions", "delete: DeleteStrategy"]
    assert acted.effect("delete").args == {"strategy_id": 201, "force": False}


def test_a_strategy_with_positions_stays() -> None:
    acted = act("strategy.delete", {"strategy_id": 201}, Script().answers("ListPositions", positions(8, 7)))
    assert str(acted.error) == "strategy_in_use: strategy 201 has open positions: 7, 8"


def test_force_does_not_look() -> None:
    acted = act(
        "strategy.delete", {"strategy_id": 201, "force": True}, Script().answers("DeleteStrategy", {})
    )
    assert acted.asked == ["delete: DeleteStrategy"]


@pytest.mark.parametrize(
    ("status", "code"), [("NotFound", "strategy_not_found"), ("Conflict", "strategy_in_use")]
)
def test_what_a_refused_removal_means(status: str, code: str) -> None:
    acted = act(
        "strategy.delete", {"strategy_id": 201, "force": True}, Script().refuses("DeleteStrategy", status)
    )
    assert acted.code == code
