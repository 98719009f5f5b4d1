"""What may leave: a value that safety has cleared, and the withdrawal of something that is ours.

"Who can place an order?" has one answer because of these two types: runtime/send.py takes nothing else. Only
safety/clearance.py holds the token that makes a Cleared; a test reads the syntax tree of every other module for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar, final

_T = TypeVar("_T")

SAFETY_TOKEN: Final = object()
# A withdrawal takes something back; it must never be a way round the rails.
WITHDRAWALS: Final = frozenset(
    {
        "CancelOrder",
        "CancelPreparePositionEntry",
        "CancelPreparePositionExit",
        "CancelPreparePositionAdjustment",
    }
)


@final
class Cleared(Generic[_T]):
    """A value that has passed the rails. It cannot be made, changed or subclassed elsewhere."""

    __slots__ = ("_value",)

    def __init__(self, value: _T, *, token: object) -> None:
        if token is not SAFETY_TOKEN:
            raise TypeError("only safety clears an order; this is a bug in mesoflow")
        object.__setattr__(self, "_value", value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a cleared value cannot be changed")

    def __init_subclass__(cls) -> None:
        raise TypeError("Cleared cannot be subclassed")

    def __reduce__(self) -> str:
        raise TypeError("a cleared value is not stored: it is judged again")

    @property
    def value(self) -> _T:
        """What was cleared, exactly as it was judged."""
        return self._value  # type: ignore[no-any-return, attr-defined]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The cancel of an order, or of a prepare job, that the journal knows as ours. It passes while halted."""

    method: str
    path: str

    def __post_init__(self) -> None:
        if self.method not in WITHDRAWALS:
            raise ValueError(f"{self.method} withdraws nothing; this is a bug in mesoflow")
