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

NOTHING: dict[str, object] = {"positions": {}, "orders": {}, "plans": {}, "unknowns": []}
BROKER = ENTRY | {"groups": [{"packages": 2}]}


def told(story):
    return holdings(story.journal, HERE, standings(story.journal, nobody))


def entered(run_id="one", **changes):
    story = Story().begin(run_id, **changes).intend(run_id, "buy/fill", **ENTRY)
    return story.settle(run_id, "buy/fill", {"position_id": 901, "exec_plan_id": 501, "live_order_ids": []})


def test_a_home_that_never_traded_holds_nothing():
    assert told(Story().begin("one").end("one")) == NOTHING


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
    assert told(story) == NOTHING | {"unknowns": [after(100)]}
    story.begin("two", ledger=told(story)).settle("one", "buy/fill", {"position_id": 901})
    assert told(story) == NOTHING | {"positions": {"901": OPEN}}


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


# --- at a broker ---------------------------------------------------------------------------------------------------------


def sent(run_id="one"):
    story = Story().begin(run_id).intend(run_id, "buy/rung-1/send", "SendOrder", **BROKER)
    return story.settle(run_id, "buy/rung-1/send", {"live_order_id": 77})


def seen(story, state, filled, run_id="one"):
    order = {"order_id": 77, "state": state, "cum_qty": D(filled)}
    return story.write(run_id, "event", {"path": "engine/event-1/order-77", "order": order, "at": after(102)})


def made(story, run_id="one"):
    body = {
        "path": "buy/position",
        "outcome": {"done": {"positions": [{"id": 901}]}},
        "plan": 501,
        "at": after(103),
    }
    return story.write(run_id, "settled", body)


def test_an_order_that_works_holds_nothing_until_it_is_seen_to_fill():
    found = told(sent())
    assert (found["positions"], found["plans"]) == ({}, {})
    assert found["orders"]["77"]["kind"] == "entry"


def test_what_fills_belongs_to_its_plan_until_the_position_is_known():
    half = {"short_put": D(-1), "long_put": D(1)}
    found = told(seen(sent(), "PartiallyFilled", 1))
    assert found["plans"] == {"501": {"account": "PAPER-1", "position_id": None, "legs": half}}
    found = told(made(seen(sent(), "PartiallyFilled", 1)))
    assert found["positions"] == {"901": {"account": "PAPER-1", "legs": half, "plans": [501]}}


def test_each_package_counts_once_however_often_it_is_told():
    story = made(seen(seen(sent(), "PartiallyFilled", 1), "PartiallyFilled", 1))
    seen(seen(story, "Filled", 2), "Filled", 2)
    assert told(story)["positions"] == {"901": OPEN}
    assert told(story)["orders"] == {}, "an order that is over says nothing more"


def test_a_later_run_goes_on_counting_where_the_first_record_stands():
    story = made(seen(sent(), "PartiallyFilled", 1))
    story.begin("two", ledger=told(story))
    assert told(seen(story, "Filled", 2))["positions"] == {"901": OPEN}


def test_what_a_halt_withdrew_and_what_filled_late_counts():
    story = made(sent())
    story.write(
        "one",
        "input",
        {"withdrawn": {"order": 77, "by": "halt", "filled": D(1), "state": "Cancelled"}, "at": after(104)},
    )
    story.write("one", "input", {"late_fill": {"order": 77, "filled": D(2)}, "at": after(105)})
    made(story)
    assert told(story)["positions"] == {"901": OPEN}


def test_a_hold_stands_until_the_position_is_flat_or_a_person_has_looked():
    hold = {"hold": {"account": "PAPER-1", "position_id": 901, "exec_plan_id": 501, "summary": "1 of 2"}}
    story = entered().settle("one", "buy/hold", hold)
    assert told(story)["positions"] == {"901": OPEN | {"held": "1 of 2"}}
    story.begin("two", ledger=told(story)).intend("two", "sell/fill", **EXIT)
    story.settle("two", "sell/fill", {"position_id": 901})
    assert told(story)["positions"] == {"901": PARTLY | {"held": "1 of 2"}}
    rest = EXIT | {"exec_plan_id": 503, "legs": [{"name": "short_put", "quantity": D(1)}]}
    story.intend("two", "sell/fill~2", **rest).settle("two", "sell/fill~2", {"position_id": 901})
    assert told(story)["positions"]["901"] == {"account": "PAPER-1", "legs": {}, "plans": [501, 502, 503]}
