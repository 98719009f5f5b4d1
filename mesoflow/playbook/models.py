"""The authored form of a playbook: the source of its JSON Schema. Strict: nothing is converted, except that an integer is
accepted where a decimal is wanted.

What stands under a step's `with` belongs to its action (actions/catalogue.py); here it is any map. What the language has
and this version has not stands in later.py. `check` reads what schema.py has generated from here, never these models: they
cost more to import than everything else it does.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from mesoflow.actions.kinds import Duration, Kind, Money
from mesoflow.playbook import words

# A desk watches a dozen strategies at once at most; more at once than this only queues at the hub.
AT_ONCE_MAX = 20
ATTEMPTS_MAX = 100


def _no_truth(value: object) -> object:
    """For pydantic true equals 1."""
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")
    return value


def _text(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


Anything: TypeAlias = Annotated[Any, WithJsonSchema({})]
Expression: TypeAlias = Annotated[str, StringConstraints(pattern=words.EXPRESSION), Kind("expression")]
MomentText: TypeAlias = Annotated[str, AfterValidator(words.moment), _text(words.MOMENT), Kind("moment")]
AmountText: TypeAlias = Annotated[str, AfterValidator(words.amount), _text(words.AMOUNT), Kind("amount")]
Percent: TypeAlias = Annotated[str, AfterValidator(words.percent), _text(words.PERCENT), Kind("percent")]
Amount: TypeAlias = Money | AmountText
StepId: TypeAlias = Annotated[str, StringConstraints(pattern=words.STEP_ID)]
Unlimited: TypeAlias = Literal["unlimited"]
# A number's schema is written by hand (kinds.py), its bounds with it.
NotNegative: TypeAlias = Annotated[Money, Field(ge=0), WithJsonSchema({"type": "number", "minimum": 0})]
Positive: TypeAlias = Annotated[Money, Field(gt=0), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]
Limit: TypeAlias = NotNegative | Unlimited
Count: TypeAlias = Annotated[int, Field(ge=1)] | Unlimited
DateText: TypeAlias = Annotated[str, AfterValidator(words.day), _text(words.DATE), Kind("day")]
InputType: TypeAlias = Literal[
    "string",
    "integer",
    "decimal",
    "boolean",
    "date",
    "instant",
    "duration",
    "moment",
    "points",
    "money",
    "list",
    "map",
]


def optional(**about: Any) -> Any:  # noqa: ANN401 - a field's default takes any type
    """A field that may be left out, but not written and empty."""
    return Field(default=None, **about)


class Authored(BaseModel):
    """What all authored models share.

    They judge and are thrown away: nobody reads their attributes. So what may be left out is `X = optional()` and not
    `X | None`: a key that is written and empty (`max_order_loss:`) must never count as a limit that is set.
    """

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", defer_build=True, protected_namespaces=(), validate_by_name=False,
        validate_by_alias=True,
    )  # fmt: skip


class Start(Authored):
    """When a scheduler starts the playbook, and how often it may run."""

    days: list[Literal["mon", "tue", "wed", "thu", "fri"]] = optional(
        min_length=1, description="weekdays on which a scheduler starts it"
    )
    at: MomentText = optional(description="when on these days", examples=["close - 35m"])
    once_per: Literal["session", "week", "never"] = Field(
        "session", description="name, accounts and this period are the key of a run; never: no key"
    )


class InputDeclaration(Authored):
    """One input: its type, what it may be, and what it is when nobody says."""

    type: InputType = Field(description="the type of the value")
    description: str = optional(description="for whoever starts the playbook")
    items: InputType | dict[str, InputType] = optional(description="of a list or map: the type of its items")
    keys: list[str] = optional(description="of a map: the keys it must have, and no other")
    one_of: list[Anything] = optional(min_length=1, description="the only values accepted")
    minimum: Money = optional(description="the smallest number accepted")
    maximum: Money = optional(description="the largest number accepted")
    pattern: str = optional(max_length=200, description="a regular expression that the whole text must match")
    default: Anything = optional(
        description="the value when nobody gives one; without it the input is required"
    )
    file: str = optional(description="a YAML file beside the playbook that holds the value; pinned by digest")


class StressLoss(Authored):
    """The loss in a move of the underlying, either way; for structures without a worst loss at expiry."""

    move: Percent = Field(description="how far the underlying moves", examples=["10%"])
    loss: Positive = Field(description="the most that may be lost in it, in money")


class Messages(Authored):
    """Orders and cancels together; an order above the minute's number waits, above the others it is refused."""

    minute: Count = optional(description="in any 60 seconds, of all runs", examples=[30])
    run: Count = optional(description="of one run", examples=[120])
    day: Count = optional(description="in a session, of all runs", examples=[400])


class SessionWindow(Authored):
    """When entries may leave, counted from the session's own open and close."""

    after_open: Duration = optional(description="not sooner after the open", examples=["1m"])
    before_close: Duration = optional(description="not later before the close", examples=["5m"])


class Rails(Authored):
    """Limits that must hold before an order leaves: a playbook's own, or the ceilings of a policy. `unlimited` is a value that
    has to be written."""

    symbols: list[str] = optional(
        min_length=1,
        description="underlyings that may be traded; without it the plan's own",
        examples=[["SPX"]],
    )
    roots: list[str] = optional(
        min_length=1, description="roots of contracts that may be traded", examples=[["SPXW"]]
    )
    strategies: list[int] = optional(
        min_length=1, description="ids of strategies that may be traded", examples=[[101]]
    )
    max_days_to_expiry: Count = optional(
        description="calendar days to the last expiry of an order", examples=[90]
    )
    max_contracts_per_order: Count = optional(
        description="Σ |quantity| over the legs of one order; a run and a day may trade 10 times that"
    )
    max_contracts_per_run: Count = optional(
        description="of all orders of a run, in place of 10 orders' worth"
    )
    max_contracts_per_day: Count = optional(
        description="of all orders on the account in a session, in place of 10 orders' worth"
    )
    max_order_premium: Limit = optional(description="paid or received by one order, in money")
    max_order_loss: Limit = optional(description="worst loss at expiry of one order, in money")
    max_open_loss: Limit = optional(description="worst loss at expiry of all that is open, in money")
    max_stress_loss: StressLoss = optional(description="loss in a move, for structures without a worst loss")
    max_daily_loss: NotNegative | AmountText | Unlimited = optional(
        description="reached: exits only", examples=["1% of net_liquidation", 2000]
    )
    max_distance_from_mid: Amount | list[Amount] | Unlimited = optional( description="how far a price may be from the legs' mid; of several the tightest counts",
        examples=[["15% of mid", 2.00]],
    )  # fmt: skip
    max_legs_per_order: Count = optional(
        description="legs that the broker takes as one order; 4", examples=[4]
    )
    overlap: Literal["never", "same_side"] = optional(
        description="whether an entry may hold a contract that another position holds the same way; never"
    )
    max_messages: Messages = optional(description="orders and cancels; 30 a minute, 120 a run, 400 a day")
    max_runs_per_session: Count = optional(
        description="runs of this playbook in one session; 20", examples=[20]
    )
    max_open_orders: Count = optional(
        description="orders of the account that are alive or unknown at once; 2", examples=[2]
    )
    max_open_orders_value: Limit = optional(
        description="what their limits add up to, in money; the premium of max_open_orders orders"
    )
    session_window: SessionWindow | Unlimited = optional(
        description="when entries may leave; not in the first minute of the session nor in its last five"
    )
    no_trade_dates: list[DateText] = optional(
        description="dates on which no entry leaves", examples=[["2025-03-19"]]
    )
    heartbeat: Duration | Unlimited = optional(
        description="how long agent and quotes may be silent; 15s", examples=["15s"]
    )
    max_errors_per_day: Count = optional(
        description="runs of the home that may end in an error before entries stop; 5", examples=[5]
    )
    reconcile_every: Duration | Unlimited = optional(
        description="how old the comparison of journal and hub may be before an entry; 1h", examples=["1h"]
    )


class Risk(Rails):
    """Limits that must hold before an order leaves. `unlimited` is a value that has to be written."""

    accounts: list[str] = Field(min_length=1, description="the accounts this playbook may use")
    live: Literal["never", "allowed"] = Field("never", description="whether a live account may be among them")


class ForEach(Authored):
    """Do the step once for each item."""

    items: list[Anything] | Expression = Field(
        description="the items", examples=["{{ steps.open.positions }}"]
    )
    key: Expression = optional(
        description="names the item in paths", examples=["{{ loop.item.position_id }}"]
    )
    keep_going: bool = Field(False, description="go on with the other items when one fails")
    at_once: Annotated[int, Field(ge=1, le=AT_ONCE_MAX)] = Field(1, description="how many items side by side")


class Retry(Authored):
    """Repeat the whole step, with new keys, for the listed errors only."""

    attempts: Annotated[int, Field(ge=1, le=ATTEMPTS_MAX)] = Field(
        description="how often in all, the first one included"
    )
    errors: list[str] = Field(min_length=1, description="codes of the errors after which it is repeated")
    wait: Duration = optional(description="how long between two attempts", examples=["30s"])


class LastClause(Authored):
    """A clause of the playbook's own rescue: it runs before a failed run ends and cannot turn it into success."""

    errors: Literal["any"] | Annotated[list[str], Field(min_length=1)] = Field(
        description="any, or a list of error codes"
    )
    steps: list[Step] = Field(default_factory=list, description="what to do then")


class Clause(LastClause):
    """A clause of a step's rescue: for which errors, what then, and whether the playbook goes on."""

    stop: Literal["done", "skipped", "failed"] = optional(description="end the run; without it, it goes on")


class Step(Authored):
    """One step: an action with its inputs, or a group of steps."""

    id: StepId = optional(description="the name of the step; default: the last word of the action")
    name: str = optional(description="for people")
    action: str = optional(description="what the step does")
    with_: dict[str, Anything] = Field(
        default_factory=dict, alias="with", description="the inputs of the action"
    )
    steps: list[Step] = optional(min_length=1, description="a group of steps")
    when: Expression | bool = optional(
        description="do it only if this is true", examples=["{{ steps.a is done }}"]
    )
    rescue: list[Clause] = optional(
        min_length=1, description="what to do when it fails; the first match counts"
    )
    for_each: ForEach = optional(description="once for each item")
    retry: Retry = optional(description="again, for some errors")
    outputs: dict[str, Anything] = optional(description="what later steps read of it, in place of its own")


class Playbook(Authored):
    """A playbook: what to do with options on MesoLive, step by step."""

    mesoflow: Annotated[Literal[1], BeforeValidator(_no_truth)] = Field(description="version of the language")
    name: Annotated[str, StringConstraints(pattern=words.SLUG, max_length=80)] = Field(
        description="names its runs"
    )
    description: str = optional(description="what it does, for people")
    session: Literal["cboe-index-options"] = Field(
        "cboe-index-options", description="exchange calendar and clock: 09:30 to 16:15 New York"
    )
    start: Start = optional(description="when it is started, and how often it may run")
    inputs: dict[StepId, InputDeclaration] = Field(default_factory=dict, description="values given at start")
    risk: Risk = optional(description="limits that must hold before an order leaves")
    steps: list[Step] = Field(min_length=1, description="what to do, in order")
    rescue: list[LastClause] = optional(min_length=1, description="what to do before a failed run ends")
    always: list[Step] = optional(min_length=1, description="what to do however the run ends; may not trade")
    outputs: dict[str, Anything] = Field(
        default_factory=dict, description="the results of a run that is done"
    )
