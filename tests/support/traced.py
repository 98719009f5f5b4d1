"""What a command told the kernel, as strace saw it: writes to the journal's log, syncs of it, frames on a socket.

A client's WebSocket frames are masked, so each is unmasked here to find the idempotency key in it. `early_sends` is the
checker: a key must be in a write to the log, and that write synced, before the frame that carries it is handed over.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

CALLS = "fsync,fdatasync,write,pwrite64,sendto"
STRACE = ("strace", "-f", "-y", "-xx", "-s", "100000", "-e", f"trace={CALLS}", "-e", "signal=none")
LOG = "journal.db-wal"

_LINE = re.compile(r"(\d+) +(\w+)\(\d+<([^>]*)>(?:, \"([^\"]*)\")?")
_RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>")
_KEY = re.compile(rb"mf-[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Wrote:
    """Bytes written to the log; what keys stand in them."""

    keys: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Synced:
    """A sync of the log that has returned."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame that carries an idempotency key, as it is handed over."""

    key: bytes


Event = Wrote | Synced | Sent


def why_not() -> str | None:
    """Why nothing can be traced here, None where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()[-200:]}"


def events(trace: Path) -> list[Event]:
    """What happened, in order."""
    with trace.open() as lines:
        return list(_events(lines))


def _events(lines: Iterable[str]) -> Iterator[Event]:
    syncing: set[str] = set()  # threads in a sync of the log that has not returned
    for line in lines:
        resumed = _RESUMED.match(line)
        if resumed is not None and resumed[1] in syncing and resumed[2].endswith("sync"):
            syncing.discard(resumed[1])
            yield Synced()
        called = _LINE.match(line)
        if called is None:
            continue
        thread, call, path, data = called.groups()
        if call in ("fsync", "fdatasync"):
            if not _bytes(path).endswith(LOG.encode()):
                continue
            if line.rstrip().endswith("<unfinished ...>"):
                syncing.add(thread)
            elif line.rstrip().endswith("= 0"):
                yield Synced()
        elif call == "sendto":
            yield from (Sent(key) for key in _KEY.findall(unmasked(_bytes(data))))
        elif _bytes(path).endswith(LOG.encode()):
            yield Wrote(frozenset(_KEY.findall(_bytes(data))))


def _bytes(text: str | None) -> bytes:
    """strace's hex escapes."""
    return bytes.fromhex((text or "").replace("\\x", ""))


def unmasked(frame: bytes) -> bytes:
    """The payload of a client's text or binary frame, b"" for anything else."""
    if len(frame) < 6 or frame[0] not in (0x81, 0x82) or not frame[1] & 0x80:
        return b""
    start = {126: 4, 127: 10}.get(frame[1] & 0x7F, 2)
    mask, payload = frame[start : start + 4], frame[start + 4 :]
    return bytes(byte ^ mask[number % 4] for number, byte in enumerate(payload))


def early_sends(happened: Iterable[Event]) -> list[bytes]:
    """The keys that left before an intent with them was durable."""
    written, durable, early = set[bytes](), set[bytes](), list[bytes]()
    for event in happened:
        match event:
            case Wrote(keys):
                written |= keys
            case Synced():
                durable |= written
            case Sent(key) if key not in durable:
                early.append(key)
    return early
