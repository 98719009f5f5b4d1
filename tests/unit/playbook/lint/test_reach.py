"""What is known of a step when another one reads it: one line each, as a playbook would have it."""

from __future__ import annotations

import pytest

from mesoflow.playbook.lint.reach import Reader, reached
from mesoflow.playbook.load import load
from mesoflow.playbook.outline import Outline, outline
from mesoflow.playbook.tree import Mapping

PLAYBOOK = """
steps:
  - {id: first, action: set}
  - {id: perhaps, when: "{{ steps.first.a }}", action: set}
  - {id: rescued, action: set, rescue: [{errors: any}]}
  - {id: stopped, action: set, rescue: [{errors: any, stop: done}]}
  - id: group
    steps:
      - {id: inner, action: set}
      - {id: inner_rescued, action: set, rescue: [{errors: any, steps: [{id: in_clause, action: set}]}]}
  - id: two_ways
    steps: [{id: one_way, action: set}]
    rescue:
      - {errors: [a], steps: [{id: other_way, action: set}]}
      - {errors: [b], stop: skipped}
    outputs: {x: 1}
  - id: conditional
    when: "{{ steps.perhaps is done }}"
    steps: [{id: deep, action: set}]
  - id: loop
    for_each: {items: [1]}
    steps: [{id: turn, action: set}, {id: after_turn, action: set}]
  - {id: twin, when: "{{ steps.first.a }}", action: set}
  - {id: end, action: set}
rescue:
  - {errors: any, steps: [{id: emergency, action: set}]}
always:
  - {id: report, action: set}
"""


def shape() -> Outline:
    loaded = load(PLAYBOOK, "x.yaml")
    assert isinstance(loaded.root, Mapping)
    return outline(loaded.source, loaded.root)


@pytest.mark.parametrize(
    ("target", "reader", "verdict"),
    [
        ("first", "end", "runs"),
        ("first", "perhaps", "runs"),
        ("first", "turn", "runs"),
        ("perhaps", "end", "maybe"),
        ("perhaps", "deep", "runs"),  # its group runs only when perhaps is done
        ("perhaps", "twin", "runs"),  # the same condition
        ("perhaps", "conditional", "runs"),
        ("rescued", "end", "maybe"),
        ("stopped", "end", "runs"),
        ("inner", "end", "runs"),
        ("inner", "inner_rescued", "runs"),
        ("inner_rescued", "end", "maybe"),
        ("inner_rescued", "in_clause", "itself"),
        ("in_clause", "end", "maybe"),
        ("inner", "in_clause", "runs"),
        ("one_way", "end", "maybe"),
        ("one_way", "other_way", "maybe"),
        ("other_way", "end", "maybe"),
        ("two_ways", "end", "runs"),  # its outputs come after its rescue
        ("deep", "end", "maybe"),
        ("conditional", "end", "maybe"),
        ("loop", "end", "runs"),
        ("turn", "after_turn", "runs"),
        ("turn", "end", "hidden"),
        ("end", "first", "later"),
        ("deep", "first", "later"),
        ("end", "end", "itself"),
        ("group", "inner", "itself"),
        ("first", "emergency", "maybe"),
        ("first", "report", "maybe"),
        ("emergency", "end", "elsewhere"),
        ("report", "end", "elsewhere"),
        ("report", "emergency", "elsewhere"),
    ],
)
def test_verdict(target: str, reader: str, verdict: str) -> None:
    steps = shape().ids
    where = Reader(steps[reader], "with")
    assert reached(steps[target], where, where.known()).verdict == verdict


def test_the_outputs_of_a_step_read_its_own_body() -> None:
    steps = shape().ids
    where = Reader(steps["two_ways"], "outputs")
    assert reached(steps["one_way"], where, frozenset({("one_way", "done")})).verdict == "runs"
    assert reached(steps["one_way"], where, frozenset()).verdict == "maybe"
    # The body failed, and of the two clauses only one goes on.
    assert reached(steps["other_way"], where, frozenset({("one_way", "not done")})).verdict == "runs"
    assert reached(steps["other_way"], where, frozenset()).verdict == "maybe"


def test_the_outputs_of_the_playbook_come_last() -> None:
    steps = shape().ids
    assert reached(steps["end"], Reader(None), frozenset()).verdict == "runs"
    assert reached(steps["perhaps"], Reader(None), frozenset()).verdict == "maybe"
    assert reached(steps["perhaps"], Reader(None), frozenset({("perhaps", "done")})).verdict == "runs"
    assert reached(steps["turn"], Reader(None), frozenset()).verdict == "hidden"


def test_a_condition_does_not_guard_itself() -> None:
    steps = shape().ids
    where = Reader(steps["conditional"], "when")
    assert reached(steps["perhaps"], where, where.known()).verdict == "maybe"
