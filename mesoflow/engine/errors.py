"""How a step can end other than by its outputs. The whole tree stands here.

    StepError           an error as a value: a code, a summary, details; `rescue` and `retry` match its code
    StopRun             the run ends here on purpose (assert with `otherwise: skip`, a rescue clause's `stop`)
    Cancelled           thrown in by the interpreter when a scope is cancelled; a BaseException, so that no `except
                        Exception` swallows it, and the interpreter sees to it that who catches it can only end by it

Codes in `NEVER_RESCUED` match no clause, not even `any` (LANGUAGE.md §2): what is not known is never rescued.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mesoflow.engine.effects import Value

NEVER_RESCUED = frozenset({"outcome_unknown", "legs_differ", "halted", "lock_lost", "engine_bug"})


@dataclass
class StepError(Exception):
    """A step's error. `step` is filled in by the interpreter; `retryable` says that it may pass by itself."""

    code: str
    summary: str
    details: Mapping[str, Value] = field(default_factory=dict)
    retryable: bool = False
    step: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.summary}"


@dataclass
class StopRun(Exception):
    """End the run as `state`, with a reason in words."""

    state: Literal["done", "skipped", "failed"]
    reason: str

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}"


@dataclass
class Cancelled(BaseException):
    """The scope that this generator runs in was cancelled. `partial` is what whoever caught it returned."""

    reason: str
    partial: Value = None

    def __str__(self) -> str:
        return f"cancelled: {self.reason}"
