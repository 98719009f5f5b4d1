"""Stored journals are replayed by today's engine: paths, digests and ends are what they were, or the semantics number is bumped.

They are made by `python -m tests.support.make_corpus` (its stories: a run to its end, one that was killed and resumed, one
cancelled, one halted whose order was withdrawn, tries and a rescue, loops, orders that were sent and waited for).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mesoflow.actions import catalogue
from mesoflow.engine import control
from mesoflow.engine.effects import Place, Sleep
from mesoflow.engine.semantics import SEMANTICS
from mesoflow.runtime import machine
from tests.support.corpus import ADVICE, FOLDER, MAKE, read, what_differs
from tests.support.make_corpus import STORIES

STORED = sorted(FOLDER.glob("*.jsonl"))


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.stem)
def test_a_stored_journal_is_replayed_as_it_was(file) -> None:
    records = read(file)
    assert records[0].body["semantics"] == SEMANTICS, f"store the corpus anew: {MAKE}"
    differs = what_differs(records)
    assert not differs, f"{file.name} replays otherwise:\n  " + "\n  ".join(differs) + f"\n{ADVICE}"


def test_each_story_is_stored() -> None:
    assert {file.stem for file in STORED} == set(STORIES), f"store the corpus anew: {MAKE}"


def test_nothing_of_the_machine_that_made_it_is_in_it() -> None:
    for file in STORED:
        started = read(file)[0].body
        assert (started["sources"], started["options"]) == ({}, {})
        assert str(FOLDER.parents[1]) not in file.read_text(encoding="utf-8")


def kinds(name: str) -> set[str]:
    return {key for record in read(FOLDER / f"{name}.jsonl") for key in (record.kind, *record.body)}


def test_the_stories_hold_what_they_are_for() -> None:
    assert "cancel" in kinds("cancelled")
    assert {"withdrawn", "parked"} <= kinds("withdrawn")
    assert "engine" in kinds("resumed")
    paths = {record.body.get("path") for record in read(FOLDER / "rescued.jsonl")}
    assert {"enter~2/wait", "enter/rescue-1/unfilled/tell", "always/over/tell"} <= paths


# --- mutants: changes that would replay otherwise -----------------------------------------------------------------------


def differs(name: str) -> list[str]:
    return what_differs(read(FOLDER / f"{name}.jsonl"))


def test_a_step_that_asks_under_another_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest: Any = catalogue.ACTIONS["orders.work"]

    def renamed(ctx: Any, inputs: Any) -> Iterator[Any]:
        return _changed(
            honest.body(ctx, inputs), lambda e: replace(e, name="book") if isinstance(e, Place) else e
        )

    mutant = {**catalogue.ACTIONS, "orders.work": replace(honest, body=renamed)}
    monkeypatch.setattr(machine, "ACTIONS", mutant)
    assert any("buy/fill" in line for line in differs("quickstart"))


def test_a_wait_of_another_length_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Longer(Sleep):
        __slots__ = ()

        def __init__(self, name: str, until: Any) -> None:
            super().__init__(name, until + (until - until.replace(second=0)))

    monkeypatch.setattr(control, "Sleep", Longer)
    assert any(line.startswith("enter~2/wait: it asked for") for line in differs("rescued"))


def test_another_order_of_a_loop_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = control.item
    monkeypatch.setattr(control, "item", lambda name, key: honest(name, f"{key}-"))
    assert differs("for-each")


def test_another_end_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    records = read(FOLDER / "quickstart.jsonl")
    records[-1] = replace(records[-1], body={**records[-1].body, "outputs": {}})
    assert len(what_differs(records)) == 1
    assert "and ends" in what_differs(records)[0]


def test_a_record_that_is_missing_is_noticed() -> None:
    records = read(FOLDER / "quickstart.jsonl")
    assert what_differs(records[:20] + records[21:])


def _changed(body: Any, change: Any) -> Iterator[Any]:
    """The same generator, each effect changed on its way out."""
    try:
        effect = body.send(None)
        while True:
            try:
                answer = yield change(effect)
            except Exception as error:
                effect = body.throw(error)
            else:
                effect = body.send(answer)
    except StopIteration as end:
        return end.value
