"""How runs stand: a fold over the records that say so."""

from mesoflow.runtime.standing import has_traded, open_intents, standing_of, standings
from tests.support.stories import Story, after, nobody


def shown(standing):
    return standing.state, standing.reason, standing.words, standing.path


def test_the_states_of_runs_newest_first():
    story = Story().begin("one").end("one", "skipped", "VIX is 30")
    story.begin("two").park("two", "no_quote", "no quote of SPX", "vix/read")
    story.begin("three").begin("four")
    found = {s.run_id: shown(s) for s in standings(story.journal, lambda run: run == "four")}
    assert list(found) == ["four", "three", "two", "one"]
    assert found == {
        "one": ("skipped", "", "VIX is 30", ""),
        "two": ("parked", "no_quote", "no quote of SPX", "vix/read"),
        "three": ("parked", "died", "", ""),
        "four": ("running", "", "", ""),
    }


def test_a_run_that_was_resumed_after_its_park_and_then_died_is_no_longer_parked_for_that_reason():
    story = Story().begin("one").park("one", "hub_unavailable", "gone").settle("one", "account/read", 1)
    assert shown(standing_of(story.journal, "one", nobody)) == ("parked", "died", "", "")


def test_one_run_stands_as_it_does_among_all():
    story = Story().begin("one").park("one", "interrupted", "Ctrl-C", "buy").begin("two").end("two")
    for standing in standings(story.journal, nobody):
        assert standing_of(story.journal, standing.run_id, nobody) == standing
    assert standing_of(story.journal, "three", nobody) is None


def test_what_is_intended_and_not_settled_is_open():
    story = (
        Story()
        .begin("one")
        .intend("one", "a/send")
        .settle("one", "a/send", 1)
        .intend("one", "b/send", at=120)
    )
    assert [(i.path, i.at) for i in open_intents(story.journal, "one")] == [("b/send", after(120))]


def test_a_run_has_traded_once_an_order_was_intended_whatever_came_of_it():
    story = Story().begin("one").intend("one", "clone/create", "CreateStrategy")
    assert not has_traded(story.journal, "one")
    assert has_traded(story.intend("one", "buy/send").journal, "one")
