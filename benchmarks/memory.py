"""Peak memory of whole commands, in processes of their own: the most that was ever resident, as the kernel counts it.
`python -m benchmarks.memory`. Against `python -c pass`, measured in the same run.

runner       the quickstart against `mesoflow sim serve` in another process   (goal: at most 70 MB)
quickstart   the quickstart with the simulator embedded                       (goal: at most 120 MB)

MB are 10⁶ bytes. The served world runs at speed 10, so a round takes some seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks._goals import at_most
from tests.support.lab import MESOFLOW, QUICKSTART, ROOT, Lab

ROUNDS = 3
GOALS = {"runner": 70, "quickstart": 120}


# A process's highest counts from before it became another program, so it is started by one that is small itself.
LAUNCH = """
import os, sys
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


def peak(command: list[str], home: Path) -> float:
    """MB at the command's highest; it must end well."""
    environment = {**os.environ, "MESOFLOW_HOME": str(home)}
    launch = [sys.executable, "-S", "-E", "-c", LAUNCH, *command]
    done = subprocess.run(launch, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    code, highest = map(int, done.stdout.split())
    if code != 0:
        raise SystemExit(f"{' '.join(command)} ended in {code}")
    # Linux counts in KiB, macOS in bytes.
    return highest * (1 if sys.platform == "darwin" else 1024) / 1e6


def runner(folder: Path) -> float:
    with Lab(folder) as lab:
        return peak([MESOFLOW, "run", *QUICKSTART], lab.home)


def quickstart(folder: Path) -> float:
    return peak([MESOFLOW, "run", "plans/quickstart.yaml"], folder / "home")


def bare(folder: Path) -> float:
    return peak([sys.executable, "-c", "pass"], folder)


def main(argv: list[str]) -> int:
    """Print the table."""
    rows = {"python -c pass": bare, "runner": runner, "quickstart": quickstart}
    found: dict[str, list[float]] = {name: [] for name in rows}
    with tempfile.TemporaryDirectory(dir=argv[0] if argv else None) as name:
        for number in range(ROUNDS):
            for row, measure in rows.items():
                place = Path(name, f"{row.split()[0]}-{number}")
                place.mkdir(mode=0o700)
                found[row].append(measure(place))
    least = median(found["python -c pass"])
    for row, peaks in found.items():
        goal = at_most(median(peaks), GOALS[row], " MB") if row in GOALS else ""
        print(f"{row:16} {median(peaks):6.1f} MB   {median(peaks) / least:4.1f} ×{goal}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
