"""Which definitions a playbook uses, and where their files are: beside the playbook, never outside its folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mesoflow.findings import Place
from mesoflow.playbook.outline import Outline
from mesoflow.playbook.tree import Scalar

# Inputs of actions that name a definition's file.
FILES = {"strategy.create": "definition", "strategy.update": "definition"}


@dataclass(frozen=True, slots=True)
class Used:
    """A definition's file as a playbook writes it, and where it does."""

    written: str
    place: Place

    @property
    def shown_as(self) -> str:
        """The file as findings name it: as the playbook is named."""
        return str(Path(self.place.file).parent / self.written)

    def inside(self, folder: Path) -> Path:
        """The file. Raises ValueError where it is not below the playbook's folder."""
        path = (folder / self.written).resolve()
        if Path(self.written).is_absolute() or not path.is_relative_to(folder):
            raise ValueError(f"{self.written} is outside the playbook's folder")
        return path


def named(shape: Outline) -> Iterator[tuple[Scalar, Place]]:
    """Every text that names a definition's file, or an expression that will."""
    for step in shape.every:
        key = FILES.get(step.action or "")
        node = step.inputs.get(key) if key and step.inputs is not None else None
        if isinstance(node, Scalar) and isinstance(node.value, str):
            yield node, node.place(step.label)


def used(shape: Outline) -> list[Used]:
    """Those that are known without inputs, each once."""
    found: dict[str, Used] = {}
    for node, place in named(shape):
        if "{{" not in node.value:
            found.setdefault(node.value, Used(node.value, place))
    return list(found.values())
