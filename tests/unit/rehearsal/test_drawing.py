"""Draws: a function of the seed and of what is drawn, whatever was drawn before."""

from datetime import timedelta

from mesoflow.rehearsal.drawing import Draw


def test_the_same_name_is_the_same_draw_in_any_order() -> None:
    draw = Draw(7)
    first = [draw.choice("a", "xyz"), draw.between("b", 1, 2), draw.seconds("c", 1, 2.5)]
    again = [Draw(7).seconds("c", 1, 2.5), Draw(7).between("b", 1, 2), Draw(7).choice("a", "xyz")]
    assert first == list(reversed(again))


def test_things_of_several_are_drawn_apart() -> None:
    assert len({Draw(7).of("fault", number).between("start", 0, 1000) for number in range(50)}) == 50
    assert len({Draw(seed).between("start", 0, 1000) for seed in range(50)}) == 50


def test_figures_stay_within_their_limits_and_options_are_all_drawn() -> None:
    assert all(1 <= Draw(seed).between("start", 1, 90) <= 90 for seed in range(200))
    assert {Draw(seed).choice("kind", (1, 2, 3)) for seed in range(50)} == {1, 2, 3}
    assert {Draw(seed).seconds("long", 5, 40) for seed in range(50)} == {
        timedelta(seconds=5),
        timedelta(seconds=40),
    }
