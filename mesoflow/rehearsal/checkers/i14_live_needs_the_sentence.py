"""I14: a live account is impossible without the written sentence.

An order's account is paper by the hub's own word, or simulated by what the hub of the run is; the verdict says which, and
the run's first record must agree. Anything else is live: then the policy that the run pins holds the sentence word for word
and lists the account, the playbook says `live: allowed`, and the verdict has a line for each condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesoflow.rehearsal.evidence import Evidence, Sent, Violation, every_order
from mesoflow.safety.policy import SENTENCE

_SIMULATED = frozenset({"embedded", "simulator"})
_CONDITIONS = ("live_not_listed", "live_not_acknowledged", "live_not_asked_for", "live_not_in_playbook")


def check(evidence: Evidence) -> list[Violation]:
    """Over all runs of the home."""
    found: list[Violation] = []
    for one in every_order(evidence):
        words = _missing(one, evidence.runs[one.run_id][0].body)
        if words:
            found.append(Violation("I14", one.path, f"an order for {one.order['account']}: {words}"))
    return found


def _missing(one: Sent, started: Mapping[str, Any]) -> str:
    lines = str(one.verdict.get("lines", "")).split("; ")
    judged = next((line for line in lines if line.startswith("live_refused ")), "")
    if not judged:
        return "nobody has asked whether it is live"
    simulated = started["hub"]["kind"] in _SIMULATED
    if "simulator True" in judged and not simulated:
        return f"it passed as simulated, and the hub is {started['hub']['kind']}"
    if simulated or "paper True" in judged:
        return ""
    return _live(one, started, lines)


def _live(one: Sent, started: Mapping[str, Any], lines: list[str]) -> str:
    policy = (started.get("policy") or {}).get("value") or {}
    live = policy.get("live") or {}
    if live.get("acknowledgement") != SENTENCE:
        return "it is live, and the policy does not hold the sentence"
    if one.order["account"] not in live.get("accounts", ()):
        return "it is live, and the policy does not list it"
    if started["risk"].get("live") != "allowed":
        return "it is live, and the playbook does not allow it"
    unjudged = [name for name in _CONDITIONS if not any(line.startswith(f"{name} ") for line in lines)]
    return f"it is live, and nobody has judged {', '.join(unjudged)}" if unjudged else ""
