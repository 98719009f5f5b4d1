"""Whole outputs held against files. A new or changed one is written with MESOFLOW_SNAPSHOTS=write, and then read by a person."""

from __future__ import annotations

import os
from pathlib import Path


def matches(test_file: str, name: str, text: str) -> None:
    """Assert that `text` is what snapshots/NAME beside the test holds."""
    file = Path(test_file).parent / "snapshots" / name
    if os.environ.get("MESOFLOW_SNAPSHOTS") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")
    assert file.exists(), f"{file} does not exist; MESOFLOW_SNAPSHOTS=write makes it"
    assert text + "\n" == file.read_text(encoding="utf-8")
