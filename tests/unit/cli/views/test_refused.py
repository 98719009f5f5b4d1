"""A refusal as people see it."""

from mesoflow.cli.views.refused import refusal_text
from mesoflow.runtime.refusal import Refusal


def test_long_rows_are_wrapped_below_themselves_and_help_is_a_block():
    refusal = Refusal("MF506", "there is no run x", (("near", "word " * 30),), ("first", "second"))
    assert refusal_text(refusal) == (
        "refused[MF506]: there is no run x\n"
        "  near    " + " ".join(["word"] * 21) + "\n"
        "          " + " ".join(["word"] * 9) + "\n"
        "  help    first\n"
        "          second"
    )
