"""All benchmarks, one after another: `python -m benchmarks`. Each is a module with a `main(argv)` of its own.

What a benchmark compares with is measured in the same run, on the same disk; those that need packages of the extra
`bench` (pip install '.[bench]') say so and go on without.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main(argv: list[str]) -> int:
    """Run each in a process of its own, so that none inherits another's imports or memory."""
    here = Path(__file__).parent
    names = argv or sorted(path.stem for path in here.glob("*.py") if not path.stem.startswith("_"))
    worst = 0
    for name in names:
        print(f"\n== {name}", flush=True)
        worst |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=here.parent).returncode
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
