"""Program: the compiled, frozen form of a playbook, and its digest.

Made by playbook/compile.py from YAML, or by hand in tests. Values that may hold `{{ }}` are kept as written and are
evaluated when their step begins. A Program is data: it can be journalled and read back (`to_value`, `from_value`), and
what `resume` runs is what the journal's first record holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mesoflow.engine.effects import Value

Stop = Literal["done", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One `rescue` clause: for which errors, what then, and how the playbook goes on. `errors` empty means any."""

    errors: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class ForEach:
    """Once per item. `key` is an expression over `loop.item`; None: the index."""

    items: Value
    key: str | None = None
    keep_going: bool = False
    at_once: int = 1


@dataclass(frozen=True, slots=True)
class Retry:
    """Repeat the whole step for the listed errors only. `attempts` counts the first one; `wait_s` in seconds."""

    attempts: int
    errors: tuple[str, ...]
    wait_s: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One entry under `steps:`: an action with its inputs, or a group of steps."""

    id: str
    action: str | None = None
    inputs: Mapping[str, Value] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    name: str | None = None
    when: str | None = None
    rescue: tuple[Clause, ...] = ()
    for_each: ForEach | None = None
    retry: Retry | None = None
    outputs: Mapping[str, Value] | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Program:
    """A whole playbook, ready to run.

    `inputs` are the declared inputs (name → declaration as a Value); their values belong to a run, not to the program.
    `risk` is kept as written, with `{{ inputs.x }}` allowed. `start` is {days, at, once_per} or empty.
    """

    name: str
    steps: tuple[Step, ...]
    description: str = ""
    session: str = "cboe-index-options"
    start: Mapping[str, Value] = field(default_factory=dict)
    inputs: Mapping[str, Value] = field(default_factory=dict)
    risk: Mapping[str, Value] = field(default_factory=dict)
    rescue: tuple[Clause, ...] = ()
    always: tuple[Step, ...] = ()
    outputs: Mapping[str, Value] = field(default_factory=dict)
