"""The expression language of strategy definitions, as facts: which names there are, and what definitions are bounded by.

Shared by the simulator, which evaluates expressions, and by `check`, which only reads them, so that the two know one language.
Names only; what they mean is the vendor's documentation. Lists that the documentation leaves open are marked so: what is not
in them may exist.
"""

from __future__ import annotations

import re

# The oldest version of definitions that MesoLive imports.
VERSION_LEAST = 3
# Names of legs, expirations and variables become parts of names in expressions.
NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
_NAME = re.compile(NAME[:-1] + r"\Z")

# Exactly one of them chooses a strike.
SELECTORS = ("Delta", "StrikePrice", "BidPrice", "AskPrice", "MidPrice", "Complex")
# Operations of an adjustment, in the order in which they are done; the order of UpdateVars is not documented.
OPERATIONS = ("RemoveLegs", "MoveLeg", "AddLegs", "UpdateVars")

# --- names in expressions ----------------------------------------------------------------------------------------------

GREEKS = ("delta", "gamma", "theta", "vega", "wvega", "rho")
# `leg_NAME_…`; bid and ask of a leg exist since 2.11 under names that are not documented: the list is open.
LEG_FIGURES = (*GREEKS, "pnl", "qty", "dit", "dte", "price", "strike", "iv")
# What the quantity of a leg may read of the leg itself, whose quantity is not known yet.
OWN_FIGURES = ("price", "strike", "iv")
# `expiration_NAME_…`; the bounds are there while expirations are chosen.
EXPIRATION_FIGURES = ("dte", "min", "max")
POSITION = ("days_in_trade", "pos_pnl", "pos_margin", *(f"pos_{greek}" for greek in GREEKS))
# Kept on the position, in the order in which they are computed.
EXIT_FIGURES = {
    "ProfitTarget": "profit_target",
    "StopLoss": "stop_loss",
    "MaxDaysInTrade": "max_days_in_trade",
}
ACCOUNT = (
    "nav",
    "initial_cash",
    "pos_in_flight",
    "open_trades_cnt",
    "acc_margin",
    *(f"acc_{greek}" for greek in GREEKS),
)
UNDERLYING = (
    "underlying_price",
    "underlying_today_open",
    "underlying_prevday_close",
    "underlying_iv",
    "underlying_iv_rank",
    "underlying_iv_pct",
    "underlying_hv",
)
GLOBALS = frozenset((*POSITION, *EXIT_FIGURES.values(), *ACCOUNT, *UNDERLYING))
# The table of functions is cut off in what is published: the list is open.
FUNCTIONS = ("abs", "min", "max", "random", "sqrt", "pow", "log", "ceil", "floor", "int")
MODULES = {
    "timing": (
        "day_of_week",
        "year",
        "month",
        "day",
        "minutes_after_open",
        "minutes_before_close",
        "days_in_trade",
        "trading_days_until",
        "trading_days_after",
        "calendar_days_until",
        "calendar_days_after",
        "trading_days_in",
        "calendar_days_in",
    ),
    "options": ("model", "model_solver"),
}
# Bare words between the parentheses of `timing` functions; the list is open.
ANCHORS = frozenset(("next_month", "monthly_opex", "first"))
# Bare words between the parentheses of `options` functions.
MODEL_WORDS = frozenset(
    ("position", "pnl", *GREEKS, "zero", "minimize", "maximize", "return_price", "return_value")
)
# What a name of an older version is called now.
RENAMED = {
    "minutes_before_open": "timing.minutes_before_close",
    "minutes_after_close": "timing.minutes_after_open",
    **{greek: f"pos_{greek}" for greek in GREEKS},
    "pnl": "pos_pnl",
}

# --- what our simulator does not have -----------------------------------------------------------------------------------

# Names that stand for nothing in it, or not always, and why.
NOT_GIVEN = {
    "minutes_before_open": "it is not in this version: v3 has timing.minutes_before_close",
    "minutes_after_close": "it is not in this version: v3 has timing.minutes_after_open",
    "pos_margin": "it needs a margin model (Settings.Core.Margin)",
    "acc_margin": "it needs a margin model (Settings.Core.Margin)",
}
# Of lists of legs, expirations, conditions and adjustments; real definitions have less than ten of each.
ITEMS_MAX = 40
# Each is evaluated with all that came before in sight.
VARIABLES_MAX = 100
# Of one expression, in characters.
LENGTH_MAX = 4_000


def is_name(text: str) -> bool:
    """Whether a text can be a part of a variable's name."""
    return _NAME.match(text) is not None


def major_version(raw: object) -> int | None:
    """The first number of a MesoSimVersion, however it is written; None where there is none."""
    major = str(raw or "").lstrip("v").partition(".")[0]
    return int(major) if major.isascii() and major.isdigit() and len(major) < 10 else None
