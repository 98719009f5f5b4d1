"""The data files that the simulator reads: mesoflow/data/*.json. Reading only; each is applied where it belongs."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data"


@cache
def data(name: str) -> Any:  # noqa: ANN401 - whatever the file holds
    """The content of one data file; read once, not to be changed."""
    return json.loads((DATA / name).read_text(encoding="utf-8"))
