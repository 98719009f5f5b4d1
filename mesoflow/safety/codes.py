"""The codes of refusals: stable, one a rule, with the rule in words. A code is never reused for another rule (C25)."""

from __future__ import annotations

from enum import Enum


class Code(Enum):
    """A rule that an order must hold: its code, the control of SAFETY.md that it belongs to, and the rule."""

    code: str
    control: str
    rule: str

    def __init__(self, code: str, control: str, rule: str) -> None:
        self.code = code
        self.control = control
        self.rule = rule

    ACCOUNT_NOT_ALLOWED = ("account_not_allowed", "C01", "the account is one of risk.accounts")
    LIVE_REFUSED = ("live_refused", "C01", "the account is a paper account, or one of a simulator")

    ORDER_INCOHERENT = (
        "order_incoherent",
        "C08",
        "every leg that trades belongs to one group, in whole packages, at a price that is a number",
    )
    CONTRACTS_PER_ORDER = (
        "contracts_per_order",
        "C03",
        "the contracts of each leg group are at most max_contracts_per_order",
    )
    CONTRACTS_PER_RUN = (
        "contracts_per_run",
        "C03",
        "the contracts of all orders of a run are at most ten times max_contracts_per_order",
    )

    ORDER_PREMIUM = (
        "order_premium",
        "C04",
        "what each leg group pays or receives is at most max_order_premium",
    )
    ORDER_LOSS = ("order_loss", "C04", "the loss at expiry that the order adds is at most max_order_loss")
    OPEN_LOSS = (
        "open_loss",
        "C04",
        "the loss at expiry of all that is open, and of this, is at most max_open_loss",
    )
    LOSS_UNBOUNDED = (
        "loss_unbounded",
        "C04",
        "what has no worst loss at expiry needs max_order_loss and max_open_loss unlimited, and max_stress_loss",
    )
    STRESS_LOSS = ("stress_loss", "C04", "the loss in max_stress_loss.move, either way, is at most its loss")

    DISTANCE_FROM_MID = (
        "distance_from_mid",
        "C05",
        "the limit lies within max_distance_from_mid of the legs' mid, four package ticks at least",
    )
    REFERENCE_MISSING = (
        "reference_missing",
        "C05",
        "the legs' quotes give a mid that is a number and not zero",
    )

    BEYOND_WORST = ("beyond_worst", "C06", "no price is beyond the frozen worst price")
    PRICE_MISSING = (
        "price_missing",
        "C06",
        "there is a frozen worst price, and a price for every leg that is filled",
    )

    QUOTE_UNUSABLE = (
        "quote_unusable",
        "C07",
        "every leg's quote is two-sided, not crossed, at most 5 s old, sanely wide, no stub, with a bid for what is sold",
    )
    CLOCK_BACKWARDS = ("clock_backwards", "C07", "the clock does not run backwards")

    DAILY_LOSS = ("daily_loss", "C14", "the day's loss has not reached max_daily_loss")
    DAY_PNL_UNKNOWN = ("day_pnl_unknown", "C14", "the day's profit and loss is known")

    ACCOUNT_MARKED = ("account_marked", "C21", "no position of the account differs from its fills")

    NOT_DURABLE = ("not_durable", "C23", "a durable journal holds the intent before the order leaves")

    SEMANTICS_DIFFER = ("semantics_differ", "C24", "the engine's semantics number is the run's")
    PROGRAM_DIFFERS = ("program_differs", "C24", "the program is the one that the run began with")

    RAIL_NOT_SET = (
        "rail_not_set",
        "C25",
        "every rail that can apply is set under risk; unlimited is a value too",
    )
    FACT_MISSING = ("fact_missing", "C25", "what a rail needs to know is known")
