"""One exec plan that is to be traded: what `orders.work`, `orders.send` and `position.exit` have in common, and what is
refused before anything is sent.

How it is traded on paper is booking.py, at a broker groups.py and walk.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

from pydantic import Field

from mesoflow.actions.accounts import require_allowed
from mesoflow.actions.base import Inputs
from mesoflow.actions.kinds import Duration
from mesoflow.actions.ledger import require_not_held
from mesoflow.actions.values import ExecPlan
from mesoflow.engine.action import Context
from mesoflow.engine.errors import StepError
from mesoflow.trading.orders import Contract
from mesoflow.trading.paper import PaperFill
from mesoflow.trading.prices import PricePolicy

Sequence: TypeAlias = Literal["safest", "together"] | list[str]


class Unwind(Inputs):
    """How what filled of an entry is traded back."""

    price: PricePolicy = Field(description="at what price", examples=[{"start": "mid"}])
    within: Duration = Field(description="time for it", examples=["2m"])


class Unwinding(Inputs):
    """`if_incomplete: {unwind: …}`."""

    unwind: Unwind = Field(
        description="trade back what filled", examples=[{"price": {"start": "mid"}, "within": "2m"}]
    )


IfIncomplete: TypeAlias = Literal["hold", "keep"] | Unwinding


@dataclass(frozen=True, slots=True)
class Work:
    """`where` is the path below which its effects stand. `within` is the time of each leg group."""

    plan: ExecPlan
    price: PricePolicy
    within: timedelta
    where: str
    sequence: Sequence = "safest"
    paper_fill: PaperFill = "worst"
    max_plan_age: timedelta = timedelta(minutes=5)

    @property
    def contracts(self) -> dict[str, Contract]:
        """The contracts of the legs."""
        return contracts_of(self.plan)


def contracts_of(plan: ExecPlan) -> dict[str, Contract]:
    """The contracts of a plan's legs, by name."""
    symbol = plan.underlying.symbol
    return {
        name: Contract(symbol, leg.root, leg.option_type, leg.expiration, leg.strike)
        for name, leg in plan.legs.items()
    }


def require_sense(plan: ExecPlan, sequence: Sequence, if_incomplete: IfIncomplete = "hold") -> None:
    """Wishes that this plan cannot have. They are findings of `check` where it can see them."""
    trading = sum(1 for group in plan.groups if group.packages)
    if if_incomplete == "keep" and trading > 1:
        raise StepError(
            "bad_value", f"if_incomplete: keep needs a plan of one leg group, this one has {trading}"
        )
    if isinstance(if_incomplete, Unwinding) and plan.kind != "entry":
        raise StepError(
            "bad_value",
            "if_incomplete: unwind is for entries; elsewhere it would close what was there before",
        )
    strangers = [name for name in sequence if name not in plan.legs] if isinstance(sequence, list) else []
    if strangers:
        raise StepError(
            "bad_value", f"sequence names {strangers[0]!r}; the plan's legs are {', '.join(plan.legs)}"
        )


def require_free(ctx: Context, plan: ExecPlan) -> None:
    """The account is the playbook's, and the position is not on hold, unless this closes it."""
    require_allowed(ctx, plan.broker_account_id)
    if plan.kind != "exit" and plan.position_id is not None:
        require_not_held(ctx, plan.position_id)


def require_young(ctx: Context, work: Work) -> None:
    """A plan that may open risk is not old."""
    plan = work.plan
    age = ctx.now - plan.prepared_at
    if plan.kind != "exit" and age > work.max_plan_age:
        seconds, limit = int(age.total_seconds()), int(work.max_plan_age.total_seconds())
        raise StepError(
            "plan_too_old",
            f"exec plan {plan.exec_plan_id} is {seconds} s old; one that may open risk is at most {limit} s old",
            {"age": Decimal(seconds), "max_plan_age": Decimal(limit)},
        )


def require_known_hub(ctx: Context, plan: ExecPlan) -> None:
    """What a broker's order cannot be sent without knowing of the hub (LANGUAGE.md §3, EXECUTION.md §3)."""
    receives = any(group.packages and group.quote.near.debit < 0 for group in plan.groups)
    if receives and ctx.hub.get("credit_sign") not in ("negative", "positive"):
        raise StepError(
            "credit_sign_unknown",
            "how this hub signs the limit of a credit is not known; write credit_sign: negative or positive "
            "into its profile (config.yaml)",
        )
    resolved = ctx.resolved.get(plan.exec_plan_id)
    if plan.kind == "entry" and not multiplier_proven(ctx.hub) and plan.lots != resolved:
        told = "unknown" if resolved is None else f"{resolved}"
        raise StepError(
            "quantity_unproven",
            f"{plan.lots} lots where the strategy resolves {told}: what this hub makes of a multiplier is not proved, and a "
            "wrong guess would double the order; leave lots out, or write qty_multiplier: proven into its profile",
            {"lots": plan.lots, "resolved": resolved},
        )


def multiplier_proven(hub: Mapping[str, object]) -> bool:
    """Whether the reading of SendOrder's multiplier is proved at this hub."""
    return hub.get("qty_multiplier") == "proven"
