"""The ledger: what was really executed, written in the same transaction and computed from nothing else.

Checkers read it, runners never see it. Positions are added up here from the fills alone, not read from the positions'
own table: the two must agree.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from mesoflow.simulator.world.store import Store, moment_of, unpacked, written


@dataclass(frozen=True, slots=True)
class Fill:
    """One leg's fill: signed contracts, points, dollars."""

    at: datetime
    operation: str
    key: str
    account: str
    plan: int
    position: int
    leg: str
    contract: str
    qty: Decimal
    price: Decimal
    commission: Decimal


@dataclass(frozen=True, slots=True)
class Executed:
    """One executed trading call."""

    at: datetime
    operation: str
    key: str
    account: str
    plan: int


@dataclass(frozen=True, slots=True)
class Ordered:
    """One order as its broker knows it: packages wanted and filled, the signed limit of one, and where it is in its life
    (simulator/broker/states.py). `shown`: packages that MesoLive has heard to be filled; None: all of them."""

    id: int
    key: str
    account: str
    plan: int
    group: int
    packages: int
    filled: int
    limit: Decimal | None
    phase: str
    shown: int | None = None

    @property
    def told(self) -> int:
        """Packages filled, as far as anybody can know from MesoLive."""
        return self.filled if self.shown is None else self.shown

    @property
    def alive(self) -> bool:
        return self.phase in ("sent", "working", "frozen")


class Ledger:
    """The ledger of one world."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # --- only inside a change --------------------------------------------------------------------------------------

    def executed_call(self, call: Executed) -> None:
        self._store.run(
            "INSERT INTO ledger (id, at, operation, key, account, plan) VALUES (?, ?, ?, ?, ?, ?)",
            (
                self._store.next_id("ledger"),
                written(call.at),
                call.operation,
                call.key,
                call.account,
                call.plan,
            ),
        )

    def filled(self, fill: Fill) -> None:
        self._store.run(
            "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._store.next_id("ledger"),
                written(fill.at),
                fill.operation,
                fill.key,
                fill.account,
                fill.plan,
                fill.position,
                fill.leg,
                fill.contract,
                str(fill.qty),
                str(fill.price),
                str(fill.commission),
            ),
        )

    # --- reading ---------------------------------------------------------------------------------------------------

    def executed(self) -> list[Executed]:
        """Every executed trading call, in its order."""
        rows = self._store.rows(
            "SELECT at, operation, key, account, plan FROM ledger WHERE leg IS NULL ORDER BY id"
        )
        return [Executed(moment_of(at), *rest) for at, *rest in rows]

    def fills(self) -> list[Fill]:
        rows = self._store.rows(
            "SELECT at, operation, key, account, plan, position, leg, contract, qty, price, commission "
            "FROM ledger WHERE leg IS NOT NULL ORDER BY id"
        )
        return [
            Fill(moment_of(at), *rest, *map(Decimal, figures))
            for at, *rest, q, p, c in rows
            for figures in [(q, p, c)]
        ]

    def orders(self) -> list[Ordered]:
        """Every order that was accepted, in its order; what the broker says, and what MesoLive has heard of it."""
        rows = self._store.rows(
            "SELECT id, key, account, plan, leg_group, packages, done, price_limit, phase, doc FROM orders ORDER BY id"
        )
        return [
            Ordered(
                id,
                key,
                account,
                plan,
                group,
                packages,
                done,
                None if limit is None else Decimal(limit),
                phase,
                int(abs(Decimal(unpacked(doc)["CumQty"]))),
            )
            for id, key, account, plan, group, packages, done, limit, phase, doc in rows
        ]

    def keys(self) -> dict[str, int]:
        """How often each key was executed; more than once is a broken promise."""
        return dict(Counter(call.key for call in self.executed()))

    def positions(self) -> dict[tuple[str, str], Decimal]:
        """(account, contract) → contracts held, added up from the fills; what is flat is left out."""
        held: dict[tuple[str, str], Decimal] = {}
        for fill in self.fills():
            place = (fill.account, fill.contract)
            held[place] = held.get(place, Decimal(0)) + fill.qty
        return {place: qty for place, qty in sorted(held.items()) if qty}

    def cash(self) -> dict[str, Decimal]:
        """account → points received less points paid, times a hundred, less commissions."""
        found: dict[str, Decimal] = {}
        for fill in self.fills():
            received = -fill.qty * fill.price * 100 - fill.commission
            found[fill.account] = found.get(fill.account, Decimal(0)) + received
        return found

    def facts(self) -> list[tuple[Any, ...]]:
        """What two runs of one playbook must have in common: calls, orders and fills in their order, without times and keys."""
        return [
            *((call.operation, call.account) for call in self.executed()),
            *((o.account, o.group, o.packages, o.filled, o.limit, o.phase) for o in self.orders()),
            *((fill.account, fill.leg, fill.contract, fill.qty, fill.price) for fill in self.fills()),
        ]
