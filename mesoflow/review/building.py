"""The report of a run, folded from its records: steps, effects, orders and their walks, executions, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from mesoflow.engine.control import Machine
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
    Watch,
    Withdraw,
)
from mesoflow.engine.program import Program, Step
from mesoflow.hubs.contract import klass_of
from mesoflow.journal.records import Record
from mesoflow.review.replay import Replayed, StepEnd, replay
from mesoflow.review.report import (
    Ask,
    EffectLine,
    ExecutionLine,
    FilledLegLine,
    GroupLine,
    OrderGroupLine,
    OrderLine,
    Report,
    RungLine,
    State,
    StepLine,
    UnknownLine,
    WalkLine,
    Where,
)
from mesoflow.review.said import leg_text, said
from mesoflow.review.walks import Ladders, Rung


@dataclass(frozen=True, slots=True)
class Stand:
    """How the run stands, as the runtime's fold says it (runtime/standing.py)."""

    state: State
    reason: str = ""
    words: str = ""
    path: str = ""


def build_report(records: Sequence[Record], machine: Machine, stand: Stand) -> Report:
    """The report of a run; `machine` is a fresh one of its program, used up here."""
    first = records[0].body
    rest = [record for record in records[1:] if record.kind in ("settled", "input")]
    told = replay(machine, rest, first["at"])
    ended = next((record.body for record in reversed(records) if record.kind == "ended"), {})
    unknowns = list(_unknowns(records, running=stand.state == "running"))
    return Report(
        run_id=first["run_id"],
        playbook=first["playbook"],
        description=machine.program.description,
        state=stand.state,
        reason=stand.reason,
        words=stand.words,
        at_path=stand.path,
        session_date=first.get("session_date"),
        started=first["at"],
        last=max(record.body["at"] for record in records if "at" in record.body),
        program=first["digest"],
        semantics=first["semantics"],
        accounts=list(first["accounts"]),
        hub=Where(**first["hub"]),
        inputs=dict(first["inputs"]),
        steps=list(_steps(machine.program, told)),
        effects=list(_effects(told)),
        executions=list(_executions(machine.program, told)),
        orders=list(_orders(records, running=stand.state == "running")),
        walks=list(_walks(told)),
        unknowns=unknowns,
        outputs=ended.get("outputs"),
        error=ended.get("error"),
        differs=told.differs,
        next=_next(first["run_id"], stand, unknowns),
    )


# --- steps -------------------------------------------------------------------------------------------------------------


def _steps(program: Program, told: Replayed) -> Iterator[StepLine]:
    yield from _lines(program.steps, told, (), 0)
    for clause in program.rescue:
        yield from (
            line for line in _lines(clause.steps, told, ("*rescue",), 1) if line.state != "not_reached"
        )
    yield from (line for line in _lines(program.always, told, ("always",), 0))


def _lines(steps: Sequence[Step], told: Replayed, above: tuple[str, ...], depth: int) -> Iterator[StepLine]:
    for step in steps:
        yield _line(step, told, (*above, step.id), depth)
        for clause in step.rescue:
            inner = _lines(clause.steps, told, (*above, step.id, "*rescue"), depth + 1)
            yield from (line for line in inner if line.state != "not_reached")
        if step.for_each is None:
            yield from _lines(step.steps, told, (*above, step.id), depth + 1)


def _line(step: Step, told: Replayed, chain: tuple[str, ...], depth: int) -> StepLine:
    end = told.steps.get(step.id)
    asked = [at for path, (_, at) in told.asked.items() if _is_below(path, chain)]
    began = min(asked) if asked else end.at if end else None
    return StepLine(
        id=step.id,
        action=step.action,
        name=step.name,
        depth=depth,
        state=end.view.state if end else "open" if asked else "not_reached",
        began=began if end is None or end.view.state != "skipped" else None,
        ended=end.at if end else None,
        text=_step_text(step, end),
    )


def _step_text(step: Step, end: StepEnd | None) -> str:
    if end is None or end.view.state != "done":
        return ""
    if step.for_each is not None:
        results = end.view.outputs.get("results", [])
        return f"{len(results)} items, {len(end.view.outputs.get('failed', []))} failed"
    return said(step.action, end.view.outputs)


def _is_below(path: str, chain: tuple[str, ...]) -> bool:
    """Whether an effect belongs to the step at `chain`; tries (`~2`) and loop keys are left out, a rescue is a `*rescue`."""
    parts = [_bare(part) for part in path.split("/") if not part.startswith("each[")]
    return tuple(parts[: len(chain)]) == chain


def _bare(part: str) -> str:
    return "*rescue" if part.startswith("rescue-") else part.split("~")[0]


# --- effects, orders, unknowns -----------------------------------------------------------------------------------------


def _effects(told: Replayed) -> Iterator[EffectLine]:
    for path, (effect, asked) in told.asked.items():
        outcome, at = told.settled.get(path, (None, None))
        if outcome is None and path not in told.waiting:
            continue  # abandoned by a cancel: the world never heard of it
        yield EffectLine(
            path=path,
            ask=_ask(effect),
            method=_method(effect),
            asked=asked,
            settled=at,
            **_ending(outcome),
        )


def _ending(outcome: Outcome | None) -> dict[str, Any]:
    match outcome:
        case None:
            return {"ended": "open"}
        case Done():
            return {"ended": "done"}
        case Refused(code=code, summary=summary):
            return {"ended": "refused", "code": code, "summary": summary}


def _ask(effect: Effect) -> Ask:

    match effect:
        case Call(method=method, args=args):
            return klass_of(method, args)
        case Govern():
            return "change"
        case Place():
            return "trade"
        case Withdraw():
            return "withdraw"
        case Watch():
            return "watch"
        case Sleep():
            return "wait"
        case Tell():
            return "tell"
        case Note():
            return "value"


def _method(effect: Effect) -> str | None:
    return effect.order.method if isinstance(effect, Place) else getattr(effect, "method", None)


def _orders(records: Sequence[Record], *, running: bool) -> Iterator[OrderLine]:
    settled = {record.body["path"]: record.body for record in records if record.kind == "settled"}
    for record in records:
        body = record.body
        if record.kind != "intended" or "order" not in body:
            continue
        end = settled.get(body["path"])
        yield OrderLine(
            path=body["path"],
            method=body["method"],
            key=body["key"],
            intended=body["at"],
            settled=end["at"] if end else None,
            ended=_order_end(end, running),
            account=body["order"].get("account"),
            kind=body["order"].get("kind"),
            exec_plan_id=body["order"].get("exec_plan_id"),
            groups=[_order_group(group) for group in body["order"].get("groups", [])],
            verdict=body.get("verdict"),
        )


def _order_group(group: Mapping[str, Any]) -> OrderGroupLine:
    kept = {name: group[name] for name in ("id", "packages", "limit", "worst", "mid")}
    return OrderGroupLine(**kept, legs=list(group["legs"]))


def _order_end(
    end: Mapping[str, Any] | None, running: bool
) -> Literal["accepted", "refused", "unknown", "in_flight"]:
    if end is None:
        return "in_flight" if running else "unknown"
    return "refused" if "refused" in end["outcome"] else "accepted"


def _unknowns(records: Sequence[Record], *, running: bool) -> Iterator[UnknownLine]:
    open_: dict[str, Mapping[str, Any]] = {}
    for record in records:
        if record.kind == "intended":
            open_[record.body["path"]] = record.body
        elif record.kind == "settled":
            open_.pop(record.body["path"], None)
    for path, body in open_.items():
        yield UnknownLine(
            path=path, method=body["method"], key=body["key"], sent=body["at"], in_flight=running
        )


def _walks(told: Replayed) -> Iterator[WalkLine]:
    ladders = Ladders()
    for path, (effect, asked) in told.asked.items():
        ladders.asked(path, effect, asked)
        if path in told.settled:
            ladders.settled(path, effect, told.settled[path][0])
    for order in told.withdrawn:
        ladders.withdrawn(order)
    for ladder in ladders.by_walk.values():
        yield WalkLine(
            path=ladder.path,
            group=ladder.group,
            legs=list(ladder.legs),
            target=ladder.target,
            filled=ladder.filled,
            mid=ladder.mid,
            worst=ladder.worst,
            conceded=ladder.conceded,
            rungs=[_rung(rung, times) for rung, times in ladder.told],
        )


def _rung(rung: Rung, times: int) -> RungLine:
    kept = {name: getattr(rung, name) for name in RungLine.model_fields if name != "times"}
    return RungLine(**kept, times=times)


# --- executions --------------------------------------------------------------------------------------------------------


def _executions(program: Program, told: Replayed) -> Iterator[ExecutionLine]:
    plans = {out["exec_plan_id"]: out for out in _outputs(told) if "premium" in out and "exec_plan_id" in out}
    for step in _all_steps(program.steps):
        end = told.steps.get(step.id)
        out = end.view.outputs if end else None
        for one in _execution_outputs(out):
            yield _execution(step.id, one, plans.get(one["exec_plan_id"]))


def _outputs(told: Replayed) -> Iterator[Mapping[str, Any]]:
    for end in told.steps.values():
        if isinstance(end.view.outputs, Mapping):
            yield end.view.outputs


def _execution_outputs(out: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - a Value
    """The step's own execution, and those of a loop's items."""
    if not isinstance(out, Mapping):
        return
    if "exec_plan_id" in out and "cash" in out and "groups" in out:
        yield out
    for item in out.get("results", []) if isinstance(out.get("results"), list) else []:
        yield from _execution_outputs(item)


def _execution(step: str, out: Mapping[str, Any], plan: Mapping[str, Any] | None) -> ExecutionLine:
    mids = {group["id"]: group["quote"]["mid"]["debit"] for group in plan["groups"]} if plan else {}
    mid = plan["quote"]["mid"]["debit"] if plan else None
    legs = plan["legs"] if plan else {}
    return ExecutionLine(
        step=step,
        kind=out["kind"],
        exec_plan_id=out["exec_plan_id"],
        position_id=out["position_id"],
        ended=out["ended"],
        lots=out["lots"],
        price=out["price"]["debit"],
        mid=mid,
        conceded=None if mid is None or out["ended"] != "filled" else out["price"]["debit"] - mid,
        cash=out["cash"],
        fees=out["fees"],
        finished=out["finished_at"],
        groups=[_group(group, mids) for group in out["groups"]],
        legs=[_leg(name, leg, legs.get(name)) for name, leg in out["legs"].items()],
    )


def _group(group: Mapping[str, Any], mids: Mapping[int, Decimal]) -> GroupLine:
    return GroupLine(
        id=group["id"],
        legs=list(group["legs"]),
        packages=group["packages"],
        filled=group["filled"],
        price=group["price"]["debit"] if group["price"] is not None else None,
        mid=mids.get(group["id"]),
        conceded=group["conceded"],
        rungs=group["rungs"],
    )


def _leg(name: str, leg: Mapping[str, Any], planned: Mapping[str, Any] | None) -> FilledLegLine:
    contract = leg_text(planned).split(" ", 1)[1] if planned else name
    return FilledLegLine(
        name=name, contract=contract, quantity=leg["quantity"], average_price=leg["average_price"]
    )


def _all_steps(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        for clause in step.rescue:
            yield from _all_steps(clause.steps)
        yield from _all_steps(step.steps)


# --- what next ---------------------------------------------------------------------------------------------------------


def _next(run_id: str, stand: Stand, unknowns: Sequence[UnknownLine]) -> list[str]:
    if stand.state == "running":
        return [f"mesoflow cancel {run_id}"]
    if stand.state != "parked":
        return []
    if stand.reason == "outcome_unknown":
        return [
            f'mesoflow settle {run_id} {unknown.path} --happened ID | --did-not-happen, --reason "…"'
            for unknown in unknowns
        ] + [f"mesoflow resume {run_id}"]
    if stand.reason == "legs_differ":
        return ['mesoflow clear POSITION --reason "…"', f"mesoflow resume {run_id}"]
    return [f"mesoflow resume {run_id}", f"mesoflow cancel {run_id}"]
