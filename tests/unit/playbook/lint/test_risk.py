"""Rails that a version does not judge, and which steps can open risk."""

from __future__ import annotations

from mesoflow.playbook.language import shipped
from mesoflow.playbook.lint.risk import risk
from mesoflow.playbook.load import load
from mesoflow.playbook.outline import outline
from mesoflow.playbook.tree import Mapping
from mesoflow.safety.limits import JUDGED

STEPS = """
steps:
  - {id: exit, action: exit.prepare, with: {position_id: 1}}
  - {id: close, action: orders.work, with: {exec_plan: "{{ PLAN }}", price: {start: mid}, within: 1m}}
"""


def found(
    risk_block: str, plan: str = "steps.exit", judged: frozenset[str] = JUDGED
) -> list[tuple[str, str]]:
    loaded = load(f"risk: {risk_block}{STEPS.replace('PLAN', plan)}", "x.yaml")
    assert isinstance(loaded.root, Mapping)
    findings = risk(outline(loaded.source, loaded.root), shipped(), judged)
    return [(str(finding.code), finding.summary) for finding in findings]


EXITS = "{accounts: [PAPER-1], max_contracts_per_order: 4, max_distance_from_mid: 1.00}"


def test_a_plan_that_comes_from_an_exit_needs_the_rails_of_exits_only() -> None:
    assert found(EXITS) == []


def test_a_plan_that_is_not_known_to_come_from_an_exit_needs_all() -> None:
    assert found(EXITS, plan="steps.other | default(1)") == [
        (
            "MF301",
            "these rails are not set: `max_order_premium`, `max_order_loss`, `max_open_loss`, `max_daily_loss`",
        )
    ]


def test_a_rail_that_is_set_and_not_judged_is_a_finding_unless_it_says_unlimited() -> None:
    less = JUDGED - {"max_open_loss", "max_order_premium"}
    block = EXITS.replace("}", ", max_open_loss: 100, max_order_premium: unlimited}")
    assert found(block, judged=less) == [
        ("MF302", "`max_open_loss` is set, and this version does not judge it")
    ]
    assert found(block) == []
