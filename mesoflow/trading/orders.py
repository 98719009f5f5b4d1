"""Orders as values: what is to be traded, at what price, and the facts the rails need to judge it.

An Order is complete: `safety` judges it without asking anybody, and `args` is what the hub gets, without the idempotency
key. Prices follow one convention inside: a package price is a signed Decimal in points per share, positive = debit (paid),
negative = credit (received); the words debit and credit appear only at the edges (LANGUAGE.md §3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

Kind = Literal["entry", "exit", "adjustment"]


@dataclass(frozen=True, slots=True)
class Contract:
    """One listed option. `multiplier` is dollars per point."""

    underlying: str
    root: str
    option_type: Literal["put", "call"]
    expiration: date
    strike: Decimal
    multiplier: Decimal = Decimal(100)


@dataclass(frozen=True, slots=True)
class Quote:
    """One contract's market: points; None where the market shows nothing. Ages in milliseconds at the time of reading."""

    bid: Decimal | None
    ask: Decimal | None
    mark: Decimal | None = None
    bid_age_ms: int | None = None
    ask_age_ms: int | None = None


@dataclass(frozen=True, slots=True)
class OrderLeg:
    """One leg of an order: `quantity` signed contracts to trade, `price` the fill price given on a paper account."""

    name: str
    contract: Contract
    quantity: Decimal
    group: int
    quote: Quote
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderGroup:
    """One leg group: whole packages at a limit. Signed package prices (+ debit, − credit), points per share."""

    id: int
    legs: tuple[str, ...]
    packages: int
    limit: Decimal
    worst: Decimal
    near: Decimal
    mid: Decimal
    natural: Decimal


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """A leg that is open at the hub on the account: signed quantity; `price` is what it was opened at, points per share."""

    position_id: int
    name: str
    contract: Contract
    quantity: Decimal
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What the rails need beside the order, read by the action, hence journalled. None: not known, and refused if needed.

    `as_of`: when quotes and legs were read; what has passed since counts as age. `is_paper`: what the hub says of the
    account. `agent_age_ms`: how old the agent's newest word of itself was then; None: nobody asked.
    """

    day_pnl: Decimal | None
    net_liquidation: Decimal | None
    open_legs: tuple[OpenLeg, ...]
    underlying_mark: Decimal | None
    as_of: datetime | None = None
    is_paper: bool | None = None
    agent_age_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """Everything about one trading call.

    `walk` is the path of the leg group's walk that this order is a rung of, "" for an order that is no rung; `target` is how
    many packages that walk wants in all; `until` ends its `within`: past it nothing is sent again.
    """

    method: Literal["ApplyPaperFills", "SendOrder"]
    account: str
    kind: Kind
    exec_plan_id: int
    position_id: int | None
    strategy_id: int
    symbol: str
    legs: tuple[OrderLeg, ...]
    groups: tuple[OrderGroup, ...]
    facts: OrderFacts
    args: Mapping[str, Any] = field(default_factory=dict)
    walk: str = ""
    target: int = 0
    until: datetime | None = None

    @property
    def contracts(self) -> Decimal:
        """Σ |quantity| over the legs."""
        return sum((abs(leg.quantity) for leg in self.legs), Decimal(0))
