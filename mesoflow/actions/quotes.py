"""Quotes of several legs at one time: two-sided, fresh, not crossed, or waited for.

Open legs are asked for together, by their ids; legs of an entry have none yet and are asked for one by one, by contract,
again and again until all of them are fresh at the same instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from mesoflow.actions.base import Acting
from mesoflow.actions.data import provider_of
from mesoflow.actions.hub import Overdue, insist
from mesoflow.actions.ready import is_two_sided
from mesoflow.engine.action import Context
from mesoflow.engine.effects import Value
from mesoflow.engine.errors import StepError
from mesoflow.engine.paths import attempt
from mesoflow.hubs.models.data import ContractDataEntry, LegsDataEntry
from mesoflow.hubs.models.prices import LivePrices
from mesoflow.trading.orders import Contract

# Rounds in which a leg has grown stale while another was read: with reads of milliseconds, more is a broken feed.
_ROUNDS_MAX = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A leg to be quoted; `leg_id` is None before it is open. `sold` says whether we sell it, None: we only look."""

    contract: Contract
    leg_id: int | None = None
    sold: bool | None = None


def leg_quotes(
    ctx: Context,
    name: str,
    legs: Mapping[str, Asked],
    max_age: timedelta,
    until: datetime,
    overdue: Overdue = "refuse",
) -> Acting[dict[str, LivePrices]]:
    """Prices of every leg, all fresh now; `no_quote` at `until`. Legs that trade must pass the quote gate as well."""
    age_ms = int(max_age / timedelta(milliseconds=1))
    if all(asked.leg_id is not None for asked in legs.values()):
        return (yield from _open_legs(ctx, name, legs, age_ms, until, overdue))
    for number in range(1, _ROUNDS_MAX + 1):
        prices: dict[str, LivePrices] = {}
        for leg, asked in legs.items():
            prices[leg] = yield from _contract(
                ctx, f"{attempt(name, number)}/{leg}", leg, asked, age_ms, until, overdue
            )
        if all_fresh(prices, max_age, ctx.now):
            return prices
    raise StepError(
        "no_quote", f"the legs were never fresh at one time in {_ROUNDS_MAX} rounds", {}, retryable=True
    )


def all_fresh(prices: Mapping[str, LivePrices], max_age: timedelta, now: datetime) -> bool:
    """Whether each of these has two sides that are fresh by now."""
    age_ms = int(max_age / timedelta(milliseconds=1))
    return all(is_two_sided(block.value(), age_ms, now) for block in prices.values())


def wire_contract(contract: Contract) -> dict[str, Value]:
    """A contract as the hub is asked for it; an expiration is written as its day (hubs/inferred.py)."""
    return {
        "contract_type": "Options",
        "underlying": {"symbol": contract.underlying},
        "root": contract.root,
        "option_type": contract.option_type.capitalize(),
        "expiration": datetime.combine(contract.expiration, time(0), UTC),
        "strike": contract.strike,
        "multiplier": contract.multiplier,
    }


def _open_legs(
    ctx: Context, name: str, legs: Mapping[str, Asked], age_ms: int, until: datetime, overdue: Overdue
) -> Acting[dict[str, LivePrices]]:
    ids = {leg: asked.leg_id for leg, asked in legs.items() if asked.leg_id is not None}
    trades = any(asked.sold is not None for asked in legs.values())
    sold = [asked.leg_id for asked in legs.values() if asked.sold]
    args: dict[str, Value] = {"leg_ids": list(ids.values()), "include": "Prices", "provider": ctx.provider}
    entry = yield from insist(
        name,
        "GetLegsSnapshot",
        args,
        LegsDataEntry,
        ready="legs_tradable" if trades else "legs_fresh",
        params={"leg_ids": list(ids.values()), **({"sold": sold} if trades else {"max_age_ms": age_ms})},
        until=until,
        code="no_quote",
        summary=_missing(", ".join(ids), age_ms, trades),
        overdue=overdue,
    )
    found = entry.leg_prices or {}
    return {leg: found[leg_id] for leg, leg_id in ids.items()}


def _contract(
    ctx: Context, name: str, leg: str, asked: Asked, age_ms: int, until: datetime, overdue: Overdue
) -> Acting[LivePrices]:
    trades = asked.sold is not None
    args: dict[str, Value] = {
        "contract": wire_contract(asked.contract),
        "include": "Prices",
        "provider": provider_of(ctx, None),
    }
    entry = yield from insist(
        name,
        "GetContractSnapshot",
        args,
        ContractDataEntry,
        ready="contract_tradable" if trades else "contract_fresh",
        params={"sold": asked.sold} if trades else {"max_age_ms": age_ms},
        until=until,
        code="no_quote",
        summary=_missing(leg, age_ms, trades),
        overdue=overdue,
    )
    assert entry.prices is not None, "the watch has seen a quote"
    return entry.prices


def _missing(legs: str, age_ms: int, trades: bool) -> str:
    sort = "quote that an order could be priced with" if trades else "two-sided quote"
    return f"no {sort} of the last {age_ms / 1000:g} s for {legs}"
