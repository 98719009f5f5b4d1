"""What our journals say is open: by hub, with what has settled left out, and what the hub has shown to be closed."""

from decimal import Decimal as D

from mesoflow.cli.flat import Open, accounts_of, open_at, places, plans_of, still_open
from mesoflow.runtime.holdings import holdings
from mesoflow.runtime.standing import standings
from tests.support.stories import Story, after, nobody, started

ENTRY = {
    "account": "PAPER-1", "kind": "entry", "exec_plan_id": 501, "position_id": None,
    "legs": [{"name": "short_put", "quantity": D(-2)}, {"name": "long_put", "quantity": D(2)}],
}  # fmt: skip
BROKER = ENTRY | {"account": "IB-1", "exec_plan_id": 601, "groups": [{"packages": 2}]}
HERE = started("x")["hub"]
THERE = {**HERE, "world": "another"}
CALENDAR = {"short_put": D(-2), "long_put": D(2)}


def name(hub):
    return f"the simulated world {hub['world']}"


def booked(story, run_id="one", **changes):
    story.begin(run_id, **changes).intend(run_id, "buy/fill", **ENTRY)
    return story.settle(run_id, "buy/fill", {"position_id": 901, "exec_plan_id": 501, "live_order_ids": []})


def filled(story, run_id="one"):
    """An order of an entry has filled, and its run died before it read which position that made."""
    story.intend(run_id, "sell/send", "SendOrder", **BROKER).settle(
        run_id, "sell/send", {"live_order_id": 77}
    )
    order = {"order_id": 77, "state": "Filled", "cum_qty": D(2), "broker_account_id": "IB-1"}
    return story.settle(run_id, "sell/watch", {"order": order})


def found(story):
    return [one for here in places(standings(story.journal, nobody)) for one in open_at(story.journal, here)]


def test_a_home_that_never_traded_has_nothing_open():
    assert found(Story()) == []
    assert found(Story().begin("one").end("one")) == []


def test_positions_and_what_plans_filled_whose_position_nobody_has_read():
    here = name(HERE)
    assert found(filled(booked(Story()))) == [
        Open(here, "PAPER-1", 901, None, CALENDAR),
        Open(here, "IB-1", None, 601, CALENDAR),
    ]


def test_each_hub_by_itself_the_newest_first():
    story = booked(booked(Story(), "one"), "two", hub=THERE)
    assert [(one.hub, one.position) for one in found(story)] == [(name(THERE), 901), (name(HERE), 901)]


def test_what_the_playbook_is_given():
    opened = found(filled(booked(Story())))
    assert (accounts_of(opened), plans_of(opened)) == (["IB-1", "PAPER-1"], [601])


def test_a_position_that_the_hub_no_longer_shows_is_closed_and_only_that():
    mine, other = Open("sim", "IB-1", 7, None, CALENDAR), Open("sim", "IB-1", 8, None, CALENDAR)
    plan, unread = Open("sim", "IB-1", None, 601, CALENDAR), Open("sim", "U-2", 9, None, CALENDAR)
    elsewhere = Open("hub", "IB-1", 7, None, CALENDAR)
    everything = [mine, other, plan, unread, elsewhere]
    assert still_open(everything, {("sim", "IB-1"): [8]}) == [other, plan, unread, elsewhere]
    assert still_open(everything, {}) == everything


def test_it_is_named_with_its_legs():
    one = Open("the simulated world default", "IB-1", 7, None, {"short_put": D(-1), "long_put": D(1)}, "half")
    assert str(one) == (
        "position 7 of IB-1 at the simulated world default: -1 short_put, +1 long_put (on hold: half)"
    )
    assert (
        str(Open("sim", "IB-1", None, 601, {"put": D(2)}))
        == "what exec plan 601 filled of IB-1 at sim: +2 put"
    )


def test_what_has_settled_is_held_by_nobody():
    today = [{**leg, "contract": "SPX SPXW 2025-01-16 put 6000 100"} for leg in ENTRY["legs"]]
    story = Story().begin("one").intend("one", "buy/fill", **{**ENTRY, "legs": today})
    story.settle("one", "buy/fill", {"position_id": 901, "exec_plan_id": 501, "live_order_ids": []})
    assert [one.position for one in found(story)] == [901]
    ledger = holdings(story.journal, HERE, standings(story.journal, nobody))
    story.begin("two", ledger=ledger, at=after(86_400))
    assert found(story) == []
