"""The policy in force for a run: read anew by every process, pinned in the run's first record, and never looser than that
without a person's word (C24). Which run of its playbook a start would be is judged here too (C11).
"""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from mesoflow.engine.effects import Value
from mesoflow.journal.records import Entry
from mesoflow.journal.store import Journal
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.ledgers import runs_in_session
from mesoflow.runtime.refusal import POLICY_LOOSER, RUNS_SPENT, Refusal
from mesoflow.runtime.standing import Standing
from mesoflow.runtime.starts import Wish
from mesoflow.safety.limits import RUNS_PER_SESSION, Limits
from mesoflow.safety.policy import DEFAULT, Policy

ACCEPT = "--accept-policy"


@dataclass(frozen=True, slots=True)
class InForce:
    """`accepted`: it is no looser than what the run began with, or somebody has accepted it."""

    policy: Policy
    accepted: bool = True


def policy_now(home: StateHome) -> Policy:
    """The home's policy as it stands. Raises Refusal."""
    if not home.policy_path.exists():
        return DEFAULT
    # Its models cost more to import than the rest of a start; most homes have no such file.
    from mesoflow.cli.policy import policy_of

    return policy_of(home.path)


def pinned(policy: Policy) -> dict[str, Value]:
    """As a run's first record holds it."""
    return {"digest": policy.digest, "value": dict(policy.value)}


def in_force(
    args: argparse.Namespace,
    home: StateHome,
    journal: Journal,
    started: Mapping[str, Any],
    *,
    new: bool,
    cancel: bool = False,
) -> InForce:
    """What holds for this process. Raises Refusal for a policy that is looser than the run's and that nobody accepts; a
    cancel goes on without asking, and opens nothing under it."""
    policy = policy_now(home)
    if new:
        return InForce(policy)
    run_id = started["run_id"]
    looser = policy.looser_than(_last_accepted(journal, run_id, started))
    if not looser:
        return InForce(policy)
    if getattr(args, "accept_policy", False):
        _accept(journal, run_id, policy, looser)
        return InForce(policy)
    if cancel:
        return InForce(policy, accepted=False)
    raise Refusal(
        POLICY_LOOSER,
        f"the policy is looser than the one that {run_id} began with",
        tuple(("looser", name) for name in looser),
        (
            f"mesoflow resume {run_id} {ACCEPT}     goes on under it; recorded with your name",
            "or write the stricter values again: a stricter policy counts at once",
        ),
    )


def _last_accepted(journal: Journal, run_id: str, started: Mapping[str, Any]) -> Policy:
    accepted = journal.last(run_id, ("policy",))
    held = started.get("policy") if accepted is None else accepted.body
    return Policy.parse(held["value"]) if held else DEFAULT


def _accept(journal: Journal, run_id: str, policy: Policy, looser: Sequence[str]) -> None:
    body = {**pinned(policy), "looser": list(looser), "by": getpass.getuser(), "at": datetime.now(UTC)}
    journal.commit([Entry(run_id, "policy", body)])


def require_runs_left(
    journal: Journal,
    runs: Sequence[Standing],
    where: Mapping[str, Any],
    wish: Wish,
    risk: Mapping[str, Any],
    policy: Policy,
) -> None:
    """A playbook that is started over and over is stopped here, before it does anything. Raises Refusal."""
    limits = policy.over(Limits.parse(risk) if risk else Limits(accounts=()))
    limit = limits.max_runs_per_session or Decimal(RUNS_PER_SESSION)
    count = runs_in_session(journal, runs, where, wish.playbook, wish.session_date)
    if isinstance(limit, Decimal) and count >= limit:
        raise Refusal(
            RUNS_SPENT,
            f"{count} of {limit} runs of {wish.playbook} have begun in this session (max_runs_per_session)",
            (("session", f"{wish.session_date}"),),
            (
                "mesoflow runs     what they came to",
                f"mesoflow release --playbook {wish.playbook}     lets it run again, on purpose",
            ),
        )
