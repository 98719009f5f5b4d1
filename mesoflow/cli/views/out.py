"""Writing to standard output in a way that never disturbs a run: whoever reads may go away, the run goes on."""

from __future__ import annotations

import os
import sys


def put(text: str) -> None:
    """A line, at once. Nobody there to read it is no error, and is not asked again."""
    try:
        print(text, flush=True)
    except OSError:
        deaf()


def deaf() -> None:
    """From now on standard output goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
