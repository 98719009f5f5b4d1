"""Verdicts: what the rails say of one order, line by line, with the numbers. Journalled with every intent (C25)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

from mesoflow.safety.codes import Code
from mesoflow.trading.orders import Order

Value: TypeAlias = Any
Held: TypeAlias = Literal["held", "refused", "skipped"]

# On an exit these pause the walk and page; they never end an exit (SAFETY.md §3).
PAUSING = frozenset({"C05", "C07", "C15"})


class RailLine(NamedTuple):
    """One rule and what came of it. A skip is recorded too: the rule did not apply to an order that only reduces risk.

    `of`: the control, where the rule serves several. A tuple, for sixteen of them stand in the send path of each order.
    """

    rule: Code
    held: Held
    numbers: Mapping[str, Value] = MappingProxyType({})
    of: str = ""

    @property
    def control(self) -> str:
        """The control of SAFETY.md."""
        return self.of or self.rule.control

    @property
    def code(self) -> str:
        """The stable code."""
        return self.rule.code

    def __str__(self) -> str:
        numbers = ", ".join(f"{name} {_shown(value)}" for name, value in self.numbers.items())
        return f"{self.control} {self.code}: {self.rule.rule}" + (f" ({numbers})" if numbers else "")

    def to_text(self) -> str:
        """As journalled with an intent: `order_loss value 4225.00 limit 25000`. What did not hold says so first, and a rule
        that serves several controls says which; any other's control is known by its code."""
        rule, held, numbers, of = self
        text = rule.code
        if of:
            text = f"{of} {text}"
        if held != "held":
            text = f"{held} {text}"
        # `!s` is four times as fast as a bare field for a Decimal.
        for name, value in numbers.items():
            text = f"{text} {name} {value!s}"
        return text

    def to_value(self) -> dict[str, Value]:
        """As told in a refusal; the rule in words only where it refused."""
        value: dict[str, Value] = {"control": self.control, "code": self.code, "held": self.held}
        if self.held == "refused":
            value["rule"] = self.rule.rule
        if self.numbers:
            value["numbers"] = dict(self.numbers)
        return value


@dataclass(frozen=True)
class Verdict:
    """What was judged, and every line of it. `order` is the very order: a verdict clears no other. `policy`: the digest of the
    policy in force."""

    order: Order
    lines: tuple[RailLine, ...]
    only_reduces: bool = False
    policy: str = ""

    @property
    def passed(self) -> bool:
        """Whether no rule refused. A verdict without lines has judged nothing."""
        return bool(self.lines) and not self.refusals

    @cached_property
    def refusals(self) -> tuple[RailLine, ...]:
        """The lines that refused. Looked for once: judging, intending and clearing all ask."""
        return tuple([line for line in self.lines if line[1] == "refused"])

    @property
    def pauses(self) -> bool:
        """Whether this is an exit that only waits for a better market: pause the walk, page, do not end it."""
        refusals = self.refusals
        is_exit = self.only_reduces or self.order.kind == "exit"
        return is_exit and bool(refusals) and all(line.control in PAUSING for line in refusals)

    @property
    def summary(self) -> str:
        """Why not, in a sentence a rule."""
        return "; ".join(map(str, self.refusals)) or "every rail holds"

    def to_record(self) -> dict[str, Value]:
        """As journalled, in the same commit as the intent: all lines in one text, for it stands in the send path of each order,
        and what it takes of a page of the database is what the commit writes."""
        return {
            "passed": self.passed,
            "only_reduces": self.only_reduces,
            "policy": self.policy,
            "lines": "; ".join([line.to_text() for line in self.lines]),
        }

    def to_value(self) -> dict[str, Value]:
        """As told in a refusal, with the numbers as numbers."""
        return {
            "passed": self.passed,
            "only_reduces": self.only_reduces,
            "policy": self.policy,
            "lines": [line.to_value() for line in self.lines],
        }


def _shown(value: Value) -> str:
    return "unknown" if value is None else str(value)
