"""Every guess about the hub, by name, with the reading that the code takes.

The public pages are silent on these points. The reading is always the one under which a wrong guess sends nothing: an
order is not sent, an intent stays unknown and is looked up, a person is asked. Each guess has a name, which the
simulator's dial of the same name makes wrong and which `doctor` can check at a real hub. Constants and the few pure
functions that embody a guess stand below the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from mesoflow.hubs.contract import Klass


@dataclass(frozen=True, slots=True)
class Guess:
    """`about` is what nobody says, `reading` what the code does, `wrong` what happens if that is wrong."""

    name: str
    about: str
    reading: str
    wrong: str


_GUESSES = (
    Guess(
        "status_codes",
        "which statuses exist beside Success, DuplicateRequest and Conflict",
        "only BadRequest, NotFound, Unauthorized and Forbidden are checked before acceptance and prove that nothing happened",
        "a refusal under another name is looked up in the record and read back, never repeated",
    ),
    Guess(
        "hub_errors",
        "whether an error completion can follow a call that took effect",
        "only an unknown method and a missing right prove that nothing happened",
        "any other error text of a call that changes something is an unknown outcome",
    ),
    Guess(
        "enum_numbers",
        "the numeric values of enum members",
        "none is known: a number is kept as text and equals no member",
        "no answer counts as Success, so nothing is sent",
    ),
    Guess(
        "late_arrival",
        "how long after the end of a connection a request on it may still be executed",
        "30 seconds",
        "an absent record is asked for too early; the same key still protects the resend",
    ),
    Guess(
        "record_retention",
        "how long idempotency records live",
        "10 minutes",
        "an older intent without a record goes to a person",
    ),
    Guess(
        "credit_sign",
        "how a limit order says that a package is sold for a credit",
        "the limit is signed as inside mesoflow: negative is a credit",
        "the accepted order is read back and compared before the walk goes on; a difference stops it",
    ),
    Guess(
        "qty_multiplier",
        "what SendOrder's multiplier multiplies",
        "order quantity = the definition's quantity times the multiplier sent, which replaces the resolved one; "
        "LegGroupQtys contain the resolved one",
        "until it is proved, an entry on a broker account with other lots than resolved is refused",
    ),
    Guess(
        "moved_leg_name",
        "what a leg is called that an adjustment opens beside, or in place of, one of its name",
        "by a name of its own: legs of a plan and of a position are told apart by name",
        "adjustment.prepare refuses the plan (prepare_failed)",
    ),
    Guess(
        "agent_of_account",
        "which agent serves an account",
        "the one whose connector is the account's broker; for a paper account the connected agent with the freshest "
        "snapshot, ties by name",
        "agent.require fails, or the hub finds no data",
    ),
    Guess(
        "clone_strategy_id",
        "how a strategy is cloned",
        "CreateStrategy with CloneStrategyId and a null definition",
        "the hub refuses, or makes a strategy whose definition is compared and found different",
    ),
    Guess(
        "expiration_date",
        "at which time of day an expiration is written",
        "its date in UTC is the expiration's",
        "legs are compared as different and the run parks",
    ),
    Guess(
        "event_kinds",
        "how the history tells the kinds of events apart",
        "by the payload model's name or the callback's name, in any casing",
        "the event is kept, noted, and handed on under the name that it came with",
    ),
    Guess(
        "events_since",
        "whether the number given to GetEventsSince is included",
        "it may be: events are deduplicated by id",
        "nothing; an event seen before is dropped",
    ),
    Guess(
        "event_order",
        "whether callbacks come strictly in the order of EventSeqId",
        "nearly: a replay begins 100 numbers before the cursor",
        "an event older than that and lost in between is found by the targeted reads of recovery",
    ),
    Guess(
        "job_gone",
        "what a prepare job's status is when the hub has forgotten it",
        "NotFound",
        "the job is waited for until the step's own limit",
    ),
    Guess(
        "no_combo",
        "how a broker says that it does not take a package of so many legs",
        "by the codes known of it, or by words that say that a combo, a package or its legs are not supported",
        "the error is rejected, which is as final",
    ),
    Guess(
        "combo_ratio",
        "how often each contract stands in the package of a combo quote",
        "once, held; a contract that is named twice is held twice",
        "the figures that a person reads are of another package; no run asks for them",
    ),
    Guess(
        "record_wrapper",
        "whether GetIdempotencyRecord wraps the record",
        "both forms are read",
        "the answer is unreadable, hence no record is assumed and nothing is resent",
    ),
)

GUESSES: Mapping[str, Guess] = MappingProxyType({guess.name: guess for guess in _GUESSES})

# `status_codes`
CHECKED_BEFORE_ACCEPTANCE = frozenset({"BadRequest", "NotFound", "Unauthorized", "Forbidden"})
# `late_arrival`
LATE_ARRIVAL = timedelta(seconds=30)
# `record_retention`
RECORD_RETENTION = timedelta(minutes=10)
# `credit_sign`
CREDIT_SIGN = -1
# `event_order`
REPLAY_OVERLAP = 100
# `no_combo`
_NO_COMBO_CODES = frozenset({"invalid_leg_count", "combo_not_supported"})
# `job_gone`; also the status of a key without a record
ABSENT = "NotFound"

_NEVER = datetime.min.replace(tzinfo=UTC)


def status_proves_refusal(klass: Klass, status: str) -> bool:
    """Whether a status other than Success proves that the call had no effect. A read has none in any case."""
    return klass == "read" or status in CHECKED_BEFORE_ACCEPTANCE


def error_proves_refusal(klass: Klass, text: str) -> bool:
    """The same for the text of an error completion (`hub_errors`)."""
    return (
        klass == "read"
        or text.startswith("Unknown hub method")
        or (text.startswith("Failed to invoke") and text.endswith("because user is unauthorized"))
    )


def absent_record(status: str) -> bool:
    """Whether this refusal of GetIdempotencyRecord says that there is no record."""
    return status == ABSENT


def agent_of(account: Mapping[str, Any], agents: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The connected agent that serves an account (`agent_of_account`); all as Values."""
    connected = [agent for agent in agents if agent.get("is_connected")]
    if not account.get("is_paper_account"):
        connected = [agent for agent in connected if agent.get("connector") == account.get("broker_type")]
    by_name = sorted(connected, key=lambda agent: str(agent.get("connector") or agent.get("provider") or ""))
    return max(by_name, key=lambda agent: agent.get("last_snapshot_at") or _NEVER, default=None)


def means_no_combo(code: object, reason: object) -> bool:
    """Whether a rejection is about the package as such (`no_combo`)."""
    words = str(reason or "").lower()
    said = "not support" in words and any(word in words for word in ("combo", "package", "leg"))
    return str(code or "").lower() in _NO_COMBO_CODES or said


def expiration_date(expiration: datetime) -> date:
    """The day on which a contract expires (`expiration_date`)."""
    return expiration.astimezone(UTC).date()
