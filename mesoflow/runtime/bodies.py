"""The bodies of the journal's records, and back: the one place that knows their keys.

started   the run: program, sources, inputs, nonce, hub, digests, encoding, options
intended  an effect that changes the world, before it leaves: the request's exact bytes, its digest, its key
settled   an outcome: of an intended effect, of a read, of a wait, of a value
input     what else the run was fed: {cancel}, {withdrawn: {order, by, filled, state}}, {late_fill: {order, filled}}
event     an order of ours as an event of the hub told it, with the cursor; never fed to the interpreter
engine    an effect of the engine's own and its outcome (look-ups); never fed to the interpreter. What it withdraws of its
          own (halt, park) is intended and settled like any call, under engine/…
parked, ended, mark, cleared, decided     what `show` and the next start need to know
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mesoflow.engine.control import Ended
from mesoflow.engine.effects import (
    Call,
    Done,
    Effect,
    Govern,
    Note,
    Outcome,
    Place,
    Refused,
    Sleep,
    Tell,
    Value,
    Watch,
    Withdraw,
)
from mesoflow.journal.codec import Fragment, digest, fragment


def effect_value(effect: Effect) -> dict[str, Value]:
    """What an effect asks for, as a Value: what its digest covers (method and arguments without the key)."""
    match effect:
        case Call(_, method, args, _) | Withdraw(_, method, args):
            return {"ask": "call", "method": method, "args": dict(args)}
        case Watch(_, method, args, ready, until, params):
            return {
                "ask": "watch",
                "method": method,
                "args": dict(args),
                "ready": ready,
                "until": until,
                "params": dict(params),
            }
        case Place(_, order):
            return {"ask": "place", "method": order.method, "args": dict(order.args)}
        case Sleep(_, until):
            return {"ask": "sleep", "until": until}
        case Tell(_, to, title, body, level):
            return {"ask": "tell", "to": list(to), "title": title, "body": body, "level": level}
        case Note(_, value):
            return {"ask": "note", "value": value}
        case Govern(_, state, reason):
            return {"ask": "govern", "state": state, "reason": reason}


def effect_digest(effect: Effect) -> str:
    """16 hex digits are enough to notice that a replay asks for something else."""
    return digest(effect_value(effect))[:16]


def outcome_value(outcome: Outcome) -> dict[str, Value]:
    """An outcome as a Value."""
    match outcome:
        case Done(value):
            return {"done": value}
        case Refused(code, summary, details, retryable):
            return {
                "refused": {
                    "code": code,
                    "summary": summary,
                    "details": dict(details),
                    "retryable": retryable,
                }
            }


def read_outcome(body: Mapping[str, Value]) -> Outcome:
    """The outcome in a settled record."""
    outcome = body["outcome"]
    if "refused" in outcome:
        refused = outcome["refused"]
        return Refused(refused["code"], refused["summary"], refused["details"], refused["retryable"])
    return Done(outcome["done"])


@dataclass(frozen=True, slots=True)
class Intent:
    """An effect on its way: what was written before it left, and what is sent again unchanged."""

    path: str
    method: str
    request: bytes
    key: str
    generation: int
    digest: str
    at: datetime

    def body(self, encoding: str, *, verdict: Value = None, order: Value = None) -> dict[str, Value]:
        """The intended record. MessagePack bytes are kept as base64, JSON as text that a person can read."""
        body: dict[str, Value] = {
            "path": self.path,
            "method": self.method,
            "request": self.request.decode()
            if encoding == "json"
            else base64.b64encode(self.request).decode(),
            "encoding": encoding,
            "key": self.key,
            "generation": self.generation,
            "digest": self.digest,
            "at": self.at,
        }
        if verdict is not None:
            body["verdict"] = verdict
        if order is not None:
            body["order"] = order
        return body


def read_intent(body: Mapping[str, Value]) -> Intent:
    """The intent in an intended record."""
    text: str = body["request"]
    request = text.encode() if body["encoding"] == "json" else base64.b64decode(text)
    return Intent(
        body["path"], body["method"], request, body["key"], body["generation"], body["digest"], body["at"]
    )


def settled(
    path: str,
    outcome: Outcome | Fragment,
    digest_: str,
    at: datetime,
    cursor: int | None = None,
    plan: int | None = None,
) -> dict[str, Value]:
    """A settled record; `cursor` is the newest event that had been heard, where it has moved; `plan` the exec plan whose
    positions were read."""
    value = outcome if isinstance(outcome, Fragment) else outcome_value(outcome)
    body: dict[str, Value] = {"path": path, "outcome": value, "digest": digest_, "at": at}
    if cursor is not None:
        body["cursor"] = cursor
    if plan is not None:
        body["plan"] = plan
    return body


def trip(outcome: Outcome) -> tuple[Outcome, Fragment]:
    """The outcome as it will be read back, and its stored form for `settled`: no value reaches a generator that has not been
    through the codec."""
    stored, value = fragment(outcome_value(outcome))
    return read_outcome({"outcome": value}), stored


def ended_value(ended: Ended, at: datetime) -> dict[str, Value]:
    """An ended record."""
    body: dict[str, Value] = {"state": ended.state, "reason": ended.reason, "at": at}
    for name in ("error", "outputs", "partial", "always_failed"):
        if getattr(ended, name) is not None:
            body[name] = getattr(ended, name)
    return body
