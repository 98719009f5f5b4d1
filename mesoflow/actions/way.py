"""A leg group on its way: the state of a walk. What happens to it is walk.py, one order of it rungs.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from mesoflow.actions.ladders import Frozen
from mesoflow.actions.sent import Sent
from mesoflow.actions.values import ExecPlan, Group
from mesoflow.actions.work import Work, multiplier_proven
from mesoflow.engine.action import Context
from mesoflow.engine.errors import StepError
from mesoflow.engine.paths import join
from mesoflow.trading.remainders import remainder_multiplier


@dataclass(slots=True)
class Entered:
    """The position that an entry is making, known once a first package has filled; shared by the walks of its groups."""

    filled: bool = False
    position_id: int | None = None


@dataclass(slots=True)
class Walk:
    """A leg group on its way. `plan` is the exec plan that orders are sent of, `source` the group in it; a partial fill of
    an exit ends one plan, and the next goes on. `until` is set when the walk begins. `spent`: the plan can send no more;
    `paged`: this pause has called somebody; `passed`: this price is over without an order; `waits`: why the order of now has not left;
    `cleared`: other runs' orders that were taken back for this one."""

    work: Work
    group: Group
    frozen: Frozen
    plan: ExecPlan
    source: int
    until: datetime
    entered: Entered = field(default_factory=Entered)
    orders: list[Sent] = field(default_factory=list)
    why: StepError | None = None
    rungs: int = 0
    spent: bool = False
    paged: bool = False
    passed: bool = False
    waits: StepError | None = None
    cleared: set[int] = field(default_factory=set)

    @property
    def path(self) -> str:
        """Shared by the rungs of this walk, and by nothing else."""
        return join(self.work.where, f"group-{self.group.id}")

    @property
    def filled(self) -> int:
        """Packages."""
        return sum(sent.filled for sent in self.orders)

    @property
    def rest(self) -> int:
        """Packages that are still wanted."""
        return max(0, self.group.packages - self.filled)

    @property
    def live(self) -> Sent | None:
        """The one order that may be alive."""
        return next((sent for sent in self.orders if not sent.over), None)

    def ended(self, now: datetime) -> bool:
        """Filled, out of time, or stopped."""
        return not self.rest or self.why is not None or now >= self.until


def count_late(ctx: Context, way: Walk) -> None:
    """Fills that came after their order was reported to be over are counted, and end the walk."""
    for sent in way.orders:
        late = ctx.late_fills.get(sent.order_id)
        if late is not None and int(abs(late["filled"])) > sent.filled:
            sent.filled = int(abs(late["filled"]))
            summary = f"order {sent.order_id} was reported {sent.state.lower()}, and then filled: {sent.filled} in all"
            way.why = StepError("not_filled", summary, {"order_id": sent.order_id})


def multiplier_of(ctx: Context, way: Walk) -> Decimal | None:
    """The hub's multiplier for what is left of an entry. None: it cannot be said."""
    plan, group = way.work.plan, way.group
    if plan.kind != "entry":
        return None
    if way.rest < group.packages and not multiplier_proven(ctx.hub):
        return None
    quantities = [plan.legs[name].quantity for name in group.ratio]
    return remainder_multiplier(plan.lots, way.rest, group.packages, quantities)
