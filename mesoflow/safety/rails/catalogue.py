"""The rails in force, an explicit list. A rail that is not here is not judged; rails/structure.py comes before them all.

`skipped` says what its line reads for an order that only reduces risk (exits are privileged, SAFETY.md §3); None: it holds
for those too. Adding one: a function of Case in its family's file, a code in codes.py, a line here, a mutant in its test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from mesoflow.safety.case import Case
from mesoflow.safety.codes import Code
from mesoflow.safety.rails.accounts import accounts
from mesoflow.safety.rails.contracts import contracts
from mesoflow.safety.rails.day import day
from mesoflow.safety.rails.duplicates import duplicates
from mesoflow.safety.rails.heartbeat import heartbeat
from mesoflow.safety.rails.instruments import instruments
from mesoflow.safety.rails.journal import durable, pinned
from mesoflow.safety.rails.losses import losses
from mesoflow.safety.rails.marks import marks
from mesoflow.safety.rails.messages import messages
from mesoflow.safety.rails.open_orders import open_orders
from mesoflow.safety.rails.prices import collar, worst
from mesoflow.safety.rails.quotes import quotes
from mesoflow.safety.rails.runs import errors, runs
from mesoflow.safety.rails.standing import reconciled, reducing
from mesoflow.safety.rails.structure import package
from mesoflow.safety.rails.window import window
from mesoflow.safety.verdicts import RailLine


@dataclass(frozen=True, slots=True)
class Rail:
    """One rail: its control, its rule as a function, and the line of its skip."""

    control: str
    judge: Callable[[Case], Iterable[RailLine]]
    skipped: Code | None = None


RAILS: Final[tuple[Rail, ...]] = (
    Rail("C01", accounts),
    Rail("C02", instruments, Code.SYMBOL_NOT_ALLOWED),
    Rail("C03", contracts, Code.CONTRACTS_PER_ORDER),
    Rail("C04", losses, Code.ORDER_LOSS),
    Rail("C05", collar),
    Rail("C06", worst),
    Rail("C07", quotes),
    # Of C08 only credit against width is skipped for an order that reduces: package says which.
    Rail("C08", package),
    Rail("C09", duplicates),
    Rail("C10", messages, Code.MESSAGES_PER_MINUTE),
    Rail("C11", runs, Code.RUNS_PER_SESSION),
    Rail("C12", open_orders, Code.OPEN_ORDERS),
    Rail("C13", window, Code.SESSION_WINDOW),
    Rail("C14", day, Code.DAILY_LOSS),
    Rail("C15", heartbeat),
    Rail("C18", reducing),
    Rail("C20", errors, Code.ERROR_BUDGET),
    Rail("C21", marks, Code.ACCOUNT_MARKED),
    Rail("C22", reconciled, Code.NOT_RECONCILED),
    Rail("C23", durable),
    Rail("C24", pinned),
)
