"""Each checker on the evidence of a real walk, where it finds nothing, and on a mutant of that evidence, which it catches.

A checker that has never failed counts as missing: one mutant a checker, named for what it breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from mesoflow.journal.records import Record
from mesoflow.rehearsal.checkers.catalogue import CHECKERS, violations
from mesoflow.rehearsal.evidence import Calm, Evidence, Violation, last, live_ids, sent
from mesoflow.simulator.faults import Mishap
from tests.support.played import played

RUN = "checked-2025-01-16"
PLAYBOOK = """mesoflow: 1
name: checked
start: {once_per: never}
risk: {accounts: [IB-1], max_contracts_per_order: 12, max_order_premium: 100000, max_order_loss: 100000,
       max_open_loss: 200000, max_daily_loss: 50000, max_distance_from_mid: 60% of mid}
steps:
  - {id: entry, action: entry.prepare, with: {strategy: 101, lots: 3}}
  - id: buy
    action: orders.work
    with:
      exec_plan: "{{ steps.entry }}"
      price: {start: mid, step: 0.20, every: 15s, worst: {from_natural: 0.20}}
      within: 10m
  - id: close
    action: position.exit
    retry: {attempts: 3, errors: [not_filled, incomplete], wait: 10s}
    with:
      position_id: "{{ steps.buy.position_id }}"
      price: {start: mid, step: 0.20, every: 15s, worst: {from_natural: 0.20}}
      within: 10m
"""


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    """Three calendars: one fills at the first rung, the others later; then they are closed."""
    folder = tmp_path_factory.mktemp("walk")
    (folder / "checked.yaml").write_text(PLAYBOOK, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        part = Mishap("fills", after=timedelta(seconds=3), packages=1)
        code, evidence = played(
            folder / "checked.yaml",
            folder / "home",
            patched,
            lambda simulator: simulator.world.faults.orders.append(part),
        )
    assert code == 0
    assert len(evidence.orders) > 1, "one rung is no walk"
    yield evidence


def test_a_real_walk_breaks_nothing(walk: Evidence) -> None:
    assert violations(walk) == []
    assert any(one.verdict["only_reduces"] for one in sent(walk.runs[RUN])), "I8 has something to judge"
    calm = Calm(walk.runs[RUN][0].body["at"], 1)
    assert violations(replace(walk, earlier=walk, calm=calm)) == []


# --- mutants: each doctors the evidence as a broken engine would leave it ----------------------------------------------


def changed(
    evidence: Evidence, change: Callable[[Record, dict[str, Any]], Mapping[str, Any] | None]
) -> Evidence:
    """The journal with each body changed; None leaves the record out."""
    kept = []
    for record in evidence.runs[RUN]:
        body = change(record, deepcopy(dict(record.body)))
        if body is not None:
            kept.append(replace(record, body=body))
    return replace(evidence, runs={RUN: tuple(kept)})


def orders_changed(evidence: Evidence, change: Callable[[dict[str, Any]], None]) -> Evidence:
    """Every journalled intent of an order, changed in place."""

    def each(record: Record, body: dict[str, Any]) -> dict[str, Any]:
        if record.kind == "intended" and body.get("order"):
            change(body)
        return body

    return changed(evidence, each)


def sends_the_whole_size_again(evidence: Evidence) -> Evidence:
    """After a partial fill the next rung is as big as the first."""

    def whole(body: dict[str, Any]) -> None:
        body["order"]["groups"] = [{**body["order"]["groups"][0], "packages": 3}]

    return orders_changed(evidence, whole)


def writes_no_intent(evidence: Evidence) -> Evidence:
    return changed(evidence, lambda record, body: None if record.kind == "intended" else body)


def sends_beside_an_unknown(evidence: Evidence) -> Evidence:
    first = next(sent(evidence.runs[RUN]))

    def without(record: Record, body: dict[str, Any]) -> dict[str, Any] | None:
        return None if record.kind == "settled" and body["path"] == first.path else body

    return changed(evidence, without)


def executes_a_key_twice(evidence: Evidence) -> Evidence:
    return replace(evidence, executed=(*evidence.executed, evidence.executed[0]))


def loses_a_fill(evidence: Evidence) -> Evidence:
    filled = max(evidence.orders, key=lambda order: order.filled)
    more = tuple(
        replace(order, filled=order.filled + 1, shown=order.filled + 1) if order is filled else order
        for order in evidence.orders
    )
    return replace(evidence, orders=more)


def passes_the_worst_price(evidence: Evidence) -> Evidence:
    def past(body: dict[str, Any]) -> None:
        group = body["order"]["groups"][0]
        body["order"]["groups"] = [{**group, "limit": group["worst"] + Decimal("0.05")}]

    return orders_changed(evidence, past)


def sends_while_halted(evidence: Evidence) -> Evidence:
    """Somebody halted before the second order was intended."""
    second = list(sent(evidence.runs[RUN]))[1]
    said = {"state": "HALTED", "owner": "ops", "reason": "drill", "at": second.at}
    return replace(evidence, home=(Record(second.home_seq - 1, "", 1, "state", said, ""),))


def leaves_legs_uncovered(evidence: Evidence) -> Evidence:
    """An exit that passes as one that reduces trades the long leg only."""

    def long_only(body: dict[str, Any]) -> None:
        if body["order"]["kind"] == "exit":
            body["order"]["legs"] = [leg for leg in body["order"]["legs"] if leg["name"] == "long_put"]

    return orders_changed(evidence, long_only)


def sends_on_a_second_recovery(evidence: Evidence) -> Evidence:
    again = replace(evidence.executed[0], key="mf-another")
    return replace(evidence, executed=(*evidence.executed, again), earlier=evidence)


def trades_live_as_simulated(evidence: Evidence) -> Evidence:
    def live(record: Record, body: dict[str, Any]) -> dict[str, Any]:
        return body | {"hub": body["hub"] | {"kind": "live"}} if record.kind == "started" else body

    return changed(evidence, live)


def never_comes_to_its_end(evidence: Evidence) -> Evidence:
    long_ago = evidence.runs[RUN][0].body["at"] - timedelta(days=1)
    return replace(evidence, calm=Calm(long_ago, 1))


def enters_at_night(evidence: Evidence) -> Evidence:
    def later(body: dict[str, Any]) -> None:
        body["at"] = body["at"] + timedelta(hours=12)

    return orders_changed(evidence, later)


def judges_nothing(evidence: Evidence) -> Evidence:
    def unread(body: dict[str, Any]) -> None:
        body["verdict"] = {"passed": True, "lines": []}

    return orders_changed(evidence, unread)


def ends_nowhere(evidence: Evidence) -> Evidence:
    return changed(evidence, lambda record, body: None if record.kind == "ended" else body)


def counts_a_leg_that_did_not_trade(evidence: Evidence) -> Evidence:
    return replace(evidence, fills=evidence.fills[1:])


def ends_as_it_did_not(evidence: Evidence) -> Evidence:
    def otherwise(record: Record, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "state": "skipped"} if record.kind == "ended" else body

    return changed(evidence, otherwise)


def leaves_an_order_alive(evidence: Evidence) -> Evidence:
    alive = tuple(replace(order, phase="working") for order in evidence.orders[:1])
    return replace(evidence, orders=alive + evidence.orders[1:])


MUTANTS: dict[str, Callable[[Evidence], Evidence]] = {
    "I1": sends_the_whole_size_again,
    "I2": writes_no_intent,
    "I3": sends_beside_an_unknown,
    "I4": executes_a_key_twice,
    "I5": loses_a_fill,
    "I6": passes_the_worst_price,
    "I7": sends_while_halted,
    "I8": leaves_legs_uncovered,
    "I9": enters_at_night,
    "I10": judges_nothing,
    "I11": sends_on_a_second_recovery,
    "I12": ends_nowhere,
    "I13": counts_a_leg_that_did_not_trade,
    "I14": trades_live_as_simulated,
    "I15": ends_as_it_did_not,
    "I16": never_comes_to_its_end,
    "I17": leaves_an_order_alive,
}


@pytest.mark.parametrize("invariant", CHECKERS)
def test_each_checker_catches_its_mutant(walk: Evidence, invariant: str) -> None:
    found = CHECKERS[invariant](MUTANTS[invariant](walk))
    assert found and {one.invariant for one in found} == {invariant}


def test_a_run_that_parks_and_names_its_order_has_told_somebody(walk: Evidence) -> None:
    """The same order alive is no violation where the park names it."""
    records = walk.runs[RUN]
    alive = leaves_an_order_alive(walk)
    named = next(iter(live_ids(records).values()))

    def parked(record: Record, body: dict[str, Any]) -> dict[str, Any]:
        return body | {"working": [named]} if record.kind == "ended" else body

    told = changed(alive, parked)
    records = tuple(
        replace(record, kind="parked") if record.kind == "ended" else record for record in told.runs[RUN]
    )
    end = last(records)
    assert end is not None and end.kind == "parked"
    assert CHECKERS["I17"](replace(told, runs={RUN: records})) == []


def test_a_fill_that_mesolive_has_not_heard_of_can_be_known_to_nobody(walk: Evidence) -> None:
    """A run that was over when it was told is not to blame; the next one finds it (C22)."""
    filled = max(walk.orders, key=lambda order: order.filled)
    more = [fill for fill in walk.fills if fill.key == filled.key]
    late = replace(
        walk,
        orders=tuple(
            replace(o, filled=o.filled * 2, shown=o.filled) if o is filled else o for o in walk.orders
        ),
        fills=(*walk.fills, *more),
    )
    assert violations(late) == []
    told = replace(late, orders=tuple(replace(order, shown=None) for order in late.orders))
    assert {found.invariant for found in violations(told)} >= {"I5", "I13"}


def test_a_cancel_may_be_executed_again(walk: Evidence) -> None:
    again = next(call for call in walk.executed if call.operation == "CancelOrder")
    assert CHECKERS["I4"](replace(walk, executed=(*walk.executed, again))) == []


def test_a_violation_is_one_sentence() -> None:
    assert str(Violation("I6", "buy/rung-1", "1 is past 2")) == "I6 at buy/rung-1: 1 is past 2"
