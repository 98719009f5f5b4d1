"""Price policies: what a playbook writes under `price`, and the ladder of limits that it becomes at decision time.

A policy is words (LANGUAGE.md §3); `freeze` turns it, once, into signed prices on the order's ticks, which are never
computed again: later quotes only gate. Worse is worse for you, so on a signed price (+ debit, − credit) worse is more.
Of several worst prices the tightest counts. Rounding is in your favour, so never beyond worst.

Which side an order is on is said by its quotes. It pays for certain when even near is no credit, it receives for certain
when even natural is no debit; between the two the words of both sides make sense.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from mesoflow.trading.amounts import Amount, Measures
from mesoflow.trading.combos import PackageQuote
from mesoflow.trading.durations import PATTERN as DURATION_PATTERN
from mesoflow.trading.durations import Duration
from mesoflow.trading.ticks import Ticks

_ZERO = Decimal(0)
Word: TypeAlias = Literal["near", "mid", "natural"]


def _positive(value: object) -> Decimal:
    """A price with its word is never negative: the word carries the sign."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{value!r} is no price; write a number of points, as in {{debit: 42.50}}")
    price = Decimal(value)
    if not price.is_finite() or price < 0:
        raise ValueError(
            f"{value} cannot be: the word carries the sign, write credit instead of a negative debit"
        )
    return price


def _several(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _distance(value: object) -> Amount:
    amount = Amount.parse(value)
    if amount.unit == "net_liquidation":
        raise ValueError(
            f"{amount} is money, and belongs into risk; a price takes 0.30, 2 ticks or 15% of mid"
        )
    return amount


_AMOUNT_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "number"},
        {
            "type": "string",
            "pattern": r"^-?\d{1,12}(\.\d{1,9})?( ticks?|% of (mid|quote_width|strike_width))?$",
        },
    ]
}
WrittenAmount: TypeAlias = Annotated[Amount, PlainValidator(_distance), WithJsonSchema(_AMOUNT_SCHEMA)]
WrittenPrice: TypeAlias = Annotated[
    Decimal, PlainValidator(_positive), WithJsonSchema({"type": "number", "minimum": 0})
]


def _length(value: object, info: ValidationInfo) -> timedelta:
    """Text as a person writes it; where an expression gave it (no `authored` in the context) also a number of seconds."""
    authored = isinstance(info.context, Mapping) and info.context.get("authored")
    if (
        isinstance(value, int | Decimal)
        and not isinstance(value, bool)
        and not authored
        and 0 <= value < 10**9
    ):
        return timedelta(milliseconds=int(value * 1000))
    return Duration.parse(value)


WrittenDuration: TypeAlias = Annotated[
    timedelta,
    PlainValidator(_length),
    WithJsonSchema({"type": "string", "pattern": f"^{DURATION_PATTERN}$"}),
]
WrittenAmounts: TypeAlias = Annotated[
    list[WrittenAmount],
    BeforeValidator(_several),
    Field(min_length=1),
    WithJsonSchema(
        {"anyOf": [*_AMOUNT_SCHEMA["anyOf"], {"type": "array", "items": _AMOUNT_SCHEMA, "minItems": 1}]}
    ),
]


class _Written(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)


class StartPrice(_Written):
    """A start that is no plain word: exactly one of the four."""

    from_mid: WrittenAmount | None = Field(None, description="this much worse than mid; negative: better")
    from_natural: WrittenAmount | None = Field(
        None, description="this much worse than natural; negative: better"
    )
    debit: WrittenPrice | None = Field(None, description="pay this")
    credit: WrittenPrice | None = Field(None, description="receive this")

    @model_validator(mode="after")
    def _one(self) -> StartPrice:
        if len(self.model_fields_set) != 1 or None in (getattr(self, name) for name in self.model_fields_set):
            raise ValueError("write exactly one of from_mid, from_natural, debit and credit")
        return self


class WorstPrice(_Written):
    """The limit that is never passed. Of several the tightest counts."""

    from_mid: WrittenAmounts | None = Field(None, description="never more than this much worse than mid")
    from_natural: WrittenAmounts | None = Field(
        None, description="never more than this much worse than natural"
    )
    debit: WrittenPrice | None = Field(None, description="never pay more")
    credit: WrittenPrice | None = Field(None, description="never receive less")

    @model_validator(mode="after")
    def _some(self) -> WorstPrice:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("write at least one of from_mid, from_natural, debit and credit")
        return self


class PricePolicy(_Written):
    """Where an order starts, by how much it gets worse and how often, and what it never passes."""

    start: Word | StartPrice = Field("mid", description="the first price")
    step: WrittenAmount | None = Field(None, description="how much worse each rung is than the one before")
    every: WrittenDuration | None = Field(None, description="how long a rung stands")
    worst: WorstPrice | None = Field(None, description="the limit that is never passed")

    @model_validator(mode="after")
    def _whole(self) -> PricePolicy:
        if self.step is not None and (self.every is None or self.worst is None):
            raise ValueError("a step needs every and worst: how long a rung stands, and where it ends")
        if self.step is None and self.every is not None:
            raise ValueError("every without a step: there is one price, and nothing happens every so often")
        if self.step is not None and self.step.value <= 0:
            raise ValueError(f"a step of {self.step} leads nowhere; steps are amounts of worse")
        if self.every is not None and not self.every:
            raise ValueError("every 0s sends without end; write how long a rung stands")
        return self


class PriceRefused(Exception):
    """A policy that this order cannot have. It ends in `rail_refused`; `rule` is the stable word for why."""

    code = "rail_refused"

    def __init__(self, rule: Literal["wrong_side", "not_measured"], summary: str) -> None:
        super().__init__(summary)
        self.rule = rule
        self.summary = summary


@dataclass(frozen=True, slots=True)
class Stand:
    """One price of a walk, and how long an order stands there; None: as long as there is time."""

    price: Decimal
    length: timedelta | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """The frozen prices of one leg group, signed. `start` and `worst` are exact; what is sent is on the tick."""

    exact_start: Decimal
    exact_worst: Decimal
    step: Decimal
    every: timedelta | None
    ticks: Ticks

    @property
    def start(self) -> Decimal:
        """The price of the first rung."""
        return self.rung(0)

    @property
    def worst(self) -> Decimal:
        """The last price there is: on the tick, never beyond the exact limit."""
        return self.ticks.favour(self.exact_worst)

    def rung(self, n: int) -> Decimal:
        """start, n steps worse, not past worst, rounded in our favour."""
        return self.ticks.favour(min(self.exact_start + n * self.step, self.exact_worst))

    @property
    def last(self) -> int:
        """The number of the first rung that stands at worst."""
        if not self.step:
            return 0
        return int(((self.exact_worst - self.exact_start) / self.step).to_integral_value(ROUND_CEILING))

    @property
    def rungs(self) -> tuple[Decimal, ...]:
        """Every different price on the way, from start to worst (a step below the tick repeats a price)."""
        return tuple(dict.fromkeys(self.rung(n) for n in range(self.last + 1)))

    def stands(self) -> Iterator[Stand]:
        """The prices of a walk, from start to worst, each with how long it stands: a step below the tick does not move
        the price, so an order there is left alone until one does. The last stands as long as there is time."""
        if self.every is None:
            yield Stand(self.start, None)
            return
        price, steps = self.start, 0
        for n in range(self.last):
            steps += 1
            following = self.rung(n + 1)
            if following != price:
                yield Stand(price, steps * self.every)
                price, steps = following, 0
        yield Stand(price, None)

    def to_value(self) -> dict[str, Any]:
        """As journalled."""
        return {"start": self.start, "worst": self.worst, "step": self.step, "rungs": self.last + 1}


def freeze(
    policy: PricePolicy, quote: PackageQuote, ticks: Ticks, *, strike_width: Decimal | None = None
) -> Ladder:
    """The ladder of a policy against the quotes at decision time. Raises PriceRefused."""
    measures = Measures(
        mid=quote.mid, quote_width=quote.width, strike_width=strike_width, tick=ticks.at(quote.mid)
    )
    try:
        start = _start(policy.start, quote, measures)
        bounds = _bounds(policy.worst, quote, measures) if policy.worst is not None else [start]
        step = policy.step.points(measures) if policy.step is not None else _ZERO
    except PriceRefused:
        raise
    except ValueError as error:
        raise PriceRefused("not_measured", str(error)) from None
    if start < 0 and (policy.worst is None or policy.worst.debit is None):
        bounds.append(_ZERO)  # a walk that starts as a credit stops at even
    worst = min(bounds)
    start = min(start, worst)
    if policy.step is None:
        worst = start
    return Ladder(start, worst, step, policy.every, ticks)


def _start(start: Word | StartPrice, quote: PackageQuote, measures: Measures) -> Decimal:
    if not isinstance(start, StartPrice):
        price: Decimal = getattr(quote, start)
        return price
    if start.from_mid is not None:
        return quote.mid + start.from_mid.points(measures)
    if start.from_natural is not None:
        return quote.natural + start.from_natural.points(measures)
    if start.debit is not None:
        return _debit(start.debit, quote, "start")
    assert start.credit is not None
    return _credit(start.credit, quote, "start")


def _bounds(worst: WorstPrice, quote: PackageQuote, measures: Measures) -> list[Decimal]:
    bounds = [quote.mid + amount.points(measures) for amount in worst.from_mid or ()]
    bounds += [quote.natural + amount.points(measures) for amount in worst.from_natural or ()]
    if worst.debit is not None:
        bounds.append(_debit(worst.debit, quote, "worst"))
    if worst.credit is not None:
        bounds.append(_credit(worst.credit, quote, "worst"))
    return bounds


def _debit(price: Decimal, quote: PackageQuote, where: str) -> Decimal:
    if quote.mid < 0 and quote.natural <= 0:
        raise PriceRefused(
            "wrong_side",
            f"{where} names a debit of {price}, but this order receives: {-quote.mid} at mid, {-quote.natural} at natural",
        )
    return price


def _credit(price: Decimal, quote: PackageQuote, where: str) -> Decimal:
    if quote.mid > 0 and quote.near >= 0:
        raise PriceRefused(
            "wrong_side",
            f"{where} names a credit of {price}, but this order pays: {quote.mid} at mid, {quote.natural} at natural",
        )
    return -price
