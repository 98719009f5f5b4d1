"""Paths: the names of effects, unique in a run and readable.

A path is built from step ids, loop keys and the names that actions give, never from a counter over the whole run:
`enter/group-1/rung-2/send`, `close/each[4711]/…`, `enter~2/…` (second try), `buy/rescue-1/…`, `engine/preflight/…`.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

# Effects that no playbook asked for: preflight, look-ups, withdrawals. Left out when paths of two runs are compared.
ENGINE = "engine"
_WITHDRAWAL = re.compile(rf"{ENGINE}/(halt|park)-[0-9]+/order-[0-9]+/cancel")


def join(prefix: str, name: str) -> str:
    """`name` below `prefix`; either may be empty."""
    if not prefix:
        return name
    return f"{prefix}/{name}" if name else prefix


def attempt(name: str, number: int) -> str:
    """The `number`-th try of a step, the first being 1 and bare."""
    return name if number == 1 else f"{name}~{number}"


def item(name: str, key: object) -> str:
    """One item of a loop. The key is percent-encoded, so that a `/` or `]` in it cannot forge a path."""
    text = str(key)
    return f"{name}/each[{text if text.isascii() and text.isalnum() else quote(text, safe='-_.:+')}]"


def is_engine(path: str) -> bool:
    """Whether the engine itself asked for this effect."""
    return path.startswith(ENGINE + "/")


def is_withdrawal(path: str) -> bool:
    """Whether a halt or a park withdraws an order here: `engine/halt-2/order-17/cancel`. No program asks for these."""
    return _WITHDRAWAL.fullmatch(path) is not None


def idempotency_key(nonce: str, path: str, generation: int = 0) -> str:
    """The key of a call: a pure function of the run's nonce, the path and the generation (ARCHITECTURE.md §4).

    A new price is a new path, hence a new key; the key does not depend on the request's digest, so that the hub's own
    check (same key, other bytes) stays a second fence. 40 hex digits of SHA-256, 160 bits.
    """
    text = f"{nonce}\n{path}\n{generation}".encode()
    return "mf-" + hashlib.sha256(text).hexdigest()[:40]
