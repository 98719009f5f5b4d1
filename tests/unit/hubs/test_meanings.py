"""Every field is explained, and nothing is explained that is not there."""

from __future__ import annotations

import pytest

from mesoflow.hubs.meanings import MEANINGS, meaning_of
from mesoflow.hubs.shapes import all_models, shapes_of


def test_every_field_of_every_model_has_a_meaning() -> None:
    places = [(name, field) for name, model in all_models().items() for field in shapes_of(model)]
    assert all(meaning_of(*place) for place in places)
    used = {f"{name}.{field}" for name, field in places} | {field for _, field in places}
    assert [name for name in MEANINGS if name not in used] == []


def test_a_model_s_own_meaning_comes_first() -> None:
    assert meaning_of("LivePnL", "Bid").startswith("running profit")
    assert meaning_of("LivePrices", "Bid").startswith("points")


def test_what_nobody_explained_is_an_error() -> None:
    with pytest.raises(KeyError, match="Whatever"):
        meaning_of("Order", "Whatever")
