"""Tasks, frames and the requests that control flow makes of the interpreter: the interpreter's own state, as plain data.

A task is a stack of generators (frames). A frame's generator yields an effect, or one of the two requests below.
Nothing here runs anything; interpreter.py does.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mesoflow.engine.effects import Effect, Value
from mesoflow.engine.errors import Cancelled
from mesoflow.engine.program import Clause, Retry

Frames: TypeAlias = Generator[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Enter:
    """Run `body` on this task, its effects named below `name`. A shield lets it work in a cancelled scope.

    `clauses`, `retry` and `catches` say what the asking frame would do with an error of the body: before an error that
    may pass by itself is settled for good, the runtime asks whether anybody would handle it (Interpreter.would_handle).
    """

    name: str
    body: Frames
    shield: bool = False
    clauses: tuple[Clause, ...] = ()
    retry: Retry | None = None


@dataclass(frozen=True, slots=True)
class Gather:
    """Run `bodies` side by side, at most `at_once` of them, and get their endings in declaration order.

    Without `keep_going` the first failure wins: the others are asked to stop in reverse order of start, stop side by
    side, and the error is thrown, carrying everyone's output or partial result.
    """

    bodies: Sequence[Frames]
    at_once: int = 1
    keep_going: bool = False


@dataclass(slots=True)
class Frame:
    """One generator of a task. `cancelled` is set once a Cancelled has been thrown into it: it can only end by it."""

    body: Frames
    prefix: str
    shield: bool = False
    cancelled: Cancelled | None = None
    clauses: tuple[Clause, ...] = ()
    retry: Retry | None = None


@dataclass(slots=True)
class Group:
    """A Gather under way: its children by declaration, how each ended, and the first failure."""

    gather: Gather
    children: list[Task | None]
    endings: list[Ending | None]
    started: int = 0
    running: int = 0
    failure: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child of a Gather ended: with a value, or with an exception (Cancelled carries the partial result)."""

    value: Value = None
    error: BaseException | None = None


@dataclass(slots=True)
class Task:
    """A stack of frames, and what it waits for: an effect at `path`, or the children of `group`."""

    parent: Task | None
    index: int
    frames: list[Frame]
    cancel: Cancelled | None = None
    shields: int = 0
    path: str | None = None
    effect: Effect | None = None
    group: Group | None = None
    send: Value = None
    throw: BaseException | None = None
    queued: bool = field(default=False)
