"""Orders as they are kept: the broker's truth in columns, MesoLive's view as the wire's document, and the agenda.

The agenda is what will happen to orders at known times: arrivals, cancels, reports. Fills are not on it; they follow from
the market (matching.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from mesoflow.hubs.models.orders import Order
from mesoflow.simulator.broker.states import Phase
from mesoflow.simulator.faults import Mishap, MishapKind
from mesoflow.simulator.world.store import Store, moment_of, packed, unpacked, written

_COLUMNS = (
    "id, doc, key, account, broker, plan, leg_group, strategy, ratios, packages, multiplier, price_limit, price_stop, "
    "phase, done, broker_order, accepted, arrived, looked, triggered, seen, mishaps"
)
_ALIVE = "phase IN ('sent', 'working', 'frozen')"


@dataclass(frozen=True, slots=True)
class Placed:
    """One order. Prices are signed as a package is paid for: + debit, − credit. `ratios`: leg → signed contracts a package.

    `looked`: until when the market has been asked for it; `seen`: from when on MesoLive lists it.
    """

    id: int
    doc: Order
    key: str
    account: str
    broker: str
    plan: int
    group: int
    strategy: int
    ratios: dict[str, int]
    packages: int
    multiplier: Decimal | None
    limit: Decimal | None
    stop: Decimal | None
    phase: Phase
    done: int
    broker_order: str | None
    accepted: datetime
    arrived: datetime | None
    looked: datetime | None
    triggered: bool
    seen: datetime
    mishaps: tuple[Mishap, ...]

    @property
    def rest(self) -> int:
        return self.packages - self.done

    @property
    def sign(self) -> int:
        """Of its quantities on the wire: + bought (B), − sold (S)."""
        return 1 if self.doc.side == "B" else -1

    def shown(self, price: Decimal) -> Decimal:
        """A price as the wire has it, in the sign that its limit came in."""
        if self.limit is not None and self.doc.limit_price is not None and self.limit != self.doc.limit_price:
            return -price
        return price

    def mishap(self, what: MishapKind) -> Mishap | None:
        return next((mishap for mishap in self.mishaps if mishap.what == what), None)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the agenda."""

    id: int
    at: datetime
    order: int
    what: str
    doc: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BrokerFill:
    """One fill at the broker: packages, the price of one, the price of each leg. `event`: the number it was told under."""

    id: int
    order: int
    at: datetime
    packages: int
    price: Decimal
    prices: dict[str, Decimal]
    event: int | None


class Orders:
    """The orders, fills and agenda of a world. What writes does so only inside a change."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # Counts what was written, for whoever keeps what was read.
        self.version = 0

    # --- orders ----------------------------------------------------------------------------------------------------

    def add(self, order: Placed) -> None:
        self.version += 1
        places = ", ".join("?" * len(_COLUMNS.split(", ")))
        self._store.run(f"INSERT INTO orders ({_COLUMNS}) VALUES ({places})", _row(order))

    def put(self, order: Placed, **changes: Any) -> Placed:  # noqa: ANN401 - fields of Placed
        """Write an order with changes, and return it."""
        self.version += 1
        changed = replace(order, **changes)
        names = ", ".join(f"{name} = ?" for name in _COLUMNS.split(", ")[1:])
        self._store.run(f"UPDATE orders SET {names} WHERE id = ?", (*_row(changed)[1:], order.id))
        return changed

    def get(self, id: int) -> Placed | None:
        return next(self._find("id = ?", id), None)

    def alive(self, account: str | None = None) -> list[Placed]:
        return list(self._find(f"{_ALIVE} AND (?1 IS NULL OR account = ?1)", account))

    def of_broker(self, broker: str) -> list[Placed]:
        """Alive there."""
        return list(self._find(f"{_ALIVE} AND broker = ?", broker))

    def listed(
        self, now: datetime, plan: int | None, account: str | None, after: int, limit: int
    ) -> list[tuple[int, Order]]:
        """As MesoLive lists them."""
        found = self._store.rows(
            "SELECT id, doc FROM orders WHERE id > ? AND seen <= ? AND (?3 IS NULL OR plan = ?3) "
            "AND (?4 IS NULL OR account = ?4) ORDER BY id LIMIT ?5",
            (after, written(now), plan, account, limit),
        )
        return [(id, Order.read(unpacked(doc))) for id, doc in found]

    def _find(self, where: str, *args: object) -> Iterator[Placed]:
        for row in self._store.rows(f"SELECT {_COLUMNS} FROM orders WHERE {where} ORDER BY id", args):
            yield _order(row)

    # --- fills -----------------------------------------------------------------------------------------------------

    def add_fill(
        self, order: Placed, at: datetime, packages: int, price: Decimal, prices: Mapping[str, Decimal]
    ) -> int:
        id = self._store.next_id("broker_fills")
        self._store.run(
            "INSERT INTO broker_fills (id, live_order, at, packages, price, prices) VALUES (?, ?, ?, ?, ?, ?)",
            (id, order.id, written(at), packages, str(price), packed(prices)),
        )
        return id

    def fill_told(self, fill: int, event: int) -> None:
        self._store.run("UPDATE broker_fills SET event = ? WHERE id = ?", (event, fill))

    def fill(self, id: int) -> BrokerFill:
        return self._fills("id = ?", id)[0]

    def fills_since(self, since: datetime) -> list[BrokerFill]:
        """After a time, of all orders."""
        return self._fills("at > ?", written(since))

    def _fills(self, where: str, *args: object) -> list[BrokerFill]:
        rows = self._store.rows(
            f"SELECT id, live_order, at, packages, price, prices, event FROM broker_fills WHERE {where} ORDER BY id",
            args,
        )
        return [
            BrokerFill(id, order, moment_of(at), packages, Decimal(price), _decimals(prices), event)
            for id, order, at, packages, price, prices, event in rows
        ]

    # --- agenda ----------------------------------------------------------------------------------------------------

    def plan(self, at: datetime, order: int, what: str, **doc: Any) -> None:  # noqa: ANN401 - free JSON
        self._store.run(
            "INSERT INTO agenda (id, at, live_order, what, doc) VALUES (?, ?, ?, ?, ?)",
            (self._store.next_id("agenda"), written(at), order, what, packed(doc)),
        )

    def postpone(self, item: Item, at: datetime) -> None:
        """Its number stays, so that what was planned in an order stays in it."""
        self._store.run("UPDATE agenda SET at = ? WHERE id = ?", (written(at), item.id))

    def strike(self, item: Item) -> None:
        self._store.run("DELETE FROM agenda WHERE id = ?", (item.id,))

    def planned_at(self, order: int, what: str) -> datetime | None:
        """When the last of its kind happens to an order."""
        row = self._store.row("SELECT max(at) FROM agenda WHERE live_order = ? AND what = ?", (order, what))
        return None if row is None or row[0] is None else moment_of(row[0])

    def next_due(self) -> datetime | None:
        row = self._store.row("SELECT min(at) FROM agenda")
        return None if row is None or row[0] is None else moment_of(row[0])

    def due(self, at: datetime) -> Item | None:
        """The first item of a time."""
        row = self._store.row(
            "SELECT id, live_order, what, doc FROM agenda WHERE at = ? ORDER BY id LIMIT 1", (written(at),)
        )
        return None if row is None else Item(row[0], at, row[1], row[2], unpacked(row[3]))


def _row(order: Placed) -> tuple[object, ...]:
    return (
        order.id,
        packed(order.doc.wire()),
        order.key,
        order.account,
        order.broker,
        order.plan,
        order.group,
        order.strategy,
        packed(order.ratios),
        order.packages,
        _text(order.multiplier),
        _text(order.limit),
        _text(order.stop),
        str(order.phase),
        order.done,
        order.broker_order,
        written(order.accepted),
        None if order.arrived is None else written(order.arrived),
        None if order.looked is None else written(order.looked),
        int(order.triggered),
        written(order.seen),
        packed(order.mishaps),
    )


def _order(row: tuple[Any, ...]) -> Placed:
    id, doc, key, account, broker, plan, group, strategy, ratios, packages, multiplier, limit, stop = row[:13]
    phase, done, broker_order, accepted, arrived, looked, triggered, seen, mishaps = row[13:]
    return Placed(
        id=id,
        doc=Order.read(unpacked(doc)),
        key=key,
        account=account,
        broker=broker,
        plan=plan,
        group=group,
        strategy=strategy,
        ratios=unpacked(ratios),
        packages=packages,
        multiplier=_decimal(multiplier),
        limit=_decimal(limit),
        stop=_decimal(stop),
        phase=Phase(phase),
        done=done,
        broker_order=broker_order,
        accepted=moment_of(accepted),
        arrived=None if arrived is None else moment_of(arrived),
        looked=None if looked is None else moment_of(looked),
        triggered=bool(triggered),
        seen=moment_of(seen),
        mishaps=msgspec.json.decode(mishaps, type=tuple[Mishap, ...]),
    )


def _text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _decimals(text: str) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in unpacked(text).items()}
