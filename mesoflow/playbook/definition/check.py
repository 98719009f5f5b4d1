"""Check a strategy definition: all that is wrong with it, and all that MesoLive makes of it."""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.findings import Finding
from mesoflow.playbook.definition.expressions import expressions_of
from mesoflow.playbook.definition.facts import shipped
from mesoflow.playbook.definition.fields import fields
from mesoflow.playbook.definition.live import live
from mesoflow.playbook.definition.outline import Outline
from mesoflow.playbook.definition.references import references
from mesoflow.playbook.tree import Mapping


def findings(root: Mapping) -> Iterator[Finding]:
    """Everything there is to say."""
    facts, shape = shipped(), Outline(root)
    yield from fields(root, facts)
    yield from references(shape)
    yield from expressions_of(shape)
    yield from live(root, facts)
