"""What an account must keep for its options (SIMULATOR.md S11, Reg-T in outline).

Longs are paid for and need nothing more. A short is covered by a long of the same right that lives at least as long: it needs
what the strikes can lose. What stays naked needs its market value and 15 % of the index less what it is out of the money, at
least 10 % (of the index for calls, of the strike for puts). Calls and puts of one expiration cannot both lose: the dearer
side counts, and the other side's naked market value. Cash, with the premiums received in it, must cover the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from mesoflow.simulator.market.chain import Option
from mesoflow.simulator.shared import data

_ZERO = Decimal(0)


@dataclass(slots=True)
class _Open:
    """So many contracts of one side, not paired yet."""

    option: Option
    count: Decimal


@dataclass(frozen=True, slots=True)
class _Side:
    """What the shorts of one right need: everything, and the market value of those that are naked."""

    needed: Decimal = _ZERO
    naked_value: Decimal = _ZERO


def requirement(
    held: Iterable[tuple[Option, Decimal]],
    mark: Callable[[Option], Decimal],
    level: Decimal,
    multiplier: Decimal,
) -> Decimal:
    """In dollars, of the contracts of one underlying at `level`."""
    net: dict[Option, Decimal] = {}
    for option, qty in held:
        net[option] = net.get(option, _ZERO) + qty
    total = _ZERO
    longs = [_Open(option, qty) for option, qty in net.items() if qty > 0]
    shorts = [_Open(option, -qty) for option, qty in net.items() if qty < 0]
    for day in sorted({short.option.expiration for short in shorts}):
        put, call = (
            _side(
                [s for s in shorts if s.option.expiration == day and s.option.call is is_call],
                [long for long in longs if long.option.call is is_call],
                mark,
                level,
            )
            for is_call in (False, True)
        )
        if put.needed >= call.needed:
            total += put.needed + call.naked_value
        else:
            total += call.needed + put.naked_value
    return total * multiplier


def _side(
    shorts: list[_Open], longs: list[_Open], mark: Callable[[Option], Decimal], level: Decimal
) -> _Side:
    needed = naked_value = _ZERO
    # Those nearest to the money are covered first, by what covers best.
    for short in sorted(shorts, key=lambda s: _depth(s.option), reverse=True):
        covers = [long for long in longs if long.option.expiration >= short.option.expiration]
        for long in sorted(covers, key=lambda c: (_gap(short.option, c.option), str(c.option))):
            paired = min(short.count, long.count)
            loss = min(_gap(short.option, long.option), _naked(short.option, mark, level))
            needed += paired * loss
            short.count -= paired
            long.count -= paired
        needed += short.count * _naked(short.option, mark, level)
        naked_value += short.count * mark(short.option)
    return _Side(needed, naked_value)


def _depth(option: Option) -> Decimal:
    return -option.strike if option.call else option.strike


def _gap(short: Option, long: Option) -> Decimal:
    """What the strikes of a pair can lose."""
    gap = long.strike - short.strike if short.call else short.strike - long.strike
    return max(gap, _ZERO)


def _naked(option: Option, mark: Callable[[Option], Decimal], level: Decimal) -> Decimal:
    constants = data("broker.json")["margin"]
    broad, least = (Decimal(constants[name]) / 100 for name in ("broad_percent", "least_percent"))
    out = max(option.strike - level if option.call else level - option.strike, _ZERO)
    floor = least * (level if option.call else option.strike)
    return mark(option) + max(broad * level - out, floor)
