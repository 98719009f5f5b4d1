"""policy.yaml of the state home: what no playbook can raise, and the conditions of live accounts. schemas/policy.schema.json
is made from here; what it means is safety/policy.py.

What sends obeys this file only, so that no pull request can loosen it; `check` and `preview` take one for CI. It is read into
a tree with places, so that what is wrong is a finding at its line, like one about a playbook.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, ValidationError

from mesoflow.actions.kinds import Duration
from mesoflow.findings import Finding, Place
from mesoflow.playbook.check import with_excerpts
from mesoflow.playbook.lint.codes import Code
from mesoflow.playbook.lint.risk import unreadable
from mesoflow.playbook.lint.structure import Structure
from mesoflow.playbook.load import Loaded, read
from mesoflow.playbook.models import Amount, Authored, Rails, optional
from mesoflow.playbook.outline import outline
from mesoflow.playbook.schema import of_model
from mesoflow.playbook.tree import Mapping as MappingNode
from mesoflow.playbook.tree import follow, to_value
from mesoflow.playbook.validate import Validator
from mesoflow.runtime.refusal import CONFIG, Refusal
from mesoflow.safety.limits import Limits
from mesoflow.safety.policy import DEFAULT, SENTENCE, Policy
from mesoflow.trading.prices import PricePolicy

FILE = "policy.yaml"
OTHERS_CAN_READ = 0o077
PEOPLE_MAX = 2
SCHEMA = "schemas/policy.schema.json"


def _no_truth(value: object) -> object:
    """For pydantic true equals 1."""
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")
    return value


class Ceilings(Rails):
    """The keys of a playbook's `risk`, as the most that any playbook may have. What is not written has its default;
    `unlimited` sets no ceiling."""


class LiveAccounts(Authored):
    """Accounts with real money. Without this part only paper and simulated accounts are traded."""

    accounts: list[str] = Field(min_length=1, description="the allow-list", examples=[["U1234567"]])
    acknowledgement: str = Field(
        description=f"typed by the accounts' owner, word for word: {SENTENCE}", examples=[SENTENCE]
    )


# Every order is a DAY order: it expires at the close by itself, so `leave with expiry` is `leave`, in C16's own words.
Fate: TypeAlias = Literal["cancel", "leave", "leave with expiry"]


class OnExit(Authored):
    """What becomes of working orders when a run parks (C16). Orders are DAY orders, which expire at the close: `leave with
    expiry` means exactly `leave`."""

    entries: Fate = Field("cancel", description="orders that open or adjust")
    exits: Fate = Field("leave", description="orders that close", examples=["leave with expiry"])


class Approvals(Authored):
    """Who may sign, and how many must at least (C19)."""

    groups: dict[str, list[str]] = Field(
        default_factory=dict, description="groups of OS users", examples=[{"desk": ["ann", "bob"]}]
    )
    people: Annotated[int, Field(ge=0, le=PEOPLE_MAX)] = Field(
        0, description="how many must sign a trading step, whatever the playbook says"
    )


class Flatten(Authored):
    """How `kill --flatten` prices its exits."""

    price: PricePolicy = optional(description="start, step, every and worst, as in orders.work")
    within: Duration = optional(description="time for each position", examples=["3m"])
    max_distance_from_mid: Amount = optional(
        description="collar of these exits", examples=["50% of quote_width"]
    )


class PolicyFile(Authored):
    """The policy of a state home."""

    policy: Annotated[Literal[1], BeforeValidator(_no_truth)] = Field(
        description="version of the policy's language"
    )
    ceilings: Ceilings = optional(description="what no playbook can raise")
    live: LiveAccounts = optional(description="accounts with real money")
    on_exit: OnExit = optional(description="working orders when a run parks")
    page: list[str] = optional(
        description="targets of config.yaml's notify, told when a run fails, holds a position or needs a person",
        examples=[["desk"]],
    )
    approvals: Approvals = optional(description="who approves, and how many")
    flatten: Flatten = optional(description="how kill --flatten prices its exits")


# --- reading -----------------------------------------------------------------------------------------------------------


def policy_of(home: Path) -> Policy:
    """The policy of a state home; without a file, the defaults. Raises Refusal."""
    path = home / FILE
    if not path.exists():
        return DEFAULT
    if path.stat().st_mode & OTHERS_CAN_READ:
        raise _refused(path, "others can read it, and it names accounts", f"chmod 600 {path}")
    policy, findings = read_policy(path, str(path))
    if policy is None:
        first = findings[0]
        line = f"line {first.place.line}: " if first.place.line else ""
        help_ = first.help or f"{SCHEMA} says what may stand there"
        raise _refused(path, line + first.summary, help_, f"mesoflow check --policy {path} shows all of it")
    return policy


def read_policy(path: Path, shown_as: str) -> tuple[Policy | None, list[Finding]]:
    """A policy file, or everything that is wrong with it."""
    loaded = read(path, shown_as)
    findings = list(_findings(loaded))
    if findings:
        return None, with_excerpts(findings, loaded)
    return Policy.parse(to_value(loaded.root)), []


def _findings(loaded: Loaded) -> list[Finding]:
    """The schema first, in the words of a playbook's findings; then what only the values together say."""
    if loaded.finding is not None:
        return [loaded.finding]
    root = loaded.root
    if not isinstance(root, MappingNode):
        place, summary = Place(loaded.source.file, 1, 1), "a policy is a map of keys and values"
        return [Finding(Code.WRONG_VALUE, summary, place, help="it begins with `policy: 1`")]
    schema = of_model(PolicyFile)
    found = list(Structure(outline(loaded.source, root), Validator(schema["$defs"])).of(schema, root, ""))
    if found:
        return found
    value = to_value(root)
    try:
        PolicyFile.model_validate(value, context={"authored": True})
    except ValidationError as error:
        first = error.errors()[0]
        node, key = follow(root, first["loc"])
        return [Finding(Code.POLICY_WRONG, first["msg"].removeprefix("Value error, "), (key or node).place())]
    ceilings = root.get("ceilings")
    if isinstance(ceilings, MappingNode):
        found = list(unreadable(ceilings, value["ceilings"], Limits.ceilings, "in ceilings"))
    return found or _acknowledgement(root, value)


def _acknowledgement(root: MappingNode, value: dict[str, Any]) -> list[Finding]:
    """The sentence is compared word for word; a boolean, or another sentence, will not do."""
    if "live" not in value or value["live"]["acknowledgement"] == SENTENCE:
        return []
    node, key = follow(root, ("live", "acknowledgement"))
    return [
        Finding(
            Code.POLICY_WRONG,
            "`live.acknowledgement` is not the sentence, word for word",
            (key or node).place(),
            detail=("The owner of the accounts types it; nothing of mesoflow ever does.",),
            help=f"acknowledgement: {SENTENCE}",
        )
    ]


def _refused(path: Path, reason: str, *help_: str) -> Refusal:
    return Refusal(CONFIG, f"the policy {path} cannot be used: {reason}", help=help_)
