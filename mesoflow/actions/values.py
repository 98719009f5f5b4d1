"""The value types of the catalogue: own words where the hub has three for one thing (ACTIONS.md, value types).

A price of a package is read from two sides, `.debit` and `.credit`; inside it is one signed number, + paid. Prices of a
plan or an execution as a whole are for one lot, those in groups for one package. Money is seen from the account.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from pydantic import Field

from mesoflow.actions.base import Outputs
from mesoflow.actions.kinds import Money, Number, Points, Seconds

PlanKind: TypeAlias = Literal["entry", "exit", "adjustment"]
OptionType: TypeAlias = Literal["put", "call"]


class Price(Outputs):
    """The price of a package, from two sides."""

    debit: Points = Field(description="paid; negative: received")
    credit: Points = Field(description="received; negative: paid")

    @classmethod
    def of(cls, signed: Decimal) -> Price:
        """From a signed price: + debit, − credit."""
        return cls(debit=signed, credit=Decimal(0) - signed)


class Quote(Outputs):
    """What a package would cost, from best to worst for you."""

    near: Price = Field(description="the side opposite to natural")
    mid: Price = Field(description="half way")
    natural: Price = Field(description="what the quotes would fill at once")
    width: Points = Field(description="from near to natural")
    age: Seconds = Field(description="of the oldest quote in it, in seconds")


class ContractQuote(Outputs):
    """A contract's market, never negative, as the market shows it. `bid: 0` means that nobody bids."""

    bid: Points = Field(description="bid")
    ask: Points | None = Field(description="ask")
    mid: Points | None = Field(description="half way between them")
    mark: Points | None = Field(description="the hub's preferred price")
    last: Points | None = Field(description="last trade")
    age: Seconds = Field(description="of the older side, in seconds")


class Greeks(Outputs):
    """Of the whole quantity, times 100. Null where the hub does not tell: a comparison with it is an error."""

    delta: Number | None = Field(description="a long put of 40 delta is -40")
    gamma: Number | None = Field(description="delta a point")
    theta: Number | None = Field(description="dollars a day")
    vega: Number | None = Field(description="dollars a point of volatility")
    wvega: Number | None = Field(description="vega, weighted by time")
    rho: Number | None = Field(description="dollars a point of interest rate")


class Pnl(Outputs):
    """Profit and loss, + gain."""

    realized: Money = Field(description="of what is closed")
    running: Money = Field(description="of what is open")
    total: Money = Field(description="both")


class Condition(Outputs):
    """A condition of the strategy and what it came to."""

    text: str = Field(description="as the strategy says it")
    kind: Literal["entry", "abort"] = Field(description="what it is for")
    result: bool | None = Field(description="what it came to; null when it could not be evaluated")


class Leg(Outputs):
    """A leg of a plan or of a position."""

    name: str = Field(description="its name in the strategy")
    leg_id: int | None = Field(description="the hub's id; null before it is open")
    option_type: OptionType = Field(description="put or call")
    root: str = Field(description="the option's root")
    expiration: date = Field(description="day of expiration")
    dte: int = Field(description="calendar days to it")
    strike: Number = Field(description="strike")
    quantity: Number = Field(description="contracts: + long or to buy, − short or to sell")
    group: int = Field(description="id of its leg group")
    quote: ContractQuote = Field(description="its market")
    greeks: Greeks = Field(description="of its whole quantity")
    iv: Number | None = Field(description="implied volatility, a fraction")


class Group(Outputs):
    """Legs that go to the broker as one order. Markers (quantity 0) are named and trade nothing."""

    id: int = Field(description="the plan's id for it")
    legs: list[str] = Field(description="names of its legs, markers included")
    ratio: dict[str, int] = Field(description="contracts of each leg in one package, signed; no markers")
    packages: int = Field(description="how many packages; 0: only markers, no order")
    side: Literal["debit", "credit", "even"] = Field(description="what it does at mid")
    quote: Quote = Field(description="of one package")


class Underlying(Outputs):
    """The underlying at the same time."""

    symbol: str = Field(description="which")
    mark: Points = Field(description="the hub's preferred price")
    age: Seconds = Field(description="of the mark, in seconds")


class ExecPlan(Outputs):
    """What a prepare step plans to trade."""

    exec_plan_id: int = Field(description="the hub's id")
    kind: PlanKind = Field(description="what it does")
    position_id: int | None = Field(description="of which position; null before an entry")
    position_name: str = Field(description="the position's name")
    strategy_id: int = Field(description="of which strategy")
    strategy_name: str = Field(description="its name")
    broker_account_id: str = Field(description="on which account")
    lots: Number = Field(description="how often the strategy's structure")
    legs: dict[str, Leg] = Field(description="what is traded, by name")
    groups: list[Group] = Field(description="what goes to the broker together")
    quote: Quote = Field(description="of one lot, all groups added")
    greeks: Greeks = Field(description="of everything")
    premium: Money = Field(description="paid or received at mid, never negative")
    max_loss: Money | None = Field(description="worst loss at expiry, traded at natural; null: none exists")
    underlying: Underlying = Field(description="the underlying at that time")
    vars: dict[str, Number] = Field(description="the strategy's variables")
    conditions: list[Condition] = Field(description="the strategy's conditions")
    prepared_at: datetime = Field(description="when the job ended")


class Order(Outputs):
    """An order at the broker."""

    order_id: int = Field(description="the hub's handle")
    group: int = Field(description="id of its leg group")
    packages: int = Field(description="how many were asked for")
    filled: int = Field(description="how many were filled")
    limit: Price = Field(description="its limit, for one package")
    state: Literal["working", "filled", "cancelled", "rejected", "expired"] = Field(description="how it is")
    sent_at: datetime = Field(description="when it left")


class FilledLeg(Outputs):
    """What traded of a leg."""

    quantity: Number = Field(description="contracts: + bought, − sold")
    average_price: Points = Field(description="without commission")


class GroupFill(Outputs):
    """What traded of a leg group."""

    id: int = Field(description="the plan's id for it")
    legs: list[str] = Field(description="names of its legs")
    packages: int = Field(description="how many were wanted")
    filled: int = Field(description="how many were filled")
    price: Price | None = Field(description="average of one package; null: nothing filled")
    conceded: Points | None = Field(description="how much worse than mid")
    rungs: int = Field(description="prices that were tried")


class Execution(Outputs):
    """What an exec plan came to."""

    exec_plan_id: int = Field(description="the hub's id")
    kind: PlanKind = Field(description="what it did")
    position_id: int = Field(description="of which position")
    ended: Literal["filled", "part_kept"] = Field(description="everything filled, or a part that was kept")
    lots: Number = Field(description="how often the strategy's structure")
    legs: dict[str, FilledLeg] = Field(description="what traded, by leg")
    groups: list[GroupFill] = Field(description="what traded, by leg group")
    price: Price = Field(description="of one lot, all groups added")
    cash: Money = Field(description="+ received, − paid")
    fees: Money | None = Field(description="commissions; null where the hub does not tell")
    orders: list[Order] = Field(description="the orders at the broker; none on a paper account")
    live: bool = Field(description="a broker was involved")
    finished_at: datetime = Field(description="when the legs had been compared")


class PositionRef(Outputs):
    """A position, in short."""

    position_id: int = Field(description="the hub's id")
    name: str = Field(description="its name")
    state: Literal["open", "closed"] = Field(description="open or closed")
    strategy_id: int = Field(description="of which strategy")
    strategy_name: str = Field(description="its name")
    opened_at: datetime = Field(description="when it was opened")
    days_open: Number = Field(description="days since then, or until it was closed")
    dte: int | None = Field(
        description="calendar days to the nearest expiration of an open leg; null: none is open"
    )
    lots: Number = Field(description="how often the strategy's structure")
    max_loss: Money | None = Field(description="worst loss at expiry of what is open; null: none exists")
    ours: bool = Field(description="this state home has traded it")


class Position(PositionRef):
    """A position with its figures."""

    legs: dict[str, Leg] = Field(description="open legs, by name")
    quote: Quote = Field(description="what closing one lot would cost")
    greeks: Greeks = Field(description="of everything")
    pnl: Pnl = Field(description="on the basis asked for")
    entry_cash: Money = Field(description="what opening the open legs brought: + received, − paid")
    vars: dict[str, Number] = Field(description="the strategy's variables")
    adjustments: int = Field(description="exec plans of ours since the entry")
    as_of: datetime = Field(description="when the figures were taken")


class Difference(Outputs):
    """Something on which our journals and MesoLive do not agree."""

    kind: Literal["missing", "extra", "quantity", "order", "execution"] = Field(description="what sort")
    summary: str = Field(description="in words")
    position_id: int | None = Field(description="of which position")
    leg: str | None = Field(description="of which leg")
