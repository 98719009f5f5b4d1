"""What starting costs: whole commands against `python -c pass`, taken in turns. `python -m benchmarks.start_up`.

Goals: `mesoflow --version` at most 3 times, `mesoflow check plans/quickstart.yaml` at most 20 times.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks._goals import at_most

ROUNDS = 15
ROOT = Path(__file__).parent.parent
MESOFLOW = str(Path(sys.executable).with_name("mesoflow"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "mesoflow --version": [MESOFLOW, "--version"],
    "mesoflow check": [MESOFLOW, "check", "plans/quickstart.yaml"],
}

GOALS = {"mesoflow --version": 3, "mesoflow check": 20}


def main() -> None:
    """Print the table."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            begun = perf_counter()
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            taken[name].append(perf_counter() - begun)
    bare = median(taken["python -c pass"])
    for name, times in taken.items():
        ratio = median(times) / bare
        goal = at_most(ratio, GOALS[name]) if name in GOALS else ""
        print(f"{name:20} {median(times) * 1e3:7.1f} ms   {ratio:5.2f} ×{goal}")


if __name__ == "__main__":
    main()
