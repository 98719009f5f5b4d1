"""How figures and times read to people: one form each, everywhere. Prices are said as debit or credit, never with a sign."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

EXCHANGE = ZoneInfo("America/New_York")


def day(value: date) -> str:
    """Thu 16 Jan 2025."""
    return f"{value:%a} {value.day} {value:%b %Y}"


def clock(at: datetime) -> str:
    """10:00:00, the exchange's time."""
    return f"{at.astimezone(EXCHANGE):%H:%M:%S}"


def moment(at: datetime) -> str:
    """Thu 16 Jan 2025 10:00:00 ET."""
    local = at.astimezone(EXCHANGE)
    return f"{day(local)} {local:%H:%M:%S} ET"


def length(seconds: Decimal | int) -> str:
    """1h 05m, 5m 30s, 12s."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}h {minutes:02d}m" if minutes else f"{hours}h"
    if minutes:
        return f"{minutes}m {rest:02d}s" if rest else f"{minutes}m"
    return f"{rest}s"


def money(value: Decimal | int | None) -> str:
    """4,225.00, with whole dollars bare: 4,225."""
    if value is None:
        return "?"
    rounded = Decimal(value).quantize(Decimal("0.01"))
    return f"{rounded:,.0f}" if rounded == rounded.to_integral_value() else f"{rounded:,.2f}"


def gain(value: Decimal | int | None) -> str:
    """Money with its sign: +57, -310.50."""
    if value is None:
        return "?"
    return ("+" if value > 0 else "") + money(value)


def points(value: Decimal | int | None) -> str:
    """42.25; at least two digits, no more than there are."""
    if value is None:
        return "?"
    exact = Decimal(value).normalize()
    digits = max(2, -int(exact.as_tuple().exponent))
    return f"{exact:,.{digits}f}"


def price(value: Mapping[str, Any] | Decimal | None) -> str:
    """42.25 debit, 1.10 credit, even. A Price as steps give it, or the signed price of inside."""
    signed = value["debit"] if isinstance(value, Mapping) else value
    if signed is None:
        return "?"
    if signed == 0:
        return "even"
    return f"{points(abs(signed))} {'debit' if signed > 0 else 'credit'}"


def quantity(value: Decimal | int) -> str:
    """+1, -10; whole where it is whole."""
    whole = Decimal(value)
    text = f"{whole:f}" if whole != whole.to_integral_value() else f"{int(whole)}"
    return text if whole < 0 else f"+{text}"


def count(number: int, thing: str) -> str:
    """1 leg, 2 legs."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def rung_text(
    name: str,
    *,
    limit: Decimal,
    market: tuple[Decimal, Decimal, Decimal],
    state: str,
    filled: int,
    packages: int,
    code: str = "",
    times: int = 1,
) -> str:
    """rung-2  1.40 credit  (near 1.65, mid 1.45, natural 1.25)  working, 0 of 1 filled. `market`: those three, signed.
    `code`: why it did not leave; `times`: how often that was so at this price."""
    near, mid, natural = (points(abs(figure)) for figure in market)
    fills = f", {filled} of {packages} filled" if filled or state == "working" else ""
    why = f" ({code})" if code else ""
    often = f", {times} times" if times > 1 else ""
    return f"{name.ljust(7)}  {price(limit):>12}  (near {near}, mid {mid}, natural {natural})  {state}{why}{often}{fills}"
