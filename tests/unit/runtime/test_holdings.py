"""What this home has traded: a fold over its journal, and the same whether it begins at the start or at a later record."""

from decimal import Decimal as D

from mesoflow.runtime.holdings import holdings
from mesoflow.runtime.standing import standings
from tests.support.stories import Story, after, nobody, started

HERE = started("x")["hub"]
ENTRY = {
    "account": "PAPER-1", "kind": "entry", "exec_plan_id": 501, "position_id": None,
    "legs": [{"name": "short_put", "quantity": D(-2)}, {"name": "long_put", "quantity": D(2)}],
}  # fmt: skip
EXIT = ENTRY | {
    "kind": "exit", "exec_plan_id": 502, "position_id": 901,
    "legs": [{"name": "short_put", "quantity": D(1)}, {"name": "long_put", "quantity": D(-2)}],
}  # fmt: skip
OPEN = {"account": "PAPER-1", "legs": {"short_put": D(-2), "long_put": D(2)}, "plans": [501]}
PARTLY = {"account": "PAPER-1", "legs": {"short_put": D(-1)}, "plans": [501, 502]}


def told(story):
    return holdings(story.journal, HERE, standings(story.journal, nobody))


def entered(run_id="one", **changes):
    story = Story().begin(run_id, **changes).intend(run_id, "buy/fill", **ENTRY)
    return story.settle(run_id, "buy/fill", {"position_id": 901, "exec_plan_id": 501, "live_order_ids": []})


def test_a_home_that_never_traded_holds_nothing():
    assert told(Story().begin("one").end("one")) == {"positions": {}, "unknowns": []}


def test_what_was_entered_is_ours_and_what_was_closed_is_taken_off():
    story = entered()
    assert told(story)["positions"] == {"901": OPEN}
    story.intend("one", "sell/fill", **EXIT).settle("one", "sell/fill", {"position_id": 901})
    assert told(story)["positions"] == {"901": PARTLY}


def test_a_later_run_begins_with_what_is_known_and_the_fold_goes_on_from_there():
    story = entered()
    story.begin("two", ledger=told(story)).intend("two", "sell/fill", **EXIT).settle(
        "two", "sell/fill", {"position_id": 901}
    )
    assert told(story)["positions"] == {"901": PARTLY}


def test_an_order_that_was_on_its_way_when_the_next_run_began_is_counted_once_it_is_settled():
    story = Story().begin("one").intend("one", "buy/fill", **ENTRY)
    assert told(story) == {"positions": {}, "unknowns": [after(100)]}
    story.begin("two", ledger=told(story)).settle("one", "buy/fill", {"position_id": 901})
    assert told(story) == {"positions": {"901": OPEN}, "unknowns": []}


def test_what_was_refused_holds_nothing():
    story = (
        Story().begin("one").intend("one", "buy/fill", **ENTRY).settle("one", "buy/fill", refused="rejected")
    )
    assert told(story)["positions"] == {}


def test_positions_of_another_world_say_nothing_here():
    assert told(entered(hub=HERE | {"world": "seed-3-strict"}))["positions"] == {}


def test_after_a_clear_the_legs_are_those_that_the_hub_showed():
    story = entered()
    story.write(
        "",
        "cleared",
        {
            "account": "PAPER-1",
            "position_id": 901,
            "legs": {"901": [{"name": "long_put", "quantity": D(2)}]},
            "at": after(500),
        },
    )
    assert told(story)["positions"]["901"]["legs"] == {"long_put": D(2)}
