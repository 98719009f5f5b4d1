"""Unknown outputs: every field by its type, nested models by theirs."""

from datetime import UTC, datetime, timedelta

from mesoflow.actions.unknown import after, is_known, unknown_outputs, until_of
from mesoflow.actions.values import Execution, Position, Price
from mesoflow.expressions.unknown import Unknown

PRICE = {"debit": Unknown("points", "x"), "credit": Unknown("points", "x")}


def test_fields_are_unknown_by_their_types() -> None:
    assert unknown_outputs(Price, "x") == PRICE
    outputs = unknown_outputs(Execution, "x", {"kind": "exit"})
    assert outputs["kind"] == "exit"
    assert outputs["price"] == Unknown("Price", "x", PRICE)
    assert outputs["legs"] == Unknown("map<FilledLeg>", "x")
    assert outputs["fees"] == Unknown("money?", "x")


def test_models_inside_models() -> None:
    quote = unknown_outputs(Position, "x")["quote"]
    assert quote.fields["mid"] == Unknown("Price", "x", PRICE)


def test_an_action_without_outputs_gives_none() -> None:
    assert unknown_outputs(None, "x") == {}


def test_what_is_known() -> None:
    unknown = Unknown()
    assert [
        is_known(value) for value in (1, None, {"a": [1]}, unknown, {"a": [unknown]}, [{"b": unknown}])
    ] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_times_that_a_preview_does_not_know() -> None:
    now = datetime(2025, 1, 16, 15, 0, tzinfo=UTC)
    assert after(now, timedelta(seconds=5)) == now + timedelta(seconds=5)
    assert after(now, Unknown("duration")) == now
    assert until_of("enter/each[1]") == 'step "enter/each[1]"'
