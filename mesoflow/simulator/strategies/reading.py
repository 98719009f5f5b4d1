"""How parts of a definition are read: every fault is collected with its path, nothing stops at the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mesoflow.hubs.script import ITEMS_MAX, VARIABLES_MAX, is_name


class DefinitionRefused(Exception):
    """Not a definition v3: path → what is wrong there."""

    def __init__(self, problems: dict[str, list[str]]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(f"{path}: {problem}" for path, found in self.problems.items() for problem in found)


@dataclass
class Reader:
    """Collects problems instead of stopping at the first."""

    problems: dict[str, list[str]] = field(default_factory=dict)

    def wrong(self, path: str, what: str) -> None:
        self.problems.setdefault(path, []).append(what)

    def mapping(self, raw: object, path: str) -> Mapping[str, Any]:
        if isinstance(raw, Mapping):
            return raw
        self.wrong(path, "an object is needed here")
        return {}

    def items(self, raw: object, path: str, *, least: int = 0) -> list[Any]:
        found = [] if raw is None and not least else raw
        if not isinstance(found, list) or not least <= len(found) <= ITEMS_MAX:
            self.wrong(path, f"a list of {least} to {ITEMS_MAX} is needed here")
            return []
        return found

    def text(self, raw: object, path: str) -> str:
        if isinstance(raw, str) and raw.strip():
            return raw
        self.wrong(path, "text is needed here")
        return ""

    def alias(self, raw: object, path: str) -> str:
        name = self.text(raw, path)
        if name and not is_name(name):
            self.wrong(path, f"{name!r} cannot be part of a variable's name")
        return name

    def expression(self, raw: object, path: str) -> str:
        found = self.optional(raw, path)
        if found is None:
            self.wrong(path, "an expression is needed here")
        return found or ""

    def optional(self, raw: object, path: str) -> str | None:
        """Text or a number; blank text counts as none."""
        if raw is None or (isinstance(raw, str) and not raw.strip()):
            return None
        if isinstance(raw, bool | Mapping | list):
            self.wrong(path, "an expression is text or a number")
            return None
        return str(raw)

    def expressions(self, raw: object, path: str) -> tuple[str, ...]:
        return tuple(
            self.expression(item, f"{path}[{index}]") for index, item in enumerate(self.items(raw, path))
        )

    def defines(self, raw: object, path: str) -> dict[str, str]:
        """Names with their expressions, in the order of the document."""
        found = self.mapping(raw or {}, path)
        if len(found) > VARIABLES_MAX:
            self.wrong(path, f"{len(found)} variables are more than {VARIABLES_MAX}")
            return {}
        return {
            self.alias(name, path): self.expression(item, f"{path}.{name}") for name, item in found.items()
        }
