"""What a run would do: unknowns with type and time, both branches, loops, rescues, and what is known to end it."""

from pathlib import Path

import pytest

from mesoflow.actions.catalogue import ACTIONS
from mesoflow.engine.action import Context
from mesoflow.playbook.compile import load
from mesoflow.review.preview import build_preview
from mesoflow.review.render.json import json_text
from mesoflow.review.render.preview import preview_text
from mesoflow.runtime.programs import program_digest
from tests.support.snapshots import matches
from tests.support.stories import T0

HEAD = """
mesoflow: 1
name: sample
inputs: {lots: {type: integer, default: 1}, tickers: {type: list, items: string, default: [SPX, VIX]}}
risk: {accounts: [PAPER-1], max_contracts_per_order: 4, max_order_premium: 10000, max_order_loss: 10000, max_open_loss: 25000,
       max_daily_loss: 1000, max_distance_from_mid: 2.00}
steps:
"""


def preview(tmp_path: Path, steps: str):
    file = tmp_path / "sample.yaml"
    file.write_text(HEAD + steps)
    compiled = load(file)
    assert compiled.program is not None, compiled.findings
    context = Context("preview", "sample", "cboe-index-options", T0, account="PAPER-1", risk=compiled.risk)
    return build_preview(
        compiled.program, program_digest(compiled.program), ACTIONS, context, compiled.inputs
    )


CASES = {
    "branches": """
  - {id: vix, action: data.underlying, with: {symbol: VIX}}
  - {id: calm, action: set, when: "{{ steps.vix.mark < 20 }}", with: {size: 2}}
  - {id: told, action: notify, when: "{{ steps.calm is done }}", with: {to: [ops], title: "size {{ steps.calm.size }}"}}
  - {id: never, action: set, when: "{{ inputs.lots > 5 }}", with: {size: 9}}
  - {id: group, when: "{{ steps.calm is skipped }}", steps: [{id: inner, action: set, with: {size: 1}}]}
""",
    "loops": """
  - {id: each, action: data.underlying, for_each: {items: "{{ inputs.tickers }}", key: "{{ loop.item }}"}, with: {symbol: "{{ loop.item }}"}}
  - {id: open, action: position.list}
  - id: close
    for_each: {items: "{{ steps.open.positions }}", key: "{{ loop.item.position_id }}"}
    action: exit.prepare
    with: {position_id: "{{ loop.item.position_id }}"}
    retry: {attempts: 3, errors: [prepare_failed], wait: 30s}
""",
    "rescues": """
  - id: entry
    action: entry.prepare
    with: {strategy: SPX put calendar 30/60, lots: "{{ inputs.lots }}"}
    rescue:
      - {errors: [entry_not_allowed], stop: skipped}
      - errors: any
        steps: [{id: told, action: notify, with: {to: [ops], title: no entry, body: "{{ error.summary }}"}}]
        stop: failed
  - id: buy
    action: orders.work
    with: {exec_plan: "{{ steps.entry }}", price: {start: mid, step: 0.05, every: 10s, worst: {from_mid: 0.30, debit: 45}}, within: 2m, if_incomplete: keep}
""",
    "ends": """
  - {id: sane, action: assert, with: {otherwise: skip, all: [{that: "{{ inputs.lots > 1 }}", message: too small}]}}
""",
}


@pytest.mark.parametrize("name", CASES)
def test_a_preview_as_text_and_as_json(tmp_path, name):
    made = preview(tmp_path, CASES[name])
    matches(__file__, f"preview-{name}.txt", preview_text(made))
    matches(__file__, f"preview-{name}.json", json_text(made.model_dump(mode="python")))


def test_it_says_whether_it_would_trade(tmp_path):
    assert [preview(tmp_path, CASES[name]).would_trade for name in CASES] == [False, False, True, False]
