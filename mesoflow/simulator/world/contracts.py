"""Between the market's options and the wire's contracts."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Any, cast

from mesoflow.hubs.models.contracts import LiveContract
from mesoflow.simulator.market.chain import Option, Right, settlement_of
from mesoflow.simulator.market.market import Market
from mesoflow.simulator.shared import data
from mesoflow.simulator.world.errors import bad


def live_underlying(symbol: str) -> dict[str, Any]:
    known = data("symbols.json")[symbol]
    return {
        "symbol": symbol,
        "contract_type": known["contract_type"],
        "exchange": known["exchange"],
        "currency": known["currency"],
    }


def multiplier_of(symbol: str) -> Decimal:
    return Decimal(data("symbols.json")[symbol]["multiplier"])


def live_contract(option: Option, market: Market) -> dict[str, Any]:
    """As the wire has it; the expiration is the time at which the settlement is fixed."""
    expiry = market.listing(option.underlying).expiry(option.root, option.expiration)
    assert expiry is not None, f"{option} has an expiration"
    return {
        "contract_type": "Options",
        "underlying": live_underlying(option.underlying),
        "root": option.root,
        "option_type": option.right,
        "expiration": expiry.settles,
        "strike": option.strike,
        "multiplier": multiplier_of(option.underlying),
    }


def option_of(contract: LiveContract) -> Option:
    """The option that a contract means. Raises Refused for what is none, or none of this market."""
    symbol = contract.underlying.symbol
    if contract.option_type not in ("Call", "Put") or contract.expiration is None or contract.strike is None:
        raise bad("Contract", "an option has a type, an expiration and a strike")
    root = contract.root if contract.root is not None else symbol
    if settlement_of(root, symbol) is None:
        raise bad("Contract", f"this market has no options {root} on {symbol}")
    right = cast("Right", str(contract.option_type))
    return Option(
        symbol, root, contract.expiration.astimezone(UTC).date(), contract.strike.normalize() + 0, right
    )
