"""`mesoflow clear POSITION|ACCOUNT`: a person has looked; entries go on. The legs are journalled as the hub shows them now."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from mesoflow.cli.config import Config, read_config
from mesoflow.cli.embedded import EmbeddedWish
from mesoflow.cli.exits import Exit
from mesoflow.cli.ground import hub_of
from mesoflow.cli.hubs import Choice, choose
from mesoflow.cli.starting import ground_of, on_loop, writing
from mesoflow.engine.effects import Value
from mesoflow.hubs.client import READ
from mesoflow.hubs.errors import CallRefused
from mesoflow.hubs.hub import Hub
from mesoflow.journal.records import HOME, Entry
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.runtime.gate import home_ledger
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.refusal import NOT_THERE, NOT_WANTED, Refusal
from mesoflow.safety.ledger import Mark

READ_WITHIN = timedelta(seconds=15)
PAGE = 200


def run(args: argparse.Namespace) -> int:
    """Clear it."""
    with writing(args.state) as (home, journal):
        account, position, marks = target(journal, args.what)
        config = read_config(home.path)
        choice = choose(args.hub, config)
        return on_loop(choice, None, _clear(args, home, journal, config, choice, account, position, marks))


def target(journal: SqliteJournal, what: str) -> tuple[str, int | None, Sequence[Mark]]:
    """The account, the position (None: all of it), and the marks that this takes off. Raises Refusal without any."""
    records = list(journal.home(kinds=("mark", "cleared")))
    ledger = home_ledger(records)
    accounts = {str(record.body["account"]) for record in records}
    marks = [mark for account in sorted(accounts) for mark in ledger.marks(account)]
    position = int(what) if what.isdigit() else None
    wanted = [
        mark
        for mark in marks
        if mark.account == what or (position is not None and mark.position_id == position)
    ]
    if not wanted:
        rows = tuple(
            ("marked", f"position {mark.position_id} on {mark.account}, by {mark.run_id}: {mark.reason}")
            for mark in marks
        )
        help_ = (
            "nothing is marked: entries are refused by nothing that `clear` could end"
            if not marks
            else "clear one of these"
        )
        raise Refusal(NOT_WANTED, f"no mark stands against {what}", rows, (help_,))
    return wanted[0].account, position, wanted


async def _clear(
    args: argparse.Namespace,
    home: StateHome,
    journal: SqliteJournal,
    config: Config,
    choice: Choice,
    account: str,
    position: int | None,
    marks: Sequence[Mark],
) -> int:
    async with ground_of(home, choice, EmbeddedWish(), None) as ground, hub_of(ground, READ) as hub:
        positions = [mark.position_id for mark in marks if mark.position_id is not None]
        legs = {str(number): await legs_of(hub, number) for number in dict.fromkeys(positions)}
        body: dict[str, Value] = {
            "account": account,
            "position_id": position,
            "legs": legs,
            "by": getpass.getuser(),
            "reason": args.reason,
            "at": ground.clock.now(),
        }
        journal.commit([Entry(HOME, "cleared", body)])
    _said(args, account, position, legs, marks)
    return Exit.FINE


async def legs_of(hub: Hub, position: int) -> list[Value]:
    """The open legs of a position, as the hub shows them now."""
    argument = hub.encode("ListLegs", {"live_position_id": position, "limit": PAGE})
    try:
        answer = await hub.invoke("ListLegs", argument, within=READ_WITHIN)
    except CallRefused as refused:
        raise Refusal(
            NOT_THERE, f"the hub does not show the legs of position {position}", (("hub", str(refused)),)
        ) from refused
    return [
        {"name": leg["name"], "quantity": leg["qty"]} for leg in answer["legs"] if leg["closed_at"] is None
    ]


def _said(
    args: argparse.Namespace,
    account: str,
    position: int | None,
    legs: Mapping[str, Any],
    marks: Sequence[Mark],
) -> None:
    runs = list(dict.fromkeys(mark.run_id for mark in marks if mark.run_id))
    if args.format == "json":
        from mesoflow.review.render.json import json_text

        body = {"account": account, "position_id": position, "legs": legs, "runs": runs}
        print(json_text({"format_version": 1, "cleared": body}))
        return
    print(f"cleared  {f'position {position} on ' if position is not None else ''}{account}")
    for number, found in legs.items():
        held = ", ".join(f"{leg['quantity']:+f} {leg['name']}" for leg in found) or "nothing"
        print(f"  legs     position {number} holds {held}")
    for run_id in runs:
        print(f"  next     mesoflow resume {run_id}")
