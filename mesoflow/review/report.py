"""The report of a run as one object, of which every renderer is a small function; building.py folds it from the run's records.

JSON is its canonical form (`format_version`; schemas/report.schema.json is made from here). Nothing in it is computed from
a clock or from the hub: the same records give the same report, on any machine, at any time.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT_VERSION: Literal[1] = 1

State = Literal["running", "parked", "done", "skipped", "failed", "cancelled", "superseded"]
StepState = Literal["done", "failed", "skipped", "open", "not_reached"]
Ask = Literal["read", "change", "prepare", "trade", "withdraw", "watch", "wait", "tell", "value"]


class Part(BaseModel):
    """Frozen, strict about its own shape."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class StepLine(Part):
    """One step of the playbook. `depth` is how far it stands inside groups; `text` what it gave, in words."""

    id: str
    action: str | None
    name: str | None
    depth: int
    state: StepState
    began: datetime | None
    ended: datetime | None
    text: str


class EffectLine(Part):
    """One thing that was asked of the world, and what came back. `code` is set where it was refused."""

    path: str
    ask: Ask
    method: str | None
    asked: datetime | None
    settled: datetime | None
    ended: Literal["done", "refused", "open"]
    code: str | None = None
    summary: str | None = None


class FilledLegLine(Part):
    """One leg of an execution."""

    name: str
    contract: str
    quantity: Decimal
    average_price: Decimal


class GroupLine(Part):
    """One leg group of an execution; prices signed, + debit, − credit, for one package, in points."""

    id: int
    legs: list[str]
    packages: int
    filled: int
    price: Decimal | None
    mid: Decimal | None
    conceded: Decimal | None
    rungs: int


class ExecutionLine(Part):
    """What one execution came to. `price` is signed (+ debit, − credit), of one lot, in points; `cash` in money."""

    step: str
    kind: str
    exec_plan_id: int
    position_id: int
    ended: str
    lots: Decimal
    price: Decimal
    mid: Decimal | None
    conceded: Decimal | None
    cash: Decimal
    fees: Decimal | None
    finished: datetime
    groups: list[GroupLine]
    legs: list[FilledLegLine]


class OrderGroupLine(Part):
    """One leg group of an order; prices signed, + debit, − credit, for one package, in points."""

    id: int
    legs: list[str]
    packages: int
    limit: Decimal
    worst: Decimal
    mid: Decimal


class OrderLine(Part):
    """One order as it was intended, with the rails' verdict on it."""

    path: str
    method: str
    key: str
    intended: datetime
    settled: datetime | None
    ended: Literal["accepted", "refused", "unknown", "in_flight"]
    account: str | None
    kind: str | None
    exec_plan_id: int | None
    groups: list[OrderGroupLine]
    verdict: Any = None


class RungLine(Part):
    """One order of a walk; prices signed, + debit, − credit, for one package, in points. near, mid and natural are the
    market in which it was priced."""

    name: str
    order_id: int | None
    at: datetime
    packages: int
    limit: Decimal
    near: Decimal
    mid: Decimal
    natural: Decimal
    state: str
    code: str = Field(description="why it did not leave, where it did not")
    times: int = Field(description="how often this price was refused in a row")
    filled: int
    average: Decimal | None


class WalkLine(Part):
    """One leg group's walk, from start to worst. `conceded` is points a package given up against the frozen mid."""

    path: str
    group: int
    legs: list[str]
    target: int
    filled: int
    mid: Decimal
    worst: Decimal
    conceded: Decimal | None
    rungs: list[RungLine]


class UnknownLine(Part):
    """Something that left and whose outcome nobody knows, or, while a runner lives, is under way."""

    path: str
    method: str
    key: str
    sent: datetime
    in_flight: bool


class Where(Part):
    """Whose hub, and which world of it."""

    kind: str
    url: str | None = None
    account: str | None = None
    world: str | None = None
    identity: str | None = None


class Report(Part):
    """One run, from its first record to its last."""

    format_version: Literal[1] = FORMAT_VERSION
    run_id: str
    playbook: str
    description: str
    state: State
    reason: str = Field(description="the code of a parked run")
    words: str = Field(description="why it stands as it does")
    at_path: str = Field(description="where a parked run stands")
    session_date: date | None
    started: datetime
    last: datetime
    program: str = Field(description="digest of the compiled playbook")
    semantics: int
    accounts: list[str]
    hub: Where
    inputs: dict[str, Any]
    steps: list[StepLine]
    effects: list[EffectLine]
    executions: list[ExecutionLine]
    orders: list[OrderLine]
    walks: list[WalkLine]
    unknowns: list[UnknownLine]
    outputs: dict[str, Any] | None
    error: dict[str, Any] | None
    differs: str = Field(description="where journal and program part, if they do")
    next: list[str] = Field(description="commands that go on from here")
