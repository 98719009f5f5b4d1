"""All benchmarks, one after another: `python -m benchmarks`, or some of them by name: `python -m benchmarks effects wire`.

Each is a module with a `main(argv)` of its own and runs in a process of its own, so that none inherits another's imports or
memory. What a benchmark compares with is measured in the same run, on the same disk; those that need packages of the extra
`bench` (pip install '.[bench]') say so and go on without. At the end the rows that have a goal are told once more. They are
goals, not tests: a busy machine misses some of them. What there is, and what for: benchmarks/README.md.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks._goals import MARK

HERE = Path(__file__).parent


def names() -> list[str]:
    """All there are."""
    return sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))


def told(name: str) -> tuple[int, list[str]]:
    """Run one, show what it prints, and keep the rows with goals."""
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    rows = []
    with subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            rows += [line.rstrip()] if MARK in line else []
    return process.returncode, rows


def main(argv: list[str]) -> int:
    """The exit code is not 0 where one could not be run."""
    unknown = sorted(set(argv) - set(names()))
    if unknown:
        print(f"there is no benchmark {unknown[0]}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    worst, goals = 0, dict[str, list[str]]()
    for name in argv or names():
        print(f"\n== {name}", flush=True)
        code, goals[name] = told(name)
        worst = worst or code
    print("\n== goals")
    for name, rows in goals.items():
        for row in rows:
            print(f"{name:11} {row}")
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
