"""A program survives the journal exactly."""

from decimal import Decimal

import pytest

from mesoflow.engine.program import Clause, ForEach, Program, Retry, Step
from mesoflow.journal.codec import decode, encode
from mesoflow.runtime.programs import program_digest, program_value, read_program

RICH = Program(
    name="rich",
    description="everything that a step can have",
    start={"once_per": "week", "days": ["fri"]},
    inputs={"lots": {"type": "integer", "default": 1}},
    risk={"max_order_loss": Decimal("250.50"), "accounts": ["{{ inputs.account }}"]},
    steps=(
        Step("one", "account.select", {"require": {"paper": True}}, line=3),
        Step(
            "group",
            steps=(
                Step("two", "set", {"value": [1, None, Decimal("0.10")]}, when="{{ steps.one is done }}"),
            ),
            rescue=(Clause(("not_filled", "no_quote"), (Step("told", "notify"),), "done"), Clause(())),
            for_each=ForEach("{{ inputs.list }}", "{{ loop.item }}", True, 2),
            retry=Retry(3, ("not_filled",), 60),
            outputs={"x": "{{ steps.two.x }}"},
            name="a group",
        ),
    ),
    rescue=(Clause((), (Step("page", "notify"),)),),
    always=(Step("last", "notify"),),
    outputs={"position": "{{ steps.one.position_id }}"},
)


def test_a_program_comes_back_from_the_journal_as_it_went_in():
    assert read_program(decode(encode(program_value(RICH)))) == RICH


def test_the_digest_is_that_of_the_program_and_nothing_else():
    again = read_program(decode(encode(program_value(RICH))))
    assert program_digest(again) == program_digest(RICH)
    assert program_digest(Program("rich", RICH.steps)) != program_digest(RICH)


def test_a_field_of_another_version_is_refused():
    value = program_value(RICH)
    value["steps"][0]["repeat"] = {"every": "5m"}
    with pytest.raises(ValueError, match="repeat, which this version does not know"):
        read_program(value)
