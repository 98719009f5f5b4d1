"""What a faults file may hold. Its keys are the dials of mesoflow/simulator/faults.py by their own names, one for one;
schemas/faults.schema.json is made from here.

Every `at` counts from the world's beginning, every `nth` from the opening of the world by a process (1: the next one).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from mesoflow.actions.kinds import Duration
from mesoflow.hubs.contract import METHODS
from mesoflow.playbook.models import Authored, optional
from mesoflow.simulator.faults import MishapKind
from mesoflow.simulator.troubles import QuoteFault

VERSION = 1
# More than a reader of one file would follow; a storm of this size ends every run anyhow.
EACH_MAX = 100
_ANY = "*"
_NAMES = (*METHODS, _ANY)


def _known(name: str) -> str:
    if name not in _NAMES:
        raise ValueError(f"there is no method {name}")
    return name


def _no_truth(value: object) -> object:
    """For pydantic true equals 1."""
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")
    return value


Method: TypeAlias = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(_NAMES)})
]
Number: TypeAlias = Annotated[int, BeforeValidator(_no_truth), Field(ge=1, le=1_000_000)]
Broker: TypeAlias = Literal["IBKR", "TastyTrade"]
Reason: TypeAlias = Literal[
    "account",
    "cancel_too_late",
    "combo",
    "duplicate_id",
    "leg_price",
    "margin",
    "market_closed",
    "off_tick",
    "overlap",
    "precaution",
    "size_limit",
]


class Call(Authored):
    """Which call."""

    method: Method = Field(description="the hub method; `*`: any", examples=["SendOrder"])
    nth: Number = Field(1, description="the nth call of it from now on")


class LostCall(Call):
    """A call whose request or reply is lost."""

    cut: bool = Field(True, description="the connection goes with it; without that there is only silence")


class LateCall(Call):
    """A call, or its reply, that is held up."""

    after: Duration = Field(description="for how long", examples=["2s"])


class FailingCall(Call):
    """A call that is executed and answered by an error."""

    text: str = optional(min_length=1, description="the error's text; without it the server's own words")


class Absence(Authored):
    """From when on, and for how long."""

    at: Duration = Field(description="since the world's beginning", examples=["8s"])
    lasts: Duration = Field(description="how long", examples=["40s"])


class AgentAbsence(Absence):
    """An agent is away."""

    agent: Broker = Field(description="which")


class BrokerRestart(Absence):
    """A broker restarts and comes back with its working orders."""

    broker: Broker = Field(description="which")
    new_ids: bool = Field(True, description="its orders have other ids then")
    reused: bool = Field(False, description="those that other orders had before")

    @model_validator(mode="after")
    def _ids(self) -> BrokerRestart:
        if self.reused and not self.new_ids:
            raise ValueError("ids that are used again are new ones: `reused` needs `new_ids`")
        return self


class WrongQuotes(Absence):
    """How quotes of options are told meanwhile."""

    what: QuoteFault = Field(
        description="stale (as they were when it began) · crossed · stub (a cent bid, the ask far away) · no_bid · absent · nan"
    )


class ClockStep(Authored):
    """The hub's clock is wrong from then on."""

    at: Duration = Field(description="since the world's beginning", examples=["1m"])
    by: Duration = Field(description="how far", examples=["30s"])
    back: bool = Field(False, description="behind instead of ahead")


_PARTS = ("fills", "fill_after_cancel")
_REASONED = ("reject", "late_reject")
# Which mishaps may be without a time, and the word for it.
_TIMELESS = {"never": "frozen", "last_day": "liquidated"}


class OrderMishap(Authored):
    """What befalls one order."""

    what: MishapKind = Field(description="see mesoflow/simulator/troubles.py", examples=["reject"])
    nth: Number = Field(1, description="the nth order that is accepted from now on")
    after: Duration | Literal["never", "last_day"] = Field(
        "2s",
        validate_default=True,
        description="how much later; never: frozen until it is cancelled; last_day: liquidated at 15:30 of its leg's last day",
    )
    packages: Number = optional(description="how much of it; without it the rest")
    reason: Reason = optional(description="why it is rejected", examples=["margin"])

    @model_validator(mode="after")
    def _fits(self) -> OrderMishap:
        if self.packages is not None and self.what not in _PARTS:
            raise ValueError(f"`packages` is for {' and '.join(_PARTS)}")
        if self.reason is not None and self.what not in _REASONED:
            raise ValueError(f"`reason` is for {' and '.join(_REASONED)}")
        if isinstance(self.after, str) and _TIMELESS[self.after] != self.what:
            raise ValueError(f"`after: {self.after}` is for {_TIMELESS[self.after]}")
        return self


def _many(what: str, **more: Any) -> Any:  # noqa: ANN401 - a field's default takes any type
    return Field(default_factory=list, max_length=EACH_MAX, description=what, **more)


class FaultsFile(Authored):
    """Faults of a new simulated world."""

    faults: Annotated[Literal[1], BeforeValidator(_no_truth)] = Field(
        description="version of this file's language"
    )
    draw: Annotated[int, BeforeValidator(_no_truth), Field(ge=0)] = optional(
        description="draw none to four faults from this seed, beside those below", examples=[7]
    )

    lose_request: list[LostCall] = _many("requests that never arrive")
    lose_reply: list[LostCall] = _many("replies that never arrive; what was called has happened")
    duplicate_reply: list[Call] = _many("replies that arrive twice")
    reorder: list[LateCall] = _many("replies that later ones overtake")
    delay: dict[Method, Duration] = Field(
        default_factory=dict, description="time between a request's arrival and its execution"
    )
    hub_away: list[Absence] = _many("the hub is away: connections are cut, new ones refused")

    record_processing: dict[Method, Duration] = Field(
        default_factory=dict, description="for how long a record reads Processing"
    )
    record_gone: list[Method] = _many("methods whose records are gone at once")
    record_retention: Duration = optional(description="how long records live", examples=["10m"])
    clock_runs_while_dead: bool = Field(False, description="time passes while nobody lives")
    clock_steps: list[ClockStep] = _many("steps of the hub's own clock")
    begins: str = optional(
        pattern=r"^20\d\d-\d\d-\d\dT\d\d:\d\dZ$",
        description="when the world begins, in UTC; 2025-03-07T20:30Z is before a change to summer time",
        examples=["2025-03-07T20:30Z"],
    )
    quotes: list[WrongQuotes] = _many("how quotes of options are told; brokers trade at the market's own")

    seq_jumps: Number = optional(description="by how many numbers EventSeqId jumps after each event")
    callbacks_twice: bool = Field(False, description="each callback comes twice, under one EventId")
    pages_overlap: Number = optional(
        description="events of the page before that each page of the history repeats"
    )
    stream_drops: Annotated[int, BeforeValidator(_no_truth), Field(ge=2)] = optional(
        description="every nth item of a stream is left out"
    )
    silences: list[Absence] = _many("callbacks are lost; the events are in the history")

    orders: list[OrderMishap] = _many("what befalls orders")
    restarts: list[BrokerRestart] = _many("brokers that restart")
    agents_away: list[AgentAbsence] = _many("agents that are away")
    halts: list[Absence] = _many(
        "the exchange halts trade: nothing fills, orders and cancels are taken all the same"
    )
    replace: Literal["atomic", "refused", "cancel_then_new", "both_alive", "resized"] = Field(
        "atomic", description="how brokers take an order that replaces another"
    )

    casing: Literal["Pascal", "camel"] = Field("Pascal", description="how the hubs write field names")
    decimals: Literal["number", "text"] = optional(
        description="how they write decimals; without it as .NET does"
    )
    enum_numbers: bool = Field(False, description="members of enums come as numbers")

    status_codes: bool = Field(False, description="refusals have other names")
    hub_errors: list[FailingCall] = _many("calls that take effect and end in an error")
    late_arrival: list[LateCall] = _many("requests that are executed when their connection is long gone")
    credit_sign: Literal["negative", "positive"] = Field(
        "negative", description="how a limit says that a package is sold for a credit"
    )
    qty_multiplier: Literal["replaces", "multiplies"] = Field(
        "replaces", description="what the multiplier of SendOrder does to the resolved one"
    )
    moved_leg_name: Literal["own", "same"] = Field("own", description="what a moved leg is called")
    agent_of_account: bool = Field(False, description="agents are not called as their accounts' brokers")
    clone_strategy_id: Literal["clones", "refuses", "differs"] = Field(
        "clones", description="what CloneStrategyId does"
    )
    expiration_date: bool = Field(
        False, description="expirations are written as the midnight after their day in New York"
    )
    event_kinds: bool = Field(False, description="the history has other names for its kinds")
    events_since: bool = Field(False, description="GetEventsSince includes the number that it is given")
    event_order: bool = Field(False, description="callbacks overtake each other")
    job_gone: bool = Field(False, description="an unknown job has another status than NotFound")
    no_combo: bool = Field(False, description="other words for a package that a broker does not take")
    combo_ratio: bool = Field(False, description="a contract that is named twice in a combo is held once")
    record_wrapper: str = optional(
        min_length=1, description="the record stands under this name", examples=["Record"]
    )
