"""How a command can fail, and what is said then: a refusal, a journal that cannot be used, or a bug of ours.

Whose fault it is decides the exit code (exits.py); whatever happened, there is a sentence and what to do next, and no
traceback. MESOFLOW_DEBUG=1 shows one for those who work on mesoflow itself.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import traceback
from importlib import import_module
from pathlib import Path

from mesoflow.cli.exits import Exit
from mesoflow.cli.version import VERSION
from mesoflow.logs import configure, redact

# Where a bug report goes.
ISSUES = "the project's issue tracker"
FRAMES_SHOWN = 6


def guarded(module: str, args: argparse.Namespace) -> int:
    """Import the command and run it; every ending is an exit code."""
    configure(sys.stderr)
    try:
        code: int = import_module(module).run(args)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return Exit.FINE
    except Exception as error:
        if os.environ.get("MESOFLOW_DEBUG"):
            raise
        return _said(error, args)
    return code


def _said(error: Exception, args: argparse.Namespace) -> int:
    from mesoflow.cli.refusals import refusal_of
    from mesoflow.cli.views.refused import show_refusal

    refusal = refusal_of(error, args.command)
    if refusal is None:
        print(redact(bug_report(error, args)), file=sys.stderr)
        return Exit.BUG
    shown, code = refusal
    show_refusal(shown, getattr(args, "format", "text"))
    return code


def bug_report(error: BaseException, args: argparse.Namespace) -> str:
    """What a person sends us. The frames are ours; values are left out, because they may hold what is nobody's business."""
    here = str(Path(__file__).parents[1])
    frames = [
        f"    {frame.filename.removeprefix(here).lstrip(os.sep)}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(here)
    ]
    where = "\n".join(frames[-FRAMES_SHOWN:]) or "    (outside mesoflow)"
    run = getattr(args, "run", None) or getattr(args, "playbook", None) or ""
    return (
        f"this is a bug in mesoflow: {type(error).__name__}: {error}\n"
        f"  version  mesoflow {VERSION}, Python {platform.python_version()}, {platform.system()}\n"
        f"  command  mesoflow {args.command} {run}".rstrip()
        + f"\n  where\n{where}\n"
        f"  help     please send these lines to {ISSUES}, with `mesoflow journal RUN` if there is a run.\n"
        f"           What was recorded is safe: `mesoflow runs` says how the runs stand."
    )
