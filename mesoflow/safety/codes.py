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
    LIVE_NOT_LISTED = ("live_not_listed", "C01", "a live account is one of live.accounts in the policy")
    LIVE_NOT_ACKNOWLEDGED = (
        "live_not_acknowledged",
        "C01",
        "the policy holds the sentence by which the owner of a live account acknowledges what it means",
    )
    LIVE_NOT_ASKED_FOR = (
        "live_not_asked_for",
        "C01",
        "a live account needs --allow-live on the command line",
    )
    LIVE_NOT_IN_PLAYBOOK = ("live_not_in_playbook", "C01", "a live account needs `live: allowed` under risk")
    LIVE_REFUSED = ("live_refused", "C01", "the account is a paper account, or one of a simulator")

    SYMBOL_NOT_ALLOWED = (
        "symbol_not_allowed",
        "C02",
        "every leg's underlying is one of risk.symbols, else the plan's own",
    )
    ROOT_NOT_ALLOWED = ("root_not_allowed", "C02", "every leg's root is one of risk.roots, where it is set")
    STRATEGY_NOT_ALLOWED = (
        "strategy_not_allowed",
        "C02",
        "the strategy is one of risk.strategies, where it is set",
    )
    EXPIRY_NOT_ALLOWED = (
        "expiry_not_allowed",
        "C02",
        "no leg has expired, or expires after max_days_to_expiry, where it is set",
    )

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
        "the contracts of all orders of a run are at most max_contracts_per_run, else ten orders' worth",
    )
    CONTRACTS_PER_DAY = (
        "contracts_per_day",
        "C03",
        "the contracts of all orders on the account in a session are at most max_contracts_per_day, else ten orders' worth",
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

    LIMIT_SIGN = (
        "limit_sign",
        "C08",
        "what can only pay out is not paid for with a credit, nor the other way round",
    )
    CREDIT_BEYOND_WIDTH = (
        "credit_beyond_width",
        "C08",
        "a credit is at most what the package can cost at expiry, a debit at most what it can bring",
    )
    LEGS_OVERLAP = (
        "legs_overlap",
        "C08",
        "no leg that opens is held in another position: the broker would net them",
    )
    LEGS_PER_ORDER = ("legs_per_order", "C08", "a leg group has at most as many legs as the broker takes")

    DUPLICATE_ORDER = (
        "duplicate_order",
        "C09",
        "no other order on the account with these legs and sides is alive or unknown",
    )
    DUPLICATE_ENTRY = (
        "duplicate_entry",
        "C09",
        "no other run has sent an entry with these legs and sides in the last 10 minutes",
    )

    MESSAGES_PER_MINUTE = (
        "messages_per_minute",
        "C10",
        "the orders and cancels of a minute are at most max_messages.minute; an order above it waits",
    )
    MESSAGES_PER_RUN = (
        "messages_per_run",
        "C10",
        "the orders and cancels of a run are at most max_messages.run",
    )
    MESSAGES_PER_DAY = (
        "messages_per_day",
        "C10",
        "the orders and cancels of a session are at most max_messages.day",
    )

    RUNS_PER_SESSION = (
        "runs_per_session",
        "C11",
        "the runs of a playbook in one session are at most max_runs_per_session",
    )

    OPEN_ORDERS = (
        "open_orders",
        "C12",
        "the orders of the account that are alive or unknown are at most max_open_orders",
    )
    OPEN_ORDERS_VALUE = (
        "open_orders_value",
        "C12",
        "their limits add up to at most max_open_orders_value, else the premium of max_open_orders orders",
    )

    SESSION_WINDOW = (
        "session_window",
        "C13",
        "entries leave inside the session only, not right after its open nor right before its close",
    )
    NO_TRADE_DATE = ("no_trade_date", "C13", "entries leave on no date of no_trade_dates")

    DAILY_LOSS = ("daily_loss", "C14", "the day's loss has not reached max_daily_loss")
    DAY_PNL_UNKNOWN = ("day_pnl_unknown", "C14", "the day's profit and loss is known")

    HEARTBEAT = ("heartbeat", "C15", "the agent and the quotes have been heard of within heartbeat")

    HALTED = ("halted", "C17", "no order leaves while the state home is halted; release lets it go on")
    REDUCING = ("reducing", "C18", "while the trading state is REDUCING only what closes leaves")

    ERROR_BUDGET = (
        "error_budget",
        "C20",
        "fewer runs than max_errors_per_day have ended in an error in this session",
    )

    ACCOUNT_MARKED = ("account_marked", "C21", "no position of the account differs from its fills")

    NOT_RECONCILED = (
        "not_reconciled",
        "C22",
        "our journals and the hub agreed on our positions within reconcile_every",
    )

    NOT_DURABLE = ("not_durable", "C23", "a durable journal holds the intent before the order leaves")

    SEMANTICS_DIFFER = ("semantics_differ", "C24", "the engine's semantics number is the run's")
    PROGRAM_DIFFERS = ("program_differs", "C24", "the program is the one that the run began with")

    POLICY_LOOSER = (
        "policy_looser",
        "C24",
        "the policy in force is no looser than the run's, or was accepted with --accept-policy",
    )

    RAIL_NOT_SET = (
        "rail_not_set",
        "C25",
        "every rail that can apply is set under risk; unlimited is a value too",
    )
    FACT_MISSING = ("fact_missing", "C25", "what a rail needs to know is known")
