"""Keys of the language that this version does not have: refused by name, so that none is taken for a typing error.

By the model that will have them: schema.py writes them into the schema, and a step with one of them is not looked into.
"""

from __future__ import annotations

from collections.abc import Mapping

_PARALLEL = "reserved for later; today `for_each` with `at_once`"

NOT_YET: Mapping[str, Mapping[str, str]] = {
    "Playbook": {"include": "reserved for later", "parallel": _PARALLEL},
    "Step": {"repeat": "", "call": "", "approve": "", "parallel": _PARALLEL},
    "Start": {"signal": "reserved for later"},
}

# What does the same in this version, for actions of later ones.
INSTEAD: Mapping[str, str] = {
    "paper.fill": "today orders.work, which books paper fills on a paper account",
    "ask": "today an input without default: the run is started with --set",
}
