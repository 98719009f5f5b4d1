"""The four endings of a look at an unknown outcome. What each is for stands in runtime/reconcile.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from mesoflow.engine.effects import Outcome, Value


@dataclass(frozen=True, slots=True)
class Settle:
    """What happened is known. `said` is the evidence, for the journal."""

    outcome: Outcome
    said: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Resend:
    """Send the same bytes again; `said` is why that is safe."""

    said: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Renew:
    """Begin anew under the next generation."""

    said: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Human:
    """A person must look; `said` is what to look at."""

    reason: str
    said: Mapping[str, Value]


Verdict: TypeAlias = Settle | Resend | Renew | Human
