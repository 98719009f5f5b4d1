"""The extract of the documentation holds facts, and holds them whole."""

from __future__ import annotations

from mesoflow.hubs.facts import FILE, facts


def test_the_file_is_a_table_of_facts() -> None:
    known = facts()
    assert (len(known.methods), len(known.callbacks), len(known.models), len(known.enums)) == (
        48,
        14,
        132,
        23,
    )
    assert known.methods["SendOrder"].source == "signalr-reference/models/send-order-args"
    assert known.models["Order"].fields["FilledAt"].nullable is False
    assert known.enums["SignalState"].members == ("On", "Off")


def test_sources_are_short_paths_and_nothing_is_prose() -> None:
    known = facts()
    rows = [*known.methods.values(), *known.callbacks.values(), *known.models.values(), *known.enums.values()]
    assert all("://" not in row.source for row in rows)
    assert "note" not in FILE.read_text(encoding="utf-8") and "meaning" not in FILE.read_text(
        encoding="utf-8"
    )
