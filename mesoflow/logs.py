"""Logging with redaction: no secret is written, whoever writes it and however it got there.

A secret is told to `hide` when it is read, before anything can mention it; from then on every text that goes through
`redact` (logs, errors, the journal, reports) shows asterisks. What looks like a token is hidden even if nobody told us.
"""

from __future__ import annotations

import logging
import re
from typing import Any, TextIO

# Shorter ones would hide ordinary words; no hub issues keys so short.
SECRET_MIN = 6
HIDDEN = "********"

_TOKENS = re.compile(r"(?i)(bearer\s+|access_token=|api[_-]?key[=:]\s*)[^\s\"'&,}]{3,}")
_secrets: set[str] = set()


def hide(secret: str) -> None:
    """From now on this text is never shown."""
    if len(secret) >= SECRET_MIN:
        _secrets.add(secret)


def scrub(text: str) -> str:
    """The text without the secrets we know. Longest first: one may be the beginning of another."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def scrub_value(value: Any) -> Any:  # noqa: ANN401 - a Value
    """A Value without the secrets we know, keys included; nothing else of it changes."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {scrub_value(key): scrub_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_value(item) for item in value]
    return value


def redact(text: str) -> str:
    """A text for people: without secrets, and without what looks like one."""
    return _TOKENS.sub(lambda found: found[1] + HIDDEN, scrub(text))


class RedactingFormatter(logging.Formatter):
    """Redacts the finished line, so that arguments and tracebacks are covered, too."""

    def format(self, record: logging.LogRecord) -> str:
        """The line as it is written."""
        return redact(super().format(record))


def configure(stream: TextIO, level: int = logging.WARNING) -> None:
    """Send mesoflow's log to `stream`, and nothing of it anywhere else."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("mesoflow")
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False
    # Libraries below speak only when something is wrong, and through the same formatter.
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.ERROR))
