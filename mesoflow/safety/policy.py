"""The policy of a state home, as values: ceilings that no playbook can raise, the conditions of live accounts, and whom to ask
and to tell. Read from policy.yaml by cli/policy.py; without a file the defaults of SAFETY.md §3, paper only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from mesoflow.safety.ceilings import effective, looser
from mesoflow.safety.limits import Limits

# What the owner of a live account types into the policy, word for word. Nothing of ours ever writes it there.
SENTENCE: Final = (
    "I own these accounts and understand that orders are sent to the broker at once, with real money, and that no person "
    "looks at them before they leave."
)
DIGEST_CHARACTERS: Final = 16

# Orders are DAY orders: whoever is left expires at the close, so the last two are one.
OnExit: TypeAlias = Literal["cancel", "leave", "leave with expiry"]


@dataclass(frozen=True, slots=True)
class Approvals:
    """Who may sign (OS users, by group), and how many must, at least (C19)."""

    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    people: int = 0


# How `kill --flatten` prices its exits, unless the policy says otherwise (CLI.md).
FLATTEN: Final[Mapping[str, Any]] = {
    "price": {"start": "mid", "step": "2 ticks", "every": "10s", "worst": {"from_natural": 0}},
    "within": "3m",
    "max_distance_from_mid": "50% of quote_width",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """`value` is what the file holds, `digest` its fingerprint: it stands in every verdict.

    `entries` and `exits`: what becomes of working orders when a run parks (C16). `page`: targets of config.yaml's notify.
    """

    ceilings: Limits = field(default_factory=lambda: Limits.ceilings({}))
    live_accounts: frozenset[str] = frozenset()
    acknowledged: bool = False
    entries: OnExit = "cancel"
    exits: OnExit = "leave"
    page: tuple[str, ...] = ()
    approvals: Approvals = field(default_factory=Approvals)
    flatten: Mapping[str, Any] = field(default_factory=lambda: dict(FLATTEN))
    value: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Policy:
        """From the values of a policy file that its schema accepts. Raises ValueError that names the key."""
        live = value.get("live", {})
        on_exit = value.get("on_exit", {})
        approvals = value.get("approvals", {})
        return cls(
            ceilings=Limits.ceilings(value.get("ceilings", {})),
            live_accounts=frozenset(live.get("accounts", ())),
            acknowledged=live.get("acknowledgement") == SENTENCE,
            entries=on_exit.get("entries", "cancel"),
            exits=on_exit.get("exits", "leave"),
            page=tuple(value.get("page", ())),
            approvals=Approvals(
                {name: tuple(people) for name, people in approvals.get("groups", {}).items()},
                approvals.get("people", 0),
            ),
            flatten={**FLATTEN, **value.get("flatten", {})},
            value=value,
            digest=digest_of(value),
        )

    @property
    def withdrawn_on_park(self) -> frozenset[str]:
        """The kinds of orders that are withdrawn when a run parks (C16)."""
        entries = {"entry", "adjustment"} if self.entries == "cancel" else set()
        return frozenset(entries | ({"exit"} if self.exits == "cancel" else set()))

    def over(self, playbook: Limits) -> Limits:
        """A playbook's limits below these ceilings."""
        return effective(playbook, self.ceilings)

    def looser_than(self, other: Policy) -> list[str]:
        """What this policy may let through that the other did not, by key; empty: it is as strict, or stricter."""
        found = [f"ceilings.{name}" for name in looser(other.ceilings, self.ceilings)]
        if not self.live_accounts <= other.live_accounts:
            found.append("live.accounts")
        if self.acknowledged and not other.acknowledged:
            found.append("live.acknowledgement")
        if self.approvals.people < other.approvals.people:
            found.append("approvals.people")
        return found


def digest_of(value: Mapping[str, Any]) -> str:
    """The fingerprint of a policy's values; the order in which they are written does not matter."""
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARACTERS]


DEFAULT: Final = Policy.parse({})
