"""Which playbooks leave orders that nobody waits for on some path."""

import pytest

from mesoflow.playbook.check import check_text
from mesoflow.playbook.lint.codes import Code

HEAD = """mesoflow: 1
name: case
risk: {accounts: [IB-1], max_contracts_per_order: 4, max_order_premium: 1000, max_order_loss: 1000, max_open_loss: 1000, max_daily_loss: 500, max_distance_from_mid: 15% of mid}
steps:
  - {id: entry, action: entry.prepare, with: {strategy: 102}}
"""
SEND = '{id: send, action: orders.send, with: {exec_plan: "{{ steps.entry }}", price: {start: mid}}}'
WAIT = '{id: fills, action: fills.wait, with: {orders: "{{ steps.send }}", within: 5m}}'
TELL = "{id: told, action: notify, with: {to: [ops], title: sent}}"
GOES_ON = "rescue: [{errors: any, steps: [{id: sorry, action: notify, with: {to: [ops], title: sorry}}]}]"
ENDS = "rescue: [{errors: any, stop: done}]"

AWAITED = {
    "behind it": f"  - {SEND}\n  - {WAIT}\n",
    "behind a step that may fail": f"  - {SEND}\n  - {TELL}\n  - {WAIT}\n",
    "in the same group": f"  - {{id: buy, steps: [{SEND}, {WAIT}]}}\n",
    "behind the group": f"  - {{id: buy, steps: [{SEND}]}}\n  - {WAIT}\n",
    "in a group behind it": f"  - {SEND}\n  - {{id: wait, steps: [{TELL}, {WAIT}]}}\n",
    "a group that goes on, with nothing between": f"  - {{id: buy, steps: [{SEND}, {WAIT}], {GOES_ON}}}\n",
    "under one condition": f"""  - {{id: buy, when: "{{{{ run.id != 'x' }}}}", steps: [{SEND}, {WAIT}]}}\n""",
}
NOT_AWAITED = {
    "never": f"  - {SEND}\n",
    "before it": f"  - {WAIT.replace('send', 'entry')}\n  - {SEND}\n",
    "only sometimes": f"""  - {SEND}\n  - {WAIT[:-1]}, when: "{{{{ run.id != 'x' }}}}"}}\n""",
    "the run may end before": f"  - {SEND}\n  - {TELL[:-1]}, {ENDS}}}\n  - {WAIT}\n",
    "the run may be skipped before": f"  - {SEND}\n  - {{id: sure, action: assert, with: {{otherwise: skip, all: [{{that: "
    f'"{{{{ steps.send.live }}}}", message: no}}]}}}}\n  - {WAIT}\n',
    "what fails between goes on without": f"  - {{id: buy, steps: [{SEND}, {TELL}, {WAIT}], {GOES_ON}}}\n",
    "a group that ends the run": f"  - {{id: buy, steps: [{SEND}], {ENDS}}}\n  - {WAIT}\n",
    "a loop that sends": f"  - {SEND[:-1]}, for_each: {{items: [1, 2]}}}}\n  - {TELL}\n",
    "a loop around it": f"  - {{id: each, for_each: {{items: [1, 2]}}, steps: [{SEND}]}}\n",
    "a clause that ends the run": f"  - {{id: told, action: notify, with: {{to: [ops], title: x}}, rescue: [{{errors: any, steps: "
    f"[{SEND}], stop: done}}]}}\n",
}


def codes(steps: str) -> list[str]:
    return [finding.code for finding in check_text(HEAD + steps, "case.yaml").findings]


@pytest.mark.parametrize("steps", AWAITED.values(), ids=AWAITED)
def test_awaited_on_every_path(steps: str) -> None:
    assert codes(steps) == []


@pytest.mark.parametrize("steps", NOT_AWAITED.values(), ids=NOT_AWAITED)
def test_not_awaited_on_some_path(steps: str) -> None:
    assert Code.SENT_NOT_AWAITED in codes(steps)


def test_a_wait_for_something_else() -> None:
    other = "  - {id: again, action: fills.wait, with: {orders: 7, within: 5m}}\n"
    assert Code.WAITS_FOR_NOTHING in codes(f"  - {SEND}\n  - {WAIT}\n{other}")
