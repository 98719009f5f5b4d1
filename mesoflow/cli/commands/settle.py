"""`mesoflow settle RUN PATH`: a person decides an unknown outcome after looking at the broker; then `resume` goes on."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from mesoflow.cli.config import Config, read_config
from mesoflow.cli.embedded import EmbeddedWish
from mesoflow.cli.exits import Exit
from mesoflow.cli.ground import hub_of
from mesoflow.cli.reading import one_standing
from mesoflow.cli.running import last_at
from mesoflow.cli.starting import choice_of, ground_of, on_loop, require_same, run_lock, writing
from mesoflow.hubs.client import READ
from mesoflow.hubs.errors import CallRefused
from mesoflow.hubs.hub import Hub
from mesoflow.journal.records import Record
from mesoflow.journal.sqlite import SqliteJournal
from mesoflow.runtime.bodies import Intent
from mesoflow.runtime.decide import account_of, adopted, commit, did_not_happen, plan_of, unknown_at
from mesoflow.runtime.home import StateHome
from mesoflow.runtime.refusal import NOT_THERE, NOT_WANTED, Refusal
from mesoflow.runtime.standing import Standing

READ_WITHIN = timedelta(seconds=15)


def run(args: argparse.Namespace) -> int:
    """Settle it."""
    with writing(args.state) as (home, journal):
        there = one_standing(home, journal, args.run)
        if there.over:
            raise Refusal(
                NOT_WANTED, f"{args.run} is over: {there.state}", help=(f"mesoflow show {args.run}",)
            )
        with run_lock(home, args.run):
            journal.check(args.run)
            intent, record = unknown_at(journal, args.run, args.path)
            if args.did_not_happen:
                at = last_at(list(journal.read(args.run)))
                decision = did_not_happen(intent, getpass.getuser(), args.reason)
                commit(journal, args.run, intent, decision, at, journal.claim(args.run), account_of(record))
            else:
                _adopt(args, home, journal, there, intent, record)
    _said(args, intent)
    return Exit.FINE


def _adopt(
    args: argparse.Namespace,
    home: StateHome,
    journal: SqliteJournal,
    there: Standing,
    intent: Intent,
    record: Record,
) -> None:
    config = read_config(home.path)
    choice = choice_of(there.started, config)
    on_loop(choice, None, _asked(args, home, journal, config, there, intent, record))


async def _asked(
    args: argparse.Namespace,
    home: StateHome,
    journal: SqliteJournal,
    config: Config,
    there: Standing,
    intent: Intent,
    record: Record,
) -> int:
    """Ask the hub whether what the person names belongs to the intent; then write it down."""
    wish = EmbeddedWish(world=there.started["hub"]["world"], since=lambda world: there.at)
    async with ground_of(home, choice_of(there.started, config), wish, there.at) as ground:
        require_same(there.started, ground)
        async with hub_of(ground, READ) as hub:
            found = await evidence(hub, intent, record, args.happened)
        decision = adopted(intent, record, args.happened, found, getpass.getuser(), args.reason)
        at = max(ground.clock.now(), last_at(list(journal.read(args.run))))
        commit(journal, args.run, intent, decision, at, journal.claim(args.run), account_of(record))
    return Exit.FINE


async def evidence(hub: Hub, intent: Intent, record: Record, ids: list[int]) -> Mapping[str, Any]:
    """What the hub shows of it. Raises Refusal where it does not belong to the intent."""
    if intent.method == "CreateStrategy":
        found = await _read(hub, "GetStrategy", {"strategy_id": ids[0]}, f"there is no strategy {ids[0]}")
        return {"name": found["strategy"]["name"]}
    if intent.method == "SendOrder":
        return await _order_evidence(hub, record, ids)
    if intent.method != "ApplyPaperFills":
        return {}  # `adopted` refuses it by name
    if len(ids) != 1:
        raise Refusal(NOT_WANTED, "one booking makes or closes one position", help=("give one position id",))
    position = await _read(hub, "GetPosition", {"position_id": ids[0]}, f"the hub has no position {ids[0]}")
    plan = plan_of(record)
    listed = await _read(
        hub, "ListPositions", {"live_exec_plan_id": plan}, f"the hub lists nothing of exec plan {plan}"
    )
    executed = await _read(
        hub, "ListExecutions", {"exec_plan_id": plan}, f"the hub lists no execution of exec plan {plan}"
    )
    positions = [row["id"] for row in listed["positions"]]
    if ids[0] not in positions:
        shows = ", ".join(map(str, positions)) or "no position"
        raise Refusal(
            NOT_WANTED,
            f"position {ids[0]} does not belong to exec plan {plan}",
            (("hub", f"exec plan {plan}: {shows}"),),
            ("look again; --did-not-happen if the hub and the broker show nothing of it",),
        )
    return {
        "position_id": ids[0],
        "state": position["position"]["state"],
        "executions": len(executed["executions"]),
    }


async def _order_evidence(hub: Hub, record: Record, ids: list[int]) -> Mapping[str, Any]:
    """An order that is named belongs to the intent's exec plan and leg group, and to no other sending of ours."""
    if len(ids) != 1:
        raise Refusal(NOT_WANTED, "one sending makes one order", help=("give one LiveOrderId",))
    order = (await _read(hub, "GetOrder", {"live_order_id": ids[0]}, f"the hub has no order {ids[0]}"))[
        "order"
    ]
    plan = plan_of(record)
    groups = [group["id"] for group in record.body["order"]["groups"]]
    if order["exec_plan_id"] != plan or order["leg_group_id"] not in groups:
        raise Refusal(
            NOT_WANTED,
            f"order {ids[0]} does not belong to exec plan {plan}, leg group {groups[0]}",
            (
                (
                    "hub",
                    f"order {ids[0]}: exec plan {order['exec_plan_id']}, leg group {order['leg_group_id']}",
                ),
            ),
            ("look again; --did-not-happen if the hub and the broker show nothing of it",),
        )
    return {"order_id": ids[0], "state": order["state"], "cum_qty": order["cum_qty"]}


async def _read(hub: Hub, method: str, args: Mapping[str, Any], missing: str) -> Any:  # noqa: ANN401 - an answer
    try:
        return await hub.invoke(method, hub.encode(method, args), within=READ_WITHIN)
    except CallRefused as refused:
        raise Refusal(NOT_THERE, missing, (("hub", str(refused)),), ("look again at the hub",)) from refused


def _said(args: argparse.Namespace, intent: Intent) -> None:
    verdict = "did not happen" if args.did_not_happen else "happened"
    if args.format == "json":
        from mesoflow.review.render.json import json_text

        body = {
            "run_id": args.run,
            "path": intent.path,
            "method": intent.method,
            "happened": not args.did_not_happen,
        }
        print(json_text({"format_version": 1, "settled": body}))
    else:
        print(
            f"{args.run}  {intent.path} ({intent.method}): settled, it {verdict}\n  next     mesoflow resume {args.run}"
        )
