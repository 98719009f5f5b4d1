"""Digests of definitions: what counts, and what does not."""

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mesoflow.actions.definitions import definition_digest, symbol_of

DEFINITION = {
    "StrategyName": "a",
    "Description": "b",
    "Symbol": "SPX",
    "Entry": {"Qty": 5, "On": True, "Text": "5"},
}


def test_titles_order_and_writing_do_not_count() -> None:
    same = {"Entry": {"Text": "5", "On": True, "Qty": Decimal("5.00")}, "Symbol": "SPX", "StrategyName": "z"}
    assert definition_digest(same) == definition_digest(DEFINITION)
    assert definition_digest(json.dumps(DEFINITION)) == definition_digest(DEFINITION)


def test_everything_else_counts() -> None:
    digests = {
        definition_digest(DEFINITION),
        definition_digest({**DEFINITION, "Symbol": "XSP"}),
        definition_digest({**DEFINITION, "Entry": {"Qty": 6, "On": True, "Text": "5"}}),
        definition_digest({**DEFINITION, "Entry": {"Qty": "5", "On": True, "Text": "5"}}),
        definition_digest({**DEFINITION, "Entry": {"Qty": 5, "On": 1, "Text": "5"}}),
        definition_digest({**DEFINITION, "Exit": None}),
    }
    assert len(digests) == 6


def test_what_is_not_told_has_no_digest() -> None:
    assert (definition_digest(None), definition_digest("not json"), definition_digest([1])) == (
        None,
        None,
        None,
    )


def test_the_symbol() -> None:
    assert (symbol_of(DEFINITION), symbol_of(json.dumps(DEFINITION)), symbol_of(None)) == ("SPX", "SPX", "")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=4))
def test_a_digest_survives_json(definition: dict) -> None:
    assert definition_digest(json.dumps(definition)) == definition_digest(definition)
