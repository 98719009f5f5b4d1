"""Options of the test command."""

from __future__ import annotations

import pytest

from mesoflow.hubs.differences import DIFFERENCES


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-point",
        action="store_true",
        help="kill and resume at every crash point by name, instead of once a distinct state",
    )
    parser.addoption(
        "--kill-seed",
        type=int,
        default=7,
        help="which states, instants and orders of killing are drawn, where not all of them are tried",
    )
    parser.addoption("--first-world", type=int, default=1, help="the first seed of the seeded worlds")
    parser.addoption("--worlds", type=int, default=300, help="how many seeded worlds are played")


@pytest.fixture(autouse=True)
def no_differences_of_others() -> None:
    """A process is one run, and its differences are told once; here one process plays many."""
    DIFFERENCES.seen.clear()
    DIFFERENCES.told = 0
