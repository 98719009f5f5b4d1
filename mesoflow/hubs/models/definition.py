"""The strategy definition v3, field by field, and what MesoLive makes of each; schemas/strategy.schema.json is made from here.

A definition is kept as its author wrote it: nothing reads one into these models at run time. Absent and null are the same;
numbers are written as numbers or as text; an expression (hubs/script.py) is text or a number. What is said of a field's
support is MesoLive's, not MesoSim's: what a back test obeys may be ignored when the strategy is traded.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_pascal

from mesoflow.hubs.script import NAME, SELECTORS

Support: TypeAlias = Literal["supported", "ignored", "not supported", "different"]

NUMERIC = r"^-?[0-9]+(\.[0-9]+)?$"
INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$"
_DAY = "(mon|tue|wed|thu|fri|sat|sun)"
EVERY = rf"^(day|5min|{_DAY}(,{_DAY})*)$"


def _written(kind: str, **text: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "string", **text}, {"type": "number"}], "x-expression": kind})


Expression = Annotated[str | int | Decimal, _written("number", pattern=r"\S")]
Condition = Annotated[str | int | Decimal, _written("condition", pattern=r"\S")]
# An expression that may also be left out by a blank text.
Blank = Annotated[str | int | Decimal, _written("number")]
Number = Annotated[
    Decimal, WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": NUMERIC}]})
]
Name = Annotated[str, Field(pattern=NAME)]
Text = Annotated[str, Field(pattern=r"\S")]
Instant = Annotated[str, Field(pattern=INSTANT)]
# Name → its expression.
Variables = dict[Name, Expression]
Right = Literal["Put", "Call"]


def _support(support: Support, note: str, harmless: tuple[object, ...]) -> dict[str, Any]:
    said: dict[str, Any] = {"support": support}
    if note:
        said["note"] = note
    if harmless:
        said["harmless"] = list(harmless)
    return {"x-mesolive": said}


def must(about: str, support: Support = "supported", note: str = "") -> Any:  # noqa: ANN401 - as pydantic's Field
    """A field that has to be there. `note`: what it means that MesoLive does not do as written."""
    return Field(description=about, json_schema_extra=_support(support, note, ()))


def may(about: str, support: Support = "supported", note: str = "", harmless: tuple[object, ...] = ()) -> Any:  # noqa: ANN401
    """A field that may be absent or null. `harmless`: values for which MesoLive does as written, or nothing is lost."""
    return Field(default=None, description=about, json_schema_extra=_support(support, note, harmless))


def _one_of(*names: str) -> dict[str, Any]:
    """Exactly one of these keys is there and not null."""
    given = [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in names]
    return {"oneOf": given}


class Part(BaseModel):
    """What all parts share."""

    model_config = ConfigDict(
        defer_build=True, extra="forbid", alias_generator=to_pascal, populate_by_name=True, frozen=True
    )


# --- back tests --------------------------------------------------------------------------------------------------------

_BACK_TEST = "it concerns back tests only"


class Backtest(Part):
    """Parameters of a back test."""

    name: Annotated[str, Field(max_length=250)] = must(
        "name of the back test; `generate` draws one", "ignored", _BACK_TEST
    )
    start: Instant | None = may("first simulated instant", "ignored", _BACK_TEST)
    end: Instant | None = may("last simulated instant", "ignored", _BACK_TEST)
    cash: Number | None = may("capital at its start; `initial_cash`", "ignored", _BACK_TEST)


# --- structure ---------------------------------------------------------------------------------------------------------


class Roots(Part):
    """Which option classes may be used."""

    include: list[str] | None = may("only these; where two fit equally the earlier one wins")
    exclude: list[str] | None = may("none of these")


class Expiration(Part):
    """An alias, and the listed expiration it stands for."""

    name: Name = must("what legs and `expiration_NAME_dte` call it; unique")
    dte: Expression = Field(
        alias="DTE",
        description="calendar days to it; the nearest listed one is taken",
        json_schema_extra=_support("supported", "", ()),
    )
    min: Blank | None = may("fewest calendar days")
    max: Blank | None = may("most calendar days")
    roots: Roots | None = may("which option classes may be used")


class Complex(Part):
    """A search over every contract of the expiration."""

    statement: Expression = must("score of a contract as if it were the leg")
    target: Expression = must("the score that is wanted; the nearest is taken")
    constraints: list[Condition] | None = may("all must be true of a contract that counts")


class StrikeSelector(Part):
    """How a leg finds its strike: exactly one of the six ways, within bounds of the same quantity."""

    model_config = ConfigDict(json_schema_extra=_one_of(*SELECTORS))

    min: Blank | None = may("least of what the selector compares")
    max: Blank | None = may("most of what the selector compares")
    bid_price: Blank | None = may("the contract with the nearest bid")
    ask_price: Blank | None = may("the contract with the nearest ask")
    mid_price: Blank | None = may("the contract with the nearest mid")
    delta: Blank | None = may("the contract with the nearest delta, in percent (10 is 0.10), without sign")
    strike_price: Blank | None = may("the nearest strike")
    complex: Complex | None = may("a search over every contract")


class Leg(Part):
    """One leg. Legs are resolved in their order; a later one can read earlier ones."""

    name: Name = must("what `leg_NAME_…` calls it; unique")
    qty: Expression = must("contracts for one package, negative when sold; may read the leg's own price")
    option_type: Right = must("Put or Call")
    expiration_name: str = must("Name of one of the Expirations")
    leg_group_id: Blank | None = may("legs of one number go to the broker as one combo order")
    strike_selector: StrikeSelector = must("how the strike is found")


class Structure(Part):
    """What a position is made of."""

    name: str | None = may("name of the shape", "ignored", "it is not used as a label")
    expirations: Annotated[list[Expiration], Field(min_length=1)] = must("aliases that legs point to")
    legs: Annotated[list[Leg], Field(min_length=1)] = must("the legs, in the order in which they are chosen")


# --- entry -------------------------------------------------------------------------------------------------------------

_NO_SCHEDULE = "signals are raised at any time of a session"


class Schedule(Part):
    """When a back test looks: minutes after the open or before the close, rounded to five."""

    model_config = ConfigDict(json_schema_extra=_one_of("AfterMarketOpenMinutes", "BeforeMarketCloseMinutes"))

    after_market_open_minutes: Number | None = may("minutes after the open", "ignored", _NO_SCHEDULE)
    before_market_close_minutes: Number | None = may("minutes before the close", "ignored", _NO_SCHEDULE)
    every: Annotated[str, Field(pattern=EVERY)] = must(
        "day, 5min, or days: mon,wed,fri", "ignored", _NO_SCHEDULE
    )


class Concurrency(Part):
    """How many positions may be open at once."""

    max_positions_in_flight: Number = must("most positions at once")
    entry_shift_days: Number = must("days between two entries")


class Entry(Part):
    """When and how positions are entered."""

    schedule: Schedule = must("when entries are looked at")
    conditions: list[Condition] | None = may(
        "any true one lets the entry go; none: always",
        "different",
        "judged on the preview with its legs; a back test judges them before legs are chosen",
    )
    var_defines: Variables | None = may(
        "variables that are kept on the position",
        "different",
        "computed in the preview, kept only after the entry has filled",
    )
    abort_conditions: list[Condition] | None = may("any true one drops the entry, once its legs are chosen")
    qty_multiplier: Blank | None = may("scales the quantities of all legs; none: 1")
    reentry_days: Number = must("days without an entry after an exit")
    concurrency: Concurrency | None = may("positions at once; none: one")


# --- adjustments -------------------------------------------------------------------------------------------------------


class RemoveLegsAdjustment(Part):
    """Close legs; without any leg left the position is closed."""

    leg_names: Annotated[list[str], Field(min_length=1)] = must("which legs")
    var_defines: Variables | None = may("variables that are kept with it")


class MoveLegAdjustment(Part):
    """Close a leg and open it elsewhere."""

    leg_name: str = must("which leg")
    strike_selector: StrikeSelector = must("its new strike")
    expiration_name: str | None = may("its new expiration; none: the one it has")
    expirations: list[Expiration] | None = may("aliases beside those of the structure")
    var_defines: Variables | None = may("variables that are kept with it")


class AddLegsAdjustment(Part):
    """Open more legs."""

    legs: Annotated[list[Leg], Field(min_length=1)] = must("the legs")
    expirations: list[Expiration] | None = may("aliases beside those of the structure")
    abort_conditions: list[Condition] | None = may("any true one drops the addition")
    var_defines: Variables | None = may("variables that are kept with it")


class UpdateVarsAdjustment(Part):
    """Change variables; nothing is traded."""

    var_defines: Annotated[Variables, Field(min_length=1)] = must("their new values")


class ConditionalAdjustment(Part):
    """What is done when its key is true, in this order: legs removed, moved, added."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name], "properties": {name: {"not": {"type": "null"}}}}
                for name in (
                    "RemoveLegsAdjustment",
                    "MoveLegAdjustment",
                    "AddLegsAdjustment",
                    "UpdateVarsAdjustment",
                )
            ]
        }
    )

    remove_legs_adjustment: RemoveLegsAdjustment | None = may("close legs")
    move_leg_adjustment: MoveLegAdjustment | None = may("move a leg")
    add_legs_adjustment: AddLegsAdjustment | None = may("open legs")
    update_vars_adjustment: UpdateVarsAdjustment | None = may("change variables; nothing is traded")


class Adjustment(Part):
    """Changes of a position while it is open."""

    schedule: Schedule | None = may("when adjustments are looked at", "ignored", _NO_SCHEDULE)
    conditional_adjustments: dict[str, ConditionalAdjustment] = must(
        "condition → what is done; conditions are taken in the order of the alphabet"
    )
    max_adjustment_count: Number | None = may(
        "most adjustments of a position", "not supported", "adjustments are not counted, and none is the last"
    )


# --- exit --------------------------------------------------------------------------------------------------------------


class Exit(Part):
    """When a position is closed as a whole. In MesoLive these are signals; somebody has to act on them."""

    schedule: Schedule = must("when exits are looked at", "ignored", _NO_SCHEDULE)
    max_days_in_trade: Number | None = may("days after which it is closed")
    profit_target: Blank | None = may("profit at which it is closed, in the account's currency")
    stop_loss: Blank | None = may("loss at which it is closed")
    conditions: list[Condition] | None = may("any true one closes it")
    var_defines: Variables | None = may("variables of the exit", "not supported", "they are never computed")


class ExternalData(Part):
    """Series of the author's own; the columns of the file are variables."""

    csv_url: str = must("where the CSV file is; public")


# --- settings ----------------------------------------------------------------------------------------------------------


class DeribitCommissionSettings(Part):
    """Fees of Deribit."""

    maker_fee_pct_per_contract: Number | None = may("maker's fee in percent", "ignored", _BACK_TEST)
    taker_fee_pct_per_contract: Number | None = may("taker's fee in percent", "ignored", _BACK_TEST)
    max_fee_pct_per_contract: Number | None = may("highest fee in percent", "ignored", _BACK_TEST)
    delivery_fee_pct_per_contract: Number | None = may("fee of delivery in percent", "ignored", _BACK_TEST)
    waive_buy_sell_combo_one_side: bool | None = may(
        "the cheaper side of a combo is free", "ignored", _BACK_TEST
    )
    waive_daily_options_delivery_fees: bool | None = may(
        "no delivery fee on daily options", "ignored", _BACK_TEST
    )


class Commission(Part):
    """Fees in a back test."""

    commission_model: Literal["FixedFee", "Deribit"] = must("which fees", "ignored", _BACK_TEST)
    option_fee: Number | None = may("fee of a contract", "ignored", _BACK_TEST)
    deribit_commission_settings: DeribitCommissionSettings | None = may(
        "fees of Deribit", "ignored", _BACK_TEST
    )


class PositionMonitor(Part):
    """What a back test records."""

    trace_collection_interval: Literal["Off", "Daily", "Hourly"] | None = may(
        "how often traces are kept", "ignored", _BACK_TEST
    )


class Sim(Part):
    """Settings of back tests."""

    fill_model: Literal["AtMidPrice", "AtBidAsk"] | None = may("price of fills", "ignored", _BACK_TEST)
    slippage_amt: Number | None = may("cost of a leg beside its price", "ignored", _BACK_TEST)
    commission: Commission | None = may("fees", "ignored", _BACK_TEST)
    position_monitor: PositionMonitor | None = may("what is recorded", "ignored", _BACK_TEST)


class PMConfig(Part):
    """The range that is scanned for portfolio margin."""

    lower_bound_pct: Number = must("percent below the underlying's price", "not supported", _BACK_TEST)
    upper_bound_pct: Number = must("percent above the underlying's price", "not supported", _BACK_TEST)


class Margin(Part):
    """How margin is estimated."""

    model: Literal["None", "RegT", "PMLike"] | None = may(
        "which margin", "not supported", _BACK_TEST, ("None",)
    )
    house_multiplier: Number | None = may("scales the margin", "not supported", _BACK_TEST)
    reg_t_mode: Literal["CBOEVanilla", "CBOEPermissive"] | None = may(
        "variant of Reg T", "not supported", _BACK_TEST
    )
    pm_config: PMConfig | None = Field(
        default=None,
        alias="PMConfig",
        description="the range that is scanned",
        json_schema_extra=_support("not supported", _BACK_TEST, ()),
    )


class Core(Part):
    """Settings of back tests and of trading."""

    leg_selection_constraint: Literal["FullyUnique", "UniqueInPosition", "None"] | None = may(
        "whether contracts of other legs and positions may be used again",
        "different",
        "it is chosen when a position is built, FullyUnique or UniqueInPosition; this value is not read",
    )
    expiration_selection_constraint: Literal["AbortOnReuse", "AllowReuse"] | None = may(
        "whether two aliases may stand for one expiration",
        "not supported",
        "each alias is resolved alone, as with AllowReuse",
        ("AllowReuse",),
    )
    margin: Margin | None = may("how margin is estimated")


class Settings(Part):
    """Settings."""

    sim: Sim | None = may("settings of back tests", "ignored", _BACK_TEST)
    core: Core | None = may("settings of back tests and of trading", "different")


# --- the whole ---------------------------------------------------------------------------------------------------------


class StrategyDefinition(Part):
    """A strategy of MesoSim and MesoLive, version 3."""

    strategy_name: Annotated[Text, Field(max_length=128)] = must("name of the strategy")
    description: str | None = may("what it is about")
    backtest: Backtest | None = may("parameters of a back test", "ignored", _BACK_TEST)
    symbol: Text = must("the underlying")
    structure: Structure = must("what a position is made of")
    entry: Entry = must("when and how positions are entered")
    adjustment: Adjustment | None = may("changes of a position while it is open")
    exit: Exit = must("when a position is closed")
    external_data: ExternalData | None = may("series of the author's own")
    settings: Settings | None = may("settings")
    meso_sim_version: str | None = may("version of the language; MesoLive imports none below 3")


# Fields of version 2 → where they are now; a path that begins with nothing has gone.
MOVED = {
    "Name": "Backtest.Name",
    "TemplateName": "StrategyName",
    "Start": "Backtest.Start",
    "End": "Backtest.End",
    "Cash": "Backtest.Cash",
    "SimSettings": "Settings.Sim, its Margin and LegSelectionConstraint Settings.Core",
    "Indicators": "ExternalData",
    "StrikeSelector.Statement": "StrikeSelector.StrikePrice",
    **{
        f"StrikeSelector.{greek}": "StrikeSelector.Complex"
        for greek in ("Gamma", "Theta", "Vega", "WVega", "Rho", "IV")
    },
    "ConditionalAdjustment.RemoveLegAdjustment": "RemoveLegsAdjustment.LegNames",
}
