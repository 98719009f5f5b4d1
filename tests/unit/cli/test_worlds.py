"""Which embedded world is meant."""

import pytest

from mesoflow.cli.worlds import named, wanted
from mesoflow.runtime.home import StateHome


@pytest.fixture
def home(tmp_path):
    return StateHome.open(tmp_path / "home")


def shown(world):
    return world.name, world.seed, world.profile


def test_without_a_wish_it_is_the_default_again_and_again(home):
    assert shown(wanted(home, None, None)) == shown(wanted(home, 7, "strict")) == ("default", 7, "strict")


def test_another_seed_or_profile_begins_a_new_one_which_is_the_default_from_then_on(home):
    wanted(home, None, None)
    assert shown(wanted(home, 3, None)) == ("seed-3-strict", 3, "strict")
    assert shown(wanted(home, None, None)) == ("seed-3-strict", 3, "strict")
    assert shown(wanted(home, None, "kind")) == ("seed-7-kind", 7, "kind")
    assert shown(wanted(home, 3, "strict")) == ("seed-3-strict-2", 3, "strict")


def test_a_run_goes_on_in_the_world_of_its_first_record(home):
    wanted(home, None, None)
    wanted(home, 3, None)
    assert shown(named(home, "default")) == ("default", 7, "strict")


def test_the_served_world_is_one_of_its_own(home):
    wanted(home, 3, None)
    assert shown(wanted(home, None, None, first="serve")) == ("serve", 7, "strict")
    assert shown(wanted(home, 5, None, first="serve")) == ("serve-seed-5-strict", 5, "strict")
    assert shown(wanted(home, None, None)) == ("seed-3-strict", 3, "strict")
