"""Orders for the tests of safety: good ones, which every rail holds for, and the means to spoil one thing at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from mesoflow.safety.environment import Environment
from mesoflow.safety.judge import judge
from mesoflow.safety.ledger import Ledger
from mesoflow.safety.limits import Limits
from mesoflow.safety.verdicts import Verdict
from mesoflow.trading.combos import package_quote, ratio_of
from mesoflow.trading.orders import Contract, OpenLeg, Order, OrderFacts, OrderGroup, OrderLeg, Quote
from mesoflow.trading.paper import PaperLeg, split

D = Decimal
NOW = datetime(2025, 1, 17, 20, 45, tzinfo=UTC)
RUN = "friday-put-calendar-2025-01-17"
NEAR, FAR = date(2025, 2, 16), date(2025, 3, 18)
RISK: dict[str, Any] = {
    "accounts": ["PAPER-1"],
    "max_contracts_per_order": 10,
    "max_order_premium": 25000,
    "max_order_loss": 25000,
    "max_open_loss": 50000,
    "max_daily_loss": "1% of net_liquidation",
    "max_distance_from_mid": ["15% of mid", D("2.00")],
}
HERE = Environment(
    run_id=RUN, durable=True, semantics=1, pinned_semantics=1, program="abc", pinned_program="abc", run_number=1, policy="def",
    policy_accepted=True,
)  # fmt: skip


def contract(option_type: str = "put", strike: int = 6000, expiration: date = NEAR) -> Contract:
    return Contract("SPX", "SPXW", option_type, expiration, D(strike))  # type: ignore[arg-type]


def quote(bid: str, ask: str, age_ms: int = 200) -> Quote:
    return Quote(D(bid), D(ask), None, age_ms, age_ms)


def facts(**other: Any) -> OrderFacts:
    known: dict[str, Any] = {
        "day_pnl": D("-120"),
        "net_liquidation": D("250000"),
        "open_legs": (),
        "underlying_mark": D("6000.25"),
        "as_of": NOW - timedelta(milliseconds=300),
        "is_paper": True,
    }
    return OrderFacts(**{**known, **other})


# (name, contract, quantity, quote)
Leg = tuple[str, Contract, int, Quote]
CALENDAR: tuple[Leg, ...] = (
    ("near_put", contract(expiration=NEAR), -2, quote("55.40", "56.40")),
    ("far_put", contract(expiration=FAR), 2, quote("97.60", "98.90")),
)
CONDOR: tuple[Leg, ...] = (
    ("short_put", contract("put", 5800), -2, quote("10.00", "10.20")),
    ("long_put", contract("put", 5775), 2, quote("8.00", "8.20")),
    ("short_call", contract("call", 6200), -2, quote("9.00", "9.20")),
    ("long_call", contract("call", 6225), 2, quote("7.00", "7.20")),
)
STRANGLE: tuple[Leg, ...] = (
    ("short_put", contract("put", 5700), -1, quote("7.00", "7.20")),
    ("short_call", contract("call", 6300), -1, quote("6.00", "6.20")),
)


def order(
    legs: Sequence[Leg] = CALENDAR, *, worse: str = "0.30", limit: str | None = None, **other: Any
) -> Order:
    """A paper fill of one group at its worst price, `worse` than mid on the tick; `other` replaces what it says."""
    ratio = ratio_of({name: quantity for name, _, quantity, _ in legs})
    market = package_quote((ratio.legs[name], quoted) for name, _, _, quoted in legs)
    price = D(limit) if limit is not None else market.mid + D(worse)
    prices = split(price, [PaperLeg(name, ratio.legs[name], quoted) for name, _, _, quoted in legs])
    made = Order(
        method="ApplyPaperFills",
        account="PAPER-1",
        kind="entry",
        exec_plan_id=7001,
        position_id=None,
        strategy_id=101,
        symbol="SPX",
        legs=tuple(
            OrderLeg(name, what, D(quantity), 1, quoted, prices[name])
            for name, what, quantity, quoted in legs
        ),
        groups=(
            OrderGroup(
                id=1,
                legs=tuple(name for name, *_ in legs),
                packages=ratio.packages,
                limit=price,
                worst=price,
                near=market.near,
                mid=market.mid,
                natural=market.natural,
            ),
        ),
        facts=facts(),
    )
    return replace(made, **other)


def opened(
    legs: Sequence[Leg] = CALENDAR, position_id: int = 4711, priced: bool = True
) -> tuple[OpenLeg, ...]:
    """The legs as the hub shows them once they are open, at their mid."""
    return tuple(
        OpenLeg(position_id, name, what, D(quantity), (q.bid + q.ask) / 2 if priced else None)  # type: ignore[operator]
        for name, what, quantity, q in legs
    )


def closing(legs: Sequence[Leg] = CALENDAR, **other: Any) -> Order:
    """The exit of an open position."""
    back = [(name, what, -quantity, quoted) for name, what, quantity, quoted in legs]
    known = {
        "kind": "exit",
        "position_id": 4711,
        "exec_plan_id": 7002,
        "facts": facts(open_legs=opened(legs)),
    }
    return order(back, **{**known, **other})


def with_group(made: Order, **other: Any) -> Order:
    return replace(made, groups=(replace(made.groups[0], **other),))


def with_quotes(made: Order, quoted: Quote) -> Order:
    return replace(made, legs=tuple(replace(leg, quote=quoted) for leg in made.legs))


def with_facts(made: Order, **other: Any) -> Order:
    return replace(made, facts=replace(made.facts, **other))


def judged(
    made: Order,
    *,
    ledger: Ledger | None = None,
    now: datetime = NOW,
    here: Environment = HERE,
    path: str = "",
    **risk: Any,
) -> Verdict:
    """Judge with the risk above, of which `risk` replaces keys; None takes a key out."""
    said = {key: value for key, value in {**RISK, **risk}.items() if value is not None}
    return judge(made, Limits.parse(said), ledger or Ledger(), now, here, path=path)


def refused(verdict: Verdict) -> list[str]:
    """The codes that refused, in order."""
    return [line.code for line in verdict.refusals]
