"""Named draws: every random figure of the simulator is a pure function of (seed, name), and nothing has state.

A name is the purpose, an id and a number where one purpose needs several: `uniform(7, "prepare", key)`. What was drawn
before, in which order and how often somebody asked changes nothing.
"""

from __future__ import annotations

import math
from hashlib import blake2b

_TWO_53 = 2.0**-53
_TAU = 2.0 * math.pi


def _bytes(seed: int, name: tuple[object, ...], size: int) -> bytes:
    # The separator keeps ("a", "bc") and ("ab", "c") apart.
    return blake2b("\x1f".join(map(str, (seed, *name))).encode(), digest_size=size).digest()


def uniform(seed: int, *name: object) -> float:
    """In [0, 1)."""
    return (int.from_bytes(_bytes(seed, name, 8)) >> 11) * _TWO_53


def normal(seed: int, *name: object) -> float:
    """Standard normal (Box–Muller on two halves of one digest)."""
    digest = _bytes(seed, name, 16)
    first = ((int.from_bytes(digest[:8]) >> 11) + 1) * _TWO_53
    second = (int.from_bytes(digest[8:]) >> 11) * _TWO_53
    return math.sqrt(-2.0 * math.log(first)) * math.cos(_TAU * second)


def log_normal(seed: int, *name: object, median: float, sigma: float) -> float:
    """Log-normal by its median and the deviation of its logarithm."""
    return median * math.exp(sigma * normal(seed, *name))


def whole(seed: int, *name: object, below: int) -> int:
    """A whole number in [0, below)."""
    return int.from_bytes(_bytes(seed, name, 8)) % below


def hexes(seed: int, *name: object, digits: int = 32) -> str:
    """Hexadecimal digits, for ids."""
    return _bytes(seed, name, (digits + 1) // 2).hex()[:digits]


def uuid(seed: int, *name: object) -> str:
    """In the form of a UUID; its version says that it is made of a name (8: custom)."""
    text = hexes(seed, *name)
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-a{text[17:20]}-{text[20:]}"
