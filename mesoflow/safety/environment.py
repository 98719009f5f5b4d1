"""What the rails have to know of the process that is about to send. Every default is the one that refuses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Environment:
    """`simulator`: the hub is a simulator as SAFETY.md §1 defines it, so that its accounts count as paper. `durable`: a
    journal that survives a crash will hold the intent before the first byte leaves. `pinned_*`: what the run began with.

    `run_number`: which run of its playbook this is in its session, since somebody released it. `policy`: the digest of the
    policy in force, `policy_accepted`: it is no looser than the one that the run began with, or somebody has accepted it.
    For an account that is neither paper nor simulated: `live_accounts` are the policy's, `acknowledged` says that its owner
    wrote the sentence, `allow_live` that this process was told so on its command line.
    """

    run_id: str
    simulator: bool = False
    durable: bool = False
    semantics: int = 0
    pinned_semantics: int | None = None
    program: str = ""
    pinned_program: str | None = None
    run_number: int | None = None
    policy: str = ""
    policy_accepted: bool = False
    live_accounts: frozenset[str] = frozenset()
    acknowledged: bool = False
    allow_live: bool = False
