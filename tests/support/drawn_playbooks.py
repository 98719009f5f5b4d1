"""Small playbooks as they are drawn: each checks, trades on a simulated account, and is put together from what the language has:
conditions, groups, loops, tries, rescues, walks and bookings, orders that are sent and waited for, exits of both kinds, and the
actions that change something else.
"""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.rehearsal.drawing import Draw

_HEAD = """\
mesoflow: 1
name: drawn
start: {{once_per: never}}
inputs:
  lots: {{type: integer, default: {lots}}}
  quiet: {{type: boolean, default: {quiet}}}
risk:
  accounts: [{account}]
  max_contracts_per_order: 8
  max_order_premium: 40000
  max_order_loss: unlimited
  max_open_loss: unlimited
  max_stress_loss: {{move: 10%, loss: 400000}}
  max_daily_loss: 5% of net_liquidation
  max_distance_from_mid: [15% of mid, 2.00]
steps:
"""
_PRICES = (
    "{start: mid}",
    "{start: natural}",
    "{start: mid, step: 0.05, every: 5s, worst: {from_mid: 0.15}}",
    "{start: mid, step: 0.10, every: 10s, worst: {from_natural: 0.05}}",
)
_INCOMPLETE = (
    "",
    ", if_incomplete: hold",
    ", if_incomplete: {unwind: {price: {start: mid, step: 0.05, every: 5s, worst: {from_natural: 0.10}}, within: 2m}}",
)


def drawn(seed: int) -> str:
    """The playbook of a seed."""
    draw = Draw(seed, ("playbook",))
    head = _HEAD.format(
        account=draw.choice("account", ("PAPER-1", "PAPER-1", "IB-1", "TT-1")),
        lots=draw.choice("lots", (1, 1, 2)),
        quiet=draw.choice("quiet", ("true", "false")),
    )
    return head + "".join(f"{line}\n" for line in (*_before(draw), *_entry(draw), *_exit(draw), *_end(draw)))


def _before(draw: Draw) -> Iterator[str]:
    yield "  - {id: account, action: account.select}"
    yield "  - {id: window, action: wait.until, with: {at: next open + 15m}}"
    if draw.choice("clone", (True, False)):
        active = draw.choice("active", (', active_on: ["{{ steps.account.broker_account_id }}"]', ""))
        yield f"  - {{id: copy, action: strategy.clone, with: {{from: {_strategy(draw)}, name: drawn copy{active}}}}}"
    if draw.choice("loop", (True, False)):
        key = draw.choice("key", ("", ', key: "{{ loop.item }}"'))
        yield f"  - id: symbols\n    for_each: {{items: [SPX, VIX]{key}, at_once: {draw.choice('at once', (1, 2))}}}"
        yield "    steps:"
        yield '      - {id: look, action: data.underlying, with: {symbol: "{{ loop.item }}"}}'
        yield '      - {id: say, action: notify, with: {to: [ops], title: "{{ loop.item }}", body: "{{ steps.look.mark }}"}}'
    if draw.choice("pause", (True, False)):
        yield f'  - {{id: pause, when: "{{{{ inputs.quiet }}}}", action: wait.for, with: {{duration: {draw.choice("long", (5, 90))}s}}}}'


def _strategy(draw: Draw) -> str:
    return draw.choice(
        "strategy", ("SPX put calendar 30/60", "SPX weekend strangle", "SPX strangle adjusting")
    )


def _entry(draw: Draw) -> Iterator[str]:
    """In a group that may be tried again, and rescued."""
    yield "  - id: enter\n    steps:"
    yield f'      - {{id: entry, action: entry.prepare, with: {{strategy: {_strategy(draw)}, lots: "{{{{ inputs.lots }}}}"}}}}'
    price, within = draw.choice("price", _PRICES), draw.choice("within", ("20s", "1m", "3m"))
    incomplete = draw.choice("incomplete", _INCOMPLETE)
    if draw.choice("sent", (True, False, False)):
        yield f'      - {{id: sent, action: orders.send, with: {{exec_plan: "{{{{ steps.entry }}}}", price: {draw.choice("sent at", _PRICES[:2])}}}}}'
        yield f'      - {{id: buy, action: fills.wait, with: {{orders: "{{{{ steps.sent }}}}", within: {within}{incomplete}}}}}'
    else:
        yield f'      - {{id: buy, action: orders.work, with: {{exec_plan: "{{{{ steps.entry }}}}", price: {price}, within: {within}{incomplete}}}}}'
    if draw.choice("retry", (True, False)):
        yield "    retry: {attempts: 2, errors: [not_filled, no_quote], wait: 15s}"
    yield "    rescue:"
    if draw.choice("told", (True, False)):
        yield "      - errors: [not_filled]"
        yield '        steps: [{id: unfilled, action: notify, with: {to: [ops], title: not filled, body: "{{ error.summary }}"}}]'
        yield "        stop: skipped"
    yield "      - {errors: any, stop: failed}"
    yield '    outputs: {position_id: "{{ steps.buy.position_id }}"}'


def _exit(draw: Draw) -> Iterator[str]:
    price, within = draw.choice("exit price", _PRICES), draw.choice("exit within", ("30s", "2m"))
    position = 'position_id: "{{ steps.enter.position_id }}"'
    again = "    retry: {attempts: 3, errors: [not_filled, incomplete, no_quote], wait: 10s}"
    match draw.choice("exit", ("position.exit", "prepared", "loop", "none")):
        case "position.exit":
            yield f"  - id: leave\n    action: position.exit\n    with: {{{position}, price: {price}, within: {within}}}"
            yield again
        case "prepared":
            yield f"  - id: leave\n    steps:\n      - {{id: exit, action: exit.prepare, with: {{{position}}}}}"
            yield f'      - {{id: sell, action: orders.work, with: {{exec_plan: "{{{{ steps.exit }}}}", price: {price}, within: {within}}}}}'
            yield again
        case "loop":
            yield "  - {id: open, action: position.list}"
            yield '  - id: leave\n    for_each: {items: "{{ steps.open.positions }}", key: "{{ loop.item.position_id }}"}\n    steps:'
            yield '      - {id: exit, action: exit.prepare, with: {position_id: "{{ loop.item.position_id }}"}}'
            yield f'      - {{id: sell, action: orders.work, with: {{exec_plan: "{{{{ steps.exit }}}}", price: {price}, within: {within}}}}}'


def _end(draw: Draw) -> Iterator[str]:
    """What is left of the catalogue: strategies changed and removed, orders cancelled, accounts compared, trading halted."""
    if draw.choice("strategies", (True, False)):
        yield "  - {id: shelf, action: strategy.clone, with: {from: SPX weekend strangle, name: on the shelf}}"
        yield '  - {id: renamed, action: strategy.update, with: {strategy_id: "{{ steps.shelf.strategy_id }}", name: set aside}}'
        yield '  - {id: removed, action: strategy.delete, with: {strategy_id: "{{ steps.shelf.strategy_id }}"}}'
    if draw.choice("cancels", (True, False)):
        yield "  - {id: stop_all, action: orders.cancel, with: {of: account, kinds: [entry, exit, adjustment]}}"
    if draw.choice("reconciles", (True, False)):
        yield "  - {id: agree, action: account.reconcile}"
    if draw.choice("halts", (True, False, False)):
        state = draw.choice("state", ("reducing", "halted"))
        yield f"  - {{id: enough, action: trading.halt, with: {{state: {state}, reason: enough}}}}"
    if draw.choice("always", (True, False)):
        yield "always:\n  - {id: over, action: notify, with: {to: [ops], title: over}}"


# One that is not drawn, in which everything is reached that changes something and trades nothing.
CHANGES = (
    _HEAD.format(account="PAPER-1", lots=1, quiet="true")
    + """\
  - {id: made, action: strategy.create, with: {name: of a file, definition: definition.json, active_on: [PAPER-1]}}
  - {id: shelf, action: strategy.clone, with: {from: SPX weekend strangle, name: on the shelf}}
  - {id: renamed, action: strategy.update, with: {strategy_id: "{{ steps.shelf.strategy_id }}", name: aside, active_on: [PAPER-1]}}
  - {id: idle, action: strategy.update, with: {strategy_id: "{{ steps.shelf.strategy_id }}", active_on: []}}
  - {id: removed, action: strategy.delete, with: {strategy_id: "{{ steps.shelf.strategy_id }}"}}
  - {id: entry, action: entry.prepare, with: {strategy: "{{ steps.made.strategy_id }}", lots: 1}}
  - {id: open, action: orders.work, with: {exec_plan: "{{ steps.entry }}", price: {start: mid, step: 0.10, every: 15s, worst: {from_natural: 0}}, within: 20m}}
  - id: less
    action: position.update_vars
    with: {position_id: "{{ steps.open.position_id }}", condition: "days_in_trade >= 30 -- take less"}
  - {id: none_left, action: orders.cancel, with: {of: account, kinds: [entry, exit, adjustment]}}
  - {id: enough, action: trading.halt, with: {state: reducing, reason: enough}}
"""
)
