"""From a run's first record to the machine that runs it, or tells it again: the same one for run, resume and report."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

from mesoflow.actions.catalogue import ACTIONS
from mesoflow.actions.closing import close_orders
from mesoflow.actions.preflight import preflight
from mesoflow.engine.action import Context
from mesoflow.engine.control import Machine
from mesoflow.engine.effects import Value
from mesoflow.runtime.programs import read_program


def machine_of(started: Mapping[str, Value]) -> Machine:
    """A fresh machine. Raises ValueError for a program that another version wrote."""
    program = read_program(started["program"])
    accounts = started["accounts"]
    context = Context(
        run_id=started["run_id"],
        playbook=program.name,
        session=program.session,
        now=started["at"],
        account=accounts[0] if len(accounts) == 1 else None,
        risk=started["risk"],
        files=started["files"],
        session_date=started["session_date"],
        first_net_liquidation=dict(started["first_net_liquidation"]),
        ledger=deepcopy(started["ledger"]),
        hub=started.get("habits", {}),
    )
    return Machine(program, ACTIONS, context, started["inputs"], preflight=preflight, closing=close_orders)
