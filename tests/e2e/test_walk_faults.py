"""A walk at the embedded world's broker under each dial: what befalls an order is survived, or a person is called.

Whatever happens, every run is held to the same, by the world's own ledger: no key was executed twice, no walk filled more
than was wanted, no limit was beyond the frozen worst price, an order that is alive is named by the run that has parked, and
what a run that is done says it holds is what is held (I1, I4, I5, I6, I13, I17).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mesoflow.cli.__main__ import main
from mesoflow.simulator.clock import EmbeddedClock
from mesoflow.simulator.faults import Faults, Loss, Mishap
from mesoflow.simulator.simulator import Simulator
from tests.support.virtual_loop import VirtualLoop

RUN = "faults-2025-01-16"
LOTS = 3
PLAYBOOK = f"""mesoflow: 1
name: faults
start: {{once_per: never}}
risk: {{accounts: [IB-1], max_contracts_per_order: 12, max_order_premium: 100000, max_order_loss: 100000,
       max_open_loss: 200000, max_daily_loss: 50000, max_distance_from_mid: 60% of mid}}
steps:
  - {{id: entry, action: entry.prepare, with: {{strategy: 101, lots: {LOTS}}}}}
  - id: buy
    action: orders.work
    with:
      exec_plan: "{{{{ steps.entry }}}}"
      price: {{start: mid, step: 0.20, every: 15s, worst: {{from_natural: 0.20}}}}
      within: 10m
      if_incomplete: keep
outputs:
  legs: "{{{{ steps.buy.legs }}}}"
"""
S = timedelta(seconds=1)
Dial = Callable[[Simulator], None]


@dataclass
class Ended:
    """How a run ended, by its journal, and what the world's ledger says."""

    code: int
    state: str
    reason: str
    said: str
    outputs: dict[str, Any]
    intended: list[dict[str, Any]]
    orders: list[Any] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    held: dict[str, Decimal] = field(default_factory=dict)


@pytest.fixture
def play(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Dial], Ended]:
    home = tmp_path / "home"
    monkeypatch.setenv("MESOFLOW_HOME", str(home))
    path = tmp_path / "faults.yaml"
    path.write_text(PLAYBOOK, encoding="utf-8")

    def run(dial: Dial) -> Ended:
        honest = Simulator.open.__func__  # type: ignore[attr-defined]

        def opened(cls: type[Simulator], *arguments: Any, **named: Any) -> Simulator:
            simulator: Simulator = honest(cls, *arguments, **named)
            dial(simulator)
            return simulator

        with monkeypatch.context() as patched:
            patched.setattr(Simulator, "open", classmethod(opened))
            code = main(["run", str(path)])
        told = capsys.readouterr()
        assert "bug in mesoflow" not in told.err, told.err
        main(["journal", RUN])
        lines = capsys.readouterr().out
        ended = _ended(code, [json.loads(line, parse_float=Decimal) for line in lines.splitlines()])
        _look(ended, home / "worlds" / "default")
        _hold(ended, lines)
        return ended

    return run


def _ended(code: int, records: list[dict[str, Any]]) -> Ended:
    bodies = [(record["kind"], record["body"]) for record in records if "kind" in record]
    last = next(body for kind, body in reversed(bodies) if kind in ("ended", "parked"))
    return Ended(
        code,
        last.get("state", "parked"),
        (last.get("error") or {}).get("code", "") or last.get("code", ""),
        json.dumps(last, default=str),
        last.get("outputs") or {},
        [body["order"] for kind, body in bodies if kind == "intended" and body.get("order")],
    )


def _look(ended: Ended, folder: Path) -> None:
    loop = VirtualLoop()
    simulator = Simulator.open(folder, lambda at: EmbeddedClock(loop, at), faults=Faults())
    try:
        ledger = simulator.world.ledger
        ended.orders, ended.keys = list(ledger.orders()), ledger.keys()
        for fill in ledger.fills():
            ended.held[fill.leg] = ended.held.get(fill.leg, Decimal(0)) + fill.qty
    finally:
        simulator.close()
        loop.close()


def _hold(ended: Ended, journal: str) -> None:
    """What is true of every run, however it ended."""
    assert set(ended.keys.values()) <= {1}
    assert sum(order.filled for order in ended.orders) <= LOTS or ended.code == 4
    for order in ended.intended:
        (group,) = order["groups"]
        assert _number(group["limit"]) <= _number(group["worst"])
    if any(order.alive for order in ended.orders):
        assert ended.code == 4, "an order is alive, and nobody is called"
    if ended.state == "done":
        told = {name: _number(leg["quantity"]) for name, leg in ended.outputs["legs"].items()}
        assert told == {name: quantity for name, quantity in ended.held.items() if quantity}


def _number(value: Any) -> Decimal:
    """A decimal of the journal, which is tagged there."""
    if isinstance(value, dict):
        return Decimal(next(iter(value.values())))
    return Decimal(str(value).removeprefix("=n"))


def mishap(*mishaps: Mishap) -> Dial:
    return lambda simulator: simulator.world.faults.orders.extend(mishaps)


def reply_lost(method: str) -> Dial:
    return lambda simulator: simulator.world.faults.lose_reply.append(Loss(method))


def request_lost(method: str) -> Dial:
    return lambda simulator: simulator.world.faults.lose_request.append(Loss(method))


def processing(simulator: Simulator) -> None:
    reply_lost("SendOrder")(simulator)
    simulator.world.faults.record_processing["SendOrder"] = 20 * S


def away(seconds: float) -> Dial:
    def change(simulator: Simulator) -> None:
        simulator.world.faults.hub_away(simulator.last_time + seconds * S, 40 * S)

    return change


def silent(simulator: Simulator) -> None:
    simulator.world.faults.silence(simulator.last_time, timedelta(minutes=20))


def restarted(simulator: Simulator) -> None:
    simulator.world.faults.broker_restart("IBKR", simulator.last_time + 8 * S, 10 * S)


def agent_away(simulator: Simulator) -> None:
    simulator.world.faults.agent_away("IBKR", simulator.last_time + 8 * S, 20 * S)


PARTLY = Mishap("fills", after=3 * S, packages=1)
SURVIVED: dict[str, Dial] = {
    "reply lost after SendOrder": reply_lost("SendOrder"),
    "reply lost after CancelOrder": reply_lost("CancelOrder"),
    "request lost of SendOrder": request_lost("SendOrder"),
    "request lost of CancelOrder": request_lost("CancelOrder"),
    "the record still reads Processing": processing,
    "a fill during the cancel": mishap(Mishap("fill_wins")),
    "a part, then a fill during the cancel": mishap(PARTLY, Mishap("fill_wins")),
    "a fill told twice under its id": mishap(PARTLY, Mishap("fill_told_twice")),
    "a fill told again as a new event": mishap(PARTLY, Mishap("fill_told_again")),
    "the order id comes late": mishap(Mishap("id_late", after=6 * S)),
    "the acknowledgement comes late": mishap(Mishap("ack_late", after=20 * S)),
    "the cancel is slow": mishap(Mishap("cancel_slow", after=30 * S)),
    "limbo until it is cancelled": mishap(Mishap("frozen", after=None)),
    "the hub is away for 40 s from the first rung on": away(6),
    "the hub is away for 40 s later": away(21),
    "fills by nothing but history and reads": silent,
    "the broker restarts with new ids": restarted,
}


@pytest.mark.parametrize("dial", SURVIVED.values(), ids=SURVIVED.keys())
def test_it_is_survived_and_everything_fills_once(play: Callable[[Dial], Ended], dial: Dial) -> None:
    ended = play(dial)
    assert (ended.code, ended.state) == (0, "done"), ended.said
    assert sum(order.filled for order in ended.orders) == LOTS


REFUSED: dict[str, tuple[Dial, str]] = {
    "a rejection on arrival": (mishap(Mishap("reject", reason="margin")), "rejected"),
    "a rejection after the acknowledgement": (mishap(Mishap("late_reject", after=4 * S)), "rejected"),
    "a person cancels our order": (mishap(Mishap("person_cancels", after=4 * S)), "not_filled"),
}


@pytest.mark.parametrize(("dial", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_it_ends_the_walk_and_nothing_is_held(play: Callable[[Dial], Ended], dial: Dial, code: str) -> None:
    ended = play(dial)
    assert (ended.code, ended.state, ended.reason) == (1, "failed", code), ended.said
    assert (len(ended.orders), {name: qty for name, qty in ended.held.items() if qty}) == (1, {})


def test_a_person_cancels_what_has_filled_in_part_and_the_part_is_kept(play: Callable[[Dial], Ended]) -> None:
    ended = play(mishap(PARTLY, Mishap("person_cancels", after=6 * S)))
    assert (ended.code, ended.state) == (0, "done"), ended.said
    assert [order.filled for order in ended.orders] == [1]


CALLED: dict[str, Dial] = {
    "a fill after the cancel was acknowledged": mishap(Mishap("fill_after_cancel", after=8 * S)),
    "a record that says Failed of an order that the broker then takes": mishap(Mishap("record_failed")),
    "a person closes our position meanwhile": mishap(PARTLY, Mishap("person_closes", after=2 * S)),
}


@pytest.mark.parametrize("dial", CALLED.values(), ids=CALLED.keys())
def test_a_person_is_called(play: Callable[[Dial], Ended], dial: Dial) -> None:
    ended = play(dial)
    assert (ended.code, ended.state) == (4, "parked"), ended.said


def test_the_agent_is_away_during_the_walk(play: Callable[[Dial], Ended]) -> None:
    """Its reports come when it is back; no order leaves meanwhile (C15)."""
    ended = play(agent_away)
    assert ended.state == "done", ended.said
