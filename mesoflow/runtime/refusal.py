"""A refusal: nothing was done, here is why, and what to do instead. The one shape that every command shows.

MF501  a run of this playbook is there already in this session
MF502  the run id is taken
MF503  the hub counts as live, and this version runs paper only
MF504  the hub, or its world, is another one than the run began with
MF505  the run was begun by another version
MF506  there is no such run, position, account, unknown …
MF507  another runner holds the run
MF508  another process holds the embedded world
MF509  the hub cannot be reached
MF510  the configuration does not fit
MF511  nothing waits for this
MF512  the state home is halted
MF513  the playbook has run as often as it may in this session
MF514  the policy is looser than the one that the run began with
MF515  not by hand: orders leave only through a run, and what changes something needs --yes
MF516  the hub refused a call by hand, or its outcome is unknown
MF600 and up: the journal's own (journal/errors.py) and the state home's, locks among them (runtime/home.py)
"""

from __future__ import annotations

from dataclasses import dataclass

RUN_EXISTS = "MF501"
ID_TAKEN = "MF502"
LIVE = "MF503"
OTHER_HUB = "MF504"
OTHER_VERSION = "MF505"
NOT_THERE = "MF506"
HUB_AWAY = "MF509"
CONFIG = "MF510"
NOT_WANTED = "MF511"
HALTED = "MF512"
RUNS_SPENT = "MF513"
POLICY_LOOSER = "MF514"
BY_HAND = "MF515"
HUB_REFUSED = "MF516"


@dataclass
class Refusal(Exception):
    """`rows` are (word, text) shown one a line; `help` says what to do, each entry a line."""

    code: str
    summary: str
    rows: tuple[tuple[str, str], ...] = ()
    help: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.code}: {self.summary}"
