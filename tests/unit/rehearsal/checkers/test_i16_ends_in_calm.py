"""I16: once no fault is left every run comes to its end, or a person is called."""

from datetime import timedelta

import pytest

from mesoflow.rehearsal.checkers.i16_ends_in_calm import LIVES_MAX, WITHIN, check
from mesoflow.rehearsal.evidence import Calm
from tests.support.testimony import T0, HandMade

CALM = Calm(T0, 1)


def test_an_end_and_a_person_who_is_called_are_ends() -> None:
    over, called = HandMade(), HandMade()
    over.ended("failed")
    called.parked("outcome_unknown")
    assert check(over.evidence(calm=CALM)) == check(called.evidence(calm=CALM)) == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("hub_unavailable", "in calm weather it is parked (hub_unavailable)"),
        ("interrupted", "in calm weather it is parked (interrupted)"),
        ("", "in calm weather it is neither over nor parked"),
    ],
)
def test_what_goes_on_for_ever_is_found(code: str, words: str) -> None:
    home = HandMade()
    if code:
        home.parked(code)
    assert [found.words for found in check(home.evidence(calm=CALM))] == [words]
    assert check(home.evidence()) == [], "in a storm nobody has promised it"


def test_so_is_what_takes_too_long_or_too_many_resumes() -> None:
    home = HandMade()
    home.at = T0 + WITHIN
    home.ended()
    assert check(home.evidence(calm=CALM))[0].words.startswith("it took 2:00:")
    home.at -= timedelta(hours=1)
    assert (
        check(home.evidence(calm=Calm(home.at, LIVES_MAX + 1)))[0].words
        == "it was resumed 7 times in calm weather"
    )
