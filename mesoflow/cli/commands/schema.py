"""`mesoflow schema`: writes the generated files below the current folder, which is the project's; `--check` only says whether they are fresh."""

from __future__ import annotations

import argparse
from pathlib import Path

from mesoflow.cli.exits import Exit
from mesoflow.cli.schemas import problems, write


def run(args: argparse.Namespace) -> int:
    """Write or compare."""
    found = problems(Path()) if args.check else []
    written = [] if args.check else write(Path())
    if args.format == "json":
        from mesoflow.review.render.json import json_text

        print(json_text({"format_version": 1, "written": written, "problems": found}))
    elif args.check:
        print("\n".join(found) if found else "every generated file is fresh")
    else:
        print(
            "\n".join(f"written  {name}" for name in written) if written else "every generated file was fresh"
        )
    return Exit.REFUSED if found else Exit.FINE
