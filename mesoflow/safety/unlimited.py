"""The value `unlimited`, which has to be written, in the same place as a number, so that it can be searched for."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Unlimited(Enum):
    """The value `unlimited`."""

    UNLIMITED = "unlimited"

    def __str__(self) -> str:
        return "unlimited"


UNLIMITED: Final = Unlimited.UNLIMITED
