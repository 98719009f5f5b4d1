"""Durations as a playbook writes them: `30s`, `5m`, `2h`. There are no days among them: sessions are counted in moments."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

PATTERN: Final = r"\d{1,9}(s|m|h)"
_WRITTEN = re.compile(PATTERN)
_SECONDS = {"s": 1, "m": 60, "h": 3600}


class Duration:
    """The reader and the writer of durations; a duration itself is a timedelta."""

    @staticmethod
    def parse(written: object) -> timedelta:
        """Raises ValueError for anything but a whole number with its unit."""
        if isinstance(written, timedelta):
            return written
        match = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
        if match is None:
            raise ValueError(f"{written!r} is no duration; write 30s, 5m or 2h")
        return timedelta(seconds=int(match[0][:-1]) * _SECONDS[match[1]])

    @staticmethod
    def text(duration: timedelta) -> str:
        """As it would be written, in the largest unit that is exact; parts of a second are dropped."""
        seconds = int(duration.total_seconds())
        for unit, size in (("h", 3600), ("m", 60)):
            if seconds and seconds % size == 0:
                return f"{seconds // size}{unit}"
        return f"{seconds}s"
