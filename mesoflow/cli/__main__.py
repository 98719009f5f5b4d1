"""The entry point: which command, its exit code, and that nobody ever sees a traceback.

Nothing is imported here that `mesoflow --version` does not need; a command brings its own imports.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        return _version()
    from mesoflow.cli.arguments import COMMANDS, parse, parser

    args = parse(arguments)
    if args.version:
        return _version()
    if args.command is None:
        parser().print_help(sys.stderr)
        return 2
    from mesoflow.cli.failures import guarded

    code = guarded(COMMANDS[args.command][0], args)
    return _flushed(code)


def _version() -> int:
    from mesoflow.cli.version import VERSION

    print(f"mesoflow {VERSION}")
    return 0


def _flushed(code: int) -> int:
    """Somebody may have closed the pipe (`| head`): that is no error of ours."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        from mesoflow.cli.views.out import deaf

        deaf()
    return code


if __name__ == "__main__":
    sys.exit(main())
