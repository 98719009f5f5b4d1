"""`mesoflow resume RUN`: what is unknown is settled first, then the run goes on where it stopped."""

from __future__ import annotations

import argparse

from mesoflow.cli.starting import resume


def run(args: argparse.Namespace) -> int:
    """Resume it; one that is over is not touched, and the exit code is that with which it ended."""
    return resume(args)
