"""A report as people read it: how the run stands, its steps, what was executed at which price, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator

from mesoflow.review.report import ExecutionLine, Report, RungLine, StepLine
from mesoflow.review.words import clock, count, day, gain, length, moment, points, price, quantity, rung_text

# How a state reads in the column of times.
MARKS = {"done": "", "failed": "failed", "skipped": "skipped", "open": "open", "not_reached": "–"}


def report_text(report: Report) -> str:
    """The whole page."""
    sections = [
        list(_head(report)),
        list(_steps(report)),
        list(_executions(report)),
        list(_walks(report)),
        list(_orders(report)),
        list(_unknowns(report)),
        list(_ending(report)),
    ]
    return "\n\n".join("\n".join(section) for section in sections if section)


def ending_text(report: Report) -> str:
    """The last lines of a run that has just ended or parked."""
    return "\n".join(
        [
            f"{report.run_id}  {state_text(report)}",
            *_ending(report),
            f"  show     mesoflow show {report.run_id}",
        ]
    )


def _head(report: Report) -> Iterator[str]:
    yield f"{report.run_id}    {state_text(report)}"
    if report.description:
        yield report.description
    yield ""
    yield f"  account   {', '.join(report.accounts)} at {hub_text(report)}"
    yield f"  session   {day(report.session_date) if report.session_date else 'none'}"
    took = int((report.last - report.started).total_seconds())
    yield f"  time      {moment(report.started)} to {moment(report.last)}, {length(took)}"
    if report.inputs:
        yield "  inputs    " + " · ".join(f"{name} {value}" for name, value in report.inputs.items())
    yield f"  program   {report.program[:8]}, semantics {report.semantics}"
    if report.differs:
        yield f"  replay    stops: {report.differs}"


def state_text(report: Report) -> str:
    """`done`, `parked (hub_unavailable)`, `failed: …`."""
    state = report.state + (f" ({report.reason})" if report.reason else "")
    return f"{state}: {report.words}" if report.words else state


def hub_text(report: Report) -> str:
    """Which hub, in words."""
    hub = report.hub
    if hub.kind == "embedded":
        return f"the embedded simulator, world {hub.world}"
    return f"{'the simulator' if hub.kind == 'simulator' else 'the hub'} {hub.url}"


def _steps(report: Report) -> Iterator[str]:
    width = max((len(line.id) + 2 * line.depth for line in report.steps), default=0)
    yield " STEPS"
    for line in report.steps:
        yield _step(line, width).rstrip()


def _step(line: StepLine, width: int) -> str:
    when = line.ended or line.began
    at = clock(when) if when is not None and line.state != "not_reached" else " " * 8
    name = ("  " * line.depth + line.id).ljust(width)
    what = (line.action or "group").ljust(16)
    said = (
        f"{MARKS[line.state]}: {line.text}"
        if MARKS[line.state] and line.text
        else MARKS[line.state] or line.text
    )
    return f"  {at}  {name}  {what}  {said}"


def _executions(report: Report) -> Iterator[str]:
    for line in report.executions:
        yield from _execution(line)


def _execution(line: ExecutionLine) -> Iterator[str]:
    yield f" FILLS of step {line.step} ({line.kind}), position {line.position_id}, {moment(line.finished)}"
    width = max((len(leg.contract) for leg in line.legs), default=0)
    for leg in line.legs:
        yield f"  {quantity(leg.quantity):>5}  {leg.contract.ljust(width)}  at {points(leg.average_price)}"
    conceded = (
        "" if line.conceded is None else f", conceded {points(line.conceded)} against mid {price(line.mid)}"
    )
    yield f"  price  {price(line.price)}{conceded}"
    fees = "" if line.fees is None else f", fees {gain(-line.fees)}"
    yield f"  cash   {gain(line.cash)}{fees}"
    if len(line.groups) > 1:
        for group in line.groups:
            legs = ", ".join(group.legs)
            yield f"  group {group.id} ({legs}): {group.filled} of {group.packages} at {price(group.price)}"


def _walks(report: Report) -> Iterator[str]:
    """The ladders: each rung with the market in which it was priced, and what filled at it."""
    for walk in report.walks:
        conceded = "" if walk.conceded is None else f", conceded {points(walk.conceded)} against mid"
        yield (
            f" WALK {walk.path} ({', '.join(walk.legs)}): {walk.filled} of {count(walk.target, 'package')}"
            f"{conceded}; mid {price(walk.mid)}, worst {price(walk.worst)}"
        )
        for rung in walk.rungs:
            yield f"  {clock(rung.at)}  {_rung(rung)}"


def _rung(rung: RungLine) -> str:
    return rung_text(
        rung.name,
        limit=rung.limit,
        market=(rung.near, rung.mid, rung.natural),
        state=rung.state,
        filled=rung.filled,
        packages=rung.packages,
        code=rung.code,
        times=rung.times,
    )


def _orders(report: Report) -> Iterator[str]:
    """Orders that did not simply come to a fill; those that did stand under FILLS."""
    odd = [order for order in report.orders if order.ended != "accepted"]
    if odd:
        yield " ORDERS"
    for order in odd:
        yield f"  {clock(order.intended)}  {order.path}  {order.method}: {order.ended.replace('_', ' ')}"
        for group in order.groups:
            worst = f", worst {price(group.worst)}, mid {price(group.mid)}"
            yield f"            {count(group.packages, 'package')} of {', '.join(group.legs)} at {price(group.limit)}{worst}"


def _unknowns(report: Report) -> Iterator[str]:
    if report.unknowns:
        flight = all(unknown.in_flight for unknown in report.unknowns)
        yield " IN FLIGHT" if flight else " UNKNOWN: left, and nobody knows yet what became of it"
    for unknown in report.unknowns:
        yield f"  {clock(unknown.sent)}  {unknown.path}  {unknown.method}  key {unknown.key}"


def _ending(report: Report) -> Iterator[str]:
    if report.error:
        yield f"  error    {report.error['code']} in step {report.error['step']}: {report.error['summary']}"
    if report.outputs is not None:
        for name, value in report.outputs.items():
            yield f"  output   {name} = {value}"
    for number, command in enumerate(report.next):
        yield f"  {'next' if number == 0 else '    '}     {command}"
