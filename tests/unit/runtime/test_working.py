"""What of a run may be alive at a broker, by its journal alone."""

from decimal import Decimal as D

from mesoflow.runtime.working import Working, working
from tests.support.stories import Story, after

ORDER = {
    "account": "PAPER-1",
    "kind": "entry",
    "exec_plan_id": 501,
    "position_id": None,
    "legs": [],
    "groups": [],
}


def told(story):
    return working(story.journal.read("one"))


def sent(answer=None):
    story = Story().begin("one").intend("one", "buy/send", "SendOrder", **ORDER)
    return story.settle("one", "buy/send", answer or {"live_order_id": 77})


def seen(story, state, order_id=77):
    return story.settle(
        "one", "buy/watch", {"order": {"order_id": order_id, "state": state, "cum_qty": D(0)}}
    )


def test_a_run_that_sent_nothing_has_nothing_at_work():
    assert told(Story().begin("one")) == Working()


def test_an_accepted_order_is_alive_until_it_was_seen_to_be_over():
    assert told(sent()).alive == [77]
    assert told(seen(sent(), "PartiallyFilled")).alive == [77]
    assert told(seen(sent(), "Filled")).alive == []
    assert told(seen(seen(sent(), "Filled"), "Submitted")).alive == []


def test_an_event_ends_it_too():
    story = sent()
    order = {"order_id": 77, "state": "Cancelled", "cum_qty": D(1)}
    assert not told(story.write("one", "event", {"path": "engine/event-1/order-77", "order": order})).at_work


def test_a_sending_without_an_outcome_is_unknown():
    story = Story().begin("one").intend("one", "buy/send", "SendOrder", **ORDER)
    assert (told(story).unknown, told(story).at_work) == ({"buy/send": "SendOrder"}, True)


def test_a_paper_fill_without_an_outcome_leaves_nothing_to_withdraw():
    assert not told(Story().begin("one").intend("one", "buy/fill", **ORDER)).at_work


def test_a_withdrawal_is_at_work_until_the_input_that_says_what_came_of_it():
    story = sent().intend("one", "engine/halt-1/order-77/cancel", "CancelOrder")
    seen(story.settle("one", "engine/halt-1/order-77/cancel", {"live_order_id": 77}), "Cancelled")
    assert told(story).at_work
    told_ = {"order": 77, "by": "halt", "filled": D(1), "state": "Cancelled"}
    story.write("one", "input", {"withdrawn": told_, "at": after(103)})
    assert (told(story).at_work, told(story).withdrawn) == (False, {77: D(1)})


def test_an_order_without_an_id_is_at_work_until_it_is_seen():
    story = sent({"live_order_id": None})
    assert told(story).at_work
    assert not told(seen(story, "Filled", 78)).at_work
