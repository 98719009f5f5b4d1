"""Answers as people read them: rows as a table, with the columns that fit; anything else as an indented tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

# A column wider than this is cut: the whole stands in the JSON.
CELL_MAX = 48
INDENT = "  "
TIMES = ("_at", "_updated")


def cell(value: Any) -> str:  # noqa: ANN401 - a Value
    """One scalar, or a word for what holds more."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return format(value, "f")
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}Z"
        case Mapping():
            return next((cell(value[name]) for name in ("symbol", "name", "id") if name in value), "{…}")
        case list():
            return (
                ", ".join(cell(item) for item in value) if all(map(is_scalar, value)) else f"[{len(value)}]"
            )
    return str(value)


def is_scalar(value: Any) -> bool:  # noqa: ANN401 - a Value
    """Whether it has no parts."""
    return not isinstance(value, Mapping | list)


def rows_text(rows: Sequence[Mapping[str, Any]], width: int) -> str:
    """A table of what the rows have; columns that are empty everywhere are left out, and those that do not fit are named."""
    columns = [name for name in rows[0] if any(row.get(name) not in (None, []) for row in rows)]
    cells = {name: [name, *(_cut(cell(row.get(name))) for row in rows)] for name in columns}
    widths = {name: max(map(len, texts)) for name, texts in cells.items()}
    dropped: list[str] = []
    while (
        len(columns) > 1 and sum(widths[name] for name in columns) + len(INDENT) * (len(columns) - 1) > width
    ):
        # Times first: of all columns they are wide and least looked for.
        late = [name for name in columns if name.endswith(TIMES)] or columns
        name = late[-1]
        columns.remove(name)
        dropped.append(name)
    lines = [
        INDENT.join(cells[name][at].ljust(widths[name]) for name in columns).rstrip()
        for at in range(len(rows) + 1)
    ]
    if dropped:
        lines.append(f"not shown: {', '.join(sorted(dropped))} (--format json has them)")
    return "\n".join(lines)


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= CELL_MAX else flat[: CELL_MAX - 1] + "…"


def tree(value: Any, depth: int = 0) -> Iterator[str]:  # noqa: ANN401 - a Value
    """`name: value` lines; what is null is left out, what holds more goes one deeper."""
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
    for name, item in pairs:
        if item is None or (not is_scalar(item) and not item):
            continue
        if is_scalar(item) or (isinstance(item, list) and all(map(is_scalar, item))):
            yield f"{INDENT * depth}{name}: {cell(item)}"
        else:
            yield f"{INDENT * depth}{name}:"
            yield from tree(item, depth + 1)
