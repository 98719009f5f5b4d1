"""What the rails have to know of the process that is about to send. Every default is the one that refuses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Environment:
    """`simulator`: the hub is a simulator as SAFETY.md §1 defines it, so that its accounts count as paper. `durable`: a
    journal that survives a crash will hold the intent before the first byte leaves. `pinned_*`: what the run began with.
    """

    run_id: str
    simulator: bool = False
    durable: bool = False
    semantics: int = 0
    pinned_semantics: int | None = None
    program: str = ""
    pinned_program: str | None = None
