"""The playbooks of seeded worlds: a small family that holds each way in which orders leave.

One group, two groups one after the other and at once, with unwinding and without, sent and waited for, adjusted, exits with
retry, at both live-like brokers and on paper. Everything drawn is written into the text, so that a world is one file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mesoflow.rehearsal.drawing import Draw

NAME = "seeded"
_RISK = (
    "max_contracts_per_order: 40, max_order_premium: 1000000, max_order_loss: unlimited, max_open_loss: unlimited, "
    "max_stress_loss: {move: 8%, loss: 2000000}, max_daily_loss: 500000, max_distance_from_mid: 60% of mid"
)
_WALK = "{start: START, step: 0.20, every: EVERY, worst: {from_natural: 0.20}}"
_ENTRY = "  - {id: entry, action: entry.prepare, with: {strategy: STRATEGY, lots: LOTS}}\n"
_BUY = _ENTRY + (
    f'  - {{id: buy, action: orders.work, with: {{exec_plan: "{{{{ steps.entry }}}}", price: {_WALK}, within: WITHIN MORE}}}}\n'
)
_SEND = _ENTRY + (
    '  - {id: send, action: orders.send, with: {exec_plan: "{{ steps.entry }}", price: {start: START}}}\n'
    '  - {id: buy, action: fills.wait, with: {orders: "{{ steps.send }}", within: 2m}}\n'
)
_ADJUST = (
    '  - id: plan\n    action: adjustment.prepare\n    with: {position_id: "{{ steps.buy.position_id }}", '
    'operation: remove_legs, condition: "true -- close the shorts"}\n'
    f'  - {{id: adjust, action: orders.work, with: {{exec_plan: "{{{{ steps.plan }}}}", price: {_WALK}, within: WITHIN}}}}\n'
)
_CLOSE = (
    "  - id: close\n    action: position.exit\n    retry: {attempts: 3, errors: [not_filled, incomplete, no_quote], wait: 10s}\n"
    f'    with: {{position_id: "{{{{ steps.buy.position_id }}}}", price: {_WALK}, within: WITHIN}}\n'
)
_UNWIND = f", if_incomplete: {{unwind: {{price: {_WALK}, within: WITHIN}}}}"
_STORIES = (
    ("IB-1", 101, _BUY, ""),
    ("IB-1", 101, _BUY, ", if_incomplete: keep"),
    ("IB-1", 101, _BUY + _CLOSE, ""),
    ("IB-1", 101, _BUY + _CLOSE, ", if_incomplete: keep"),
    ("IB-1", 103, _BUY, ", sequence: together"),
    ("IB-1", 103, _BUY + _CLOSE, ", sequence: together" + _UNWIND),
    ("IB-1", 104, _BUY + _ADJUST, ""),
    ("TT-1", 101, _BUY + _CLOSE, _UNWIND),
    ("TT-1", 103, _BUY, _UNWIND),
    ("TT-1", 103, _BUY + _CLOSE, ", sequence: [short_call, short_put]"),
    ("IB-1", 103, _SEND + _CLOSE, ""),
    ("TT-1", 103, _SEND, ""),
    ("PAPER-1", 101, _BUY + _CLOSE, ""),
)


@dataclass(frozen=True, slots=True)
class Story:
    """Where it trades, its steps, and what it is in a few words."""

    account: str
    steps: str
    told: str


def drawn(draw: Draw) -> Story:
    """One of the family, with its figures."""
    account, strategy, steps, more = draw.choice("story", _STORIES)
    words = {
        "MORE": more,
        "STRATEGY": str(strategy),
        "LOTS": str(draw.choice("lots", (1, 1, 2, 3))),
        "START": draw.choice("start", ("mid", "mid", "near")),
        "EVERY": draw.choice("every", ("5s", "15s", "15s", "40s")),
        "WITHIN": draw.choice("within", ("1m", "4m", "4m", "10m")),
    }
    for word, value in words.items():
        steps = steps.replace(word, value)
    told = f"{account} {strategy} {len(steps.splitlines())} lines, lots {words['LOTS']}, within {words['WITHIN']}"
    return Story(account, steps, told)


def playbook(accounts: Iterable[str], steps: str) -> str:
    """Steps with their head."""
    named = ", ".join(accounts)
    return f"mesoflow: 1\nname: {NAME}\nstart: {{once_per: never}}\nrisk: {{accounts: [{named}], {_RISK}}}\nsteps:\n{steps}"


def story(draw: Draw) -> tuple[str, str]:
    """The text of a playbook, and what it is in a few words."""
    one = drawn(draw)
    return playbook([one.account], one.steps), one.told
