"""What our journals say that our positions hold, against what the hub shows: reconciliation before an entry (C22).

Only positions of which everything is known are compared: those that the fold of the home's journal gives (runtime/holdings),
and what this process has seen to trade since. One that traded without a word of what it holds is left out from then on,
and so is one whose fill the hub may not show yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from mesoflow.safety.sent import VISIBLE_WITHIN
from mesoflow.trading.orders import OpenLeg, Order
from mesoflow.trading.settlement import settles_at

_ZERO: Final = Decimal(0)


class Positions:
    """Legs by position, and when each account was last found to agree."""

    __slots__ = ("_agreed", "_expires", "_legs", "_moved", "_nameless", "_plans")

    def __init__(self) -> None:
        self._legs: dict[int, tuple[str, dict[str, Decimal]]] = {}
        # By position: when its legs settle; from then on nobody holds them.
        self._expires: dict[int, dict[str, datetime]] = {}
        self._moved: dict[int, datetime] = {}
        self._plans: dict[int, int] = {}
        # By exec plan: fills of an entry whose position nobody has named yet.
        self._nameless: dict[int, list[tuple[Order, Decimal, datetime]]] = {}
        self._agreed: dict[str, datetime] = {}

    def know(self, positions: Mapping[str, Mapping[str, Any]]) -> None:
        """What the home's journal says, as a run's first record has it: position id → {account, legs, plans, expires}."""
        for key, entry in positions.items():
            self._expires.setdefault(int(key), {}).update(entry.get("expires", {}))
            self._legs[int(key)] = (str(entry["account"]), dict(entry["legs"]))
            self._plans.update(dict.fromkeys(entry.get("plans", ()), int(key)))

    def traded(self, position_id: int | None, order: Order, contracts: Decimal, at: datetime) -> None:
        """So many contracts of an order have filled, in whole packages. An entry at a broker names no position: its plan does,
        once one is known, and what filled before that counts from then on."""
        if position_id is None:
            position_id = self._plans.get(order.exec_plan_id)
        if position_id is None:
            self._nameless.setdefault(order.exec_plan_id, []).append((order, contracts, at))
            return
        if order.kind == "entry":
            self._plans[order.exec_plan_id] = position_id
        for earlier in self._nameless.pop(order.exec_plan_id, ()):
            self._add(position_id, *earlier)
        self._add(position_id, order, contracts, at)

    def _add(self, position_id: int, order: Order, contracts: Decimal, at: datetime) -> None:
        self._moved[position_id] = at
        known = self._legs.get(position_id)
        if known is None and order.kind != "entry":
            return
        account, legs = known or (order.account, {})
        whole, expires = order.contracts, self._expires.setdefault(position_id, {})
        for leg in order.legs:
            if leg.quantity:
                expires[leg.name] = settles_at(leg.contract)
                legs[leg.name] = legs.get(leg.name, _ZERO) + leg.quantity * contracts / whole
        self._legs[position_id] = (account, legs)

    def forget(self, position_id: int) -> None:
        """It has traded, and how much is not known."""
        self._legs.pop(position_id, None)

    def agreed(self, account: str, at: datetime) -> None:
        """Journals and hub have been compared and agree."""
        before = self._agreed.get(account)
        if before is None or at > before:
            self._agreed[account] = at

    def agreed_at(self, account: str) -> datetime | None:
        """When they last did."""
        return self._agreed.get(account)

    def differences(self, account: str, shown: Iterable[OpenLeg], as_of: datetime) -> list[str]:
        """In words, a leg each; empty when the hub shows what our journals say."""
        held: dict[int, dict[str, Decimal]] = {}
        for leg in shown:
            legs = held.setdefault(leg.position_id, {})
            legs[leg.name] = legs.get(leg.name, _ZERO) + leg.quantity
        found = []
        for position_id, (owner, expected) in self._legs.items():
            moved = self._moved.get(position_id)
            if owner != account or (moved is not None and as_of <= moved + VISIBLE_WITHIN):
                continue
            there, expires = held.get(position_id, {}), self._expires.get(position_id, {})
            for name in sorted(expected.keys() | there.keys()):
                if name in expires and as_of >= expires[name]:
                    continue
                wanted, has = expected.get(name, _ZERO), there.get(name, _ZERO)
                if wanted != has:
                    found.append(f"leg {name} of position {position_id} holds {has}, not {wanted}")
        return found
