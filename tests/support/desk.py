"""A broker's desk for tests of walks: orders that rest, fill in pieces, lose their cancel, are refused; in virtual time.

    desk = Desk(fates=[Fate(), Fate(fills=[(4, 1)])])
    played = desk.play("orders.work", {"exec_plan": calendar(), …})
    assert played.asked("send") == ["group-1/rung-1/send", "group-1/rung-2/send"]

The n-th order that is sent meets the n-th fate, later ones the last. Everything runs through the real interpreter: paths,
shields, cancels and things at once are as in a run. Time passes only while nothing else can happen.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from mesoflow.actions.catalogue import ACTIONS
from mesoflow.actions.ready import READY
from mesoflow.engine.action import Action
from mesoflow.engine.effects import (
    Call,
    Done,
    Effect,
    Note,
    Outcome,
    Place,
    Refused,
    Sleep,
    Tell,
    Watch,
    Withdraw,
)
from mesoflow.engine.errors import Cancelled, StepError
from mesoflow.engine.interpreter import Interpreter
from mesoflow.engine.tasks import Enter
from mesoflow.hubs.contract import METHODS
from mesoflow.journal.codec import decode, encode
from mesoflow.runtime.bodies import outcome_value, read_outcome
from mesoflow.runtime.run import changes_world
from mesoflow.trading.combos import ratio_of
from mesoflow.trading.orders import Order
from tests.support import answers
from tests.support.acting import NOW, Parked, context, foretell, plain, unforetold

D = Decimal
ACCOUNT = "IB-1"
PROFILE = {"credit_sign": "negative", "qty_multiplier": "proven"}


@dataclass
class Fate:
    """What becomes of an order. `fills`: (seconds after it was sent, packages). `rejected`: the broker refuses, with this
    told or nothing. `cancelled_after`: somebody else's cancel, that many seconds after it was sent. `race`: packages that
    fill while its cancel is under way. `cancel_s` is how long a cancel takes; None: it is never confirmed. `accepted_as`
    changes fields of the order as the hub accepts it. `hidden_s`: GetOrder does not know it for so long."""

    fills: list[tuple[float, int]] = field(default_factory=list)
    rejected: Mapping[str, str] | None = None
    cancelled_after: float | None = None
    withdrawn_after: float | None = None
    expired_after: float | None = None
    race: int = 0
    cancel_s: float | None = 0.5
    accepted_as: Mapping[str, Any] = field(default_factory=dict)
    hidden_s: float = 0.0
    nameless: bool = False


@dataclass
class BrokerOrder:
    """An order at the desk."""

    row: dict[str, Any]
    legs: dict[str, int]
    fate: Fate
    sent: datetime
    kind: str
    position: int | None
    cancel_asked: bool = False

    @property
    def over(self) -> bool:
        return self.row["state"] in ("Filled", "Cancelled", "Rejected", "Expired")


@dataclass
class Played:
    """How an action went."""

    lines: list[str]
    effects: dict[str, Effect]
    outputs: Any
    error: BaseException | None
    partial: Any
    now: datetime
    desk: Desk

    def asked(self, *last: str) -> list[str]:
        """Paths whose last part is one of these, in the order of asking."""
        return [path for path in self.lines if path.rsplit("/", 1)[-1].split("~")[0] in last]

    @property
    def code(self) -> str | None:
        return getattr(self.error, "code", None)

    def order(self, path: str) -> Order:
        effect = self.effects[path]
        assert isinstance(effect, Place)
        return effect.order

    @property
    def seconds(self) -> float:
        return (self.now - NOW).total_seconds()


@dataclass
class Desk:
    """The broker, the hub before it, and the clock."""

    fates: list[Fate] = field(default_factory=lambda: [Fate()])
    quotes: dict[str, tuple[str, str]] = field(default_factory=dict)
    hub: Mapping[str, Any] = field(default_factory=lambda: PROFILE)
    held: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, Outcome] = field(default_factory=dict)
    stale: tuple[float, float] = (0.0, 0.0)
    cancel_at: float | None = None
    legs_lie: bool = False
    risk: Mapping[str, Any] = field(default_factory=lambda: {"accounts": [ACCOUNT]})

    def __post_init__(self) -> None:
        self.now = NOW
        self.orders: list[BrokerOrder] = []
        self.executions: list[dict[str, Any]] = []
        self.positions: dict[int, dict[str, Any]] = {}
        self.plans: dict[int, dict[str, Any]] = {}
        self.told: list[Tell] = []
        self.most_alive: dict[tuple[int, ...], int] = {}
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = 0
        self.ctx = context(account=ACCOUNT, risk=self.risk, hub=self.hub, provider="IBKR", now=NOW, step="")

    # --- playing ---------------------------------------------------------------------------------------------------

    def play(self, name: str | Action, inputs: Mapping[str, Any], step: str = "") -> Played:
        """Run an action to its end."""
        action: Action = ACTIONS[name] if isinstance(name, str) else name
        self.ctx.step = step
        plan = inputs.get("exec_plan")
        if isinstance(plan, Mapping):
            self.plans.setdefault(plan["exec_plan_id"], dict(plan))
            if plan["kind"] == "entry":
                self.ctx.resolved.setdefault(plan["exec_plan_id"], plan["lots"])
        body = action.run(self.ctx, action.inputs.model_validate(inputs))
        played = self.drive(body)
        foretold = foretell(action, inputs, context(account=ACCOUNT, risk=self.risk))
        named = [_renamed(effect, path) for path, effect in played.effects.items()]
        missing = unforetold(named, foretold.effects)
        assert not missing, f"{action.name} did what it had not foretold: {missing}"
        return played

    def drive(self, body: Any) -> Played:
        """Run a generator to its end through the interpreter."""
        began = self.now
        cancel_at = None if self.cancel_at is None else began + timedelta(seconds=self.cancel_at)
        interpreter = Interpreter(_root(body), changes_world=changes_world, tick=self._tick)
        lines: list[str] = []
        effects: dict[str, Effect] = {}

        def took(turn: Any) -> None:
            for path, effect in turn.perform:
                lines.append(path)
                effects[path] = effect

        try:
            took(interpreter.start(self.now))
            while interpreter.over is None:
                if cancel_at is not None and self.now >= cancel_at:
                    cancel_at = None
                    took(interpreter.cancel("operator", self.now))
                    continue
                settled = self._one(interpreter)
                if settled is not None:
                    took(settled)
                    continue
                self._pass(interpreter, cancel_at)
        except Parked as parked:
            return Played(lines, effects, None, parked, None, self.now, self)
        ending = interpreter.over
        partial = ending.error.partial if isinstance(ending.error, Cancelled) else None
        return Played(lines, effects, plain(ending.value), ending.error, plain(partial), self.now, self)

    def _tick(self, at: datetime) -> None:
        self.ctx.now = at

    def _one(self, interpreter: Interpreter) -> Any:
        """Settle the first effect that can be settled now."""
        for path, effect in interpreter.waiting.items():
            outcome = self._perform(path, effect)
            if outcome is not None:
                return interpreter.settle(path, _through_codec(outcome), self.now)
        return None

    def _pass(self, interpreter: Interpreter, cancel_at: datetime | None) -> None:
        """Nothing can happen now: on to when something may."""
        waits = [effect.until for effect in interpreter.waiting.values() if isinstance(effect, Sleep | Watch)]
        times = [*waits, *([self._events[0][0]] if self._events else []), *([cancel_at] if cancel_at else [])]
        if self.stale[1] and self.now < NOW + timedelta(seconds=self.stale[1]):
            times.append(NOW + timedelta(seconds=self.stale[1]))
        assert times, f"the test hangs at {list(interpreter.waiting)}"
        self.now = max(self.now, min(times))
        while self._events and self._events[0][0] <= self.now:
            heapq.heappop(self._events)[2]()

    def at(self, seconds: float, happens: Callable[[], None], since: datetime | None = None) -> None:
        """Something will happen."""
        self._count += 1
        heapq.heappush(self._events, ((since or self.now) + timedelta(seconds=seconds), self._count, happens))

    # --- performing ------------------------------------------------------------------------------------------------

    def _perform(self, path: str, effect: Effect) -> Outcome | None:
        match effect:
            case Note(value=value):
                return Done(value)
            case Tell(to=to):
                self.told.append(effect)
                return Done({"delivered": list(to), "failed": []})
            case Sleep(until=until):
                return Done(self.now) if self.now >= until else None
            case Place(order=order):
                refused = self.refusals.pop(path, None)
                return refused if refused is not None else Done(self._send(order))
            case Call(method=method, args=args) | Withdraw(method=method, args=args):
                return self._asked(method, args)
            case Watch():
                return self._watched(effect)

    def _asked(self, method: str, args: Mapping[str, Any]) -> Outcome:
        try:
            answer = getattr(self, f"_{method}")(args)
        except StepError as error:
            return Refused(error.code, error.summary, dict(error.details), error.retryable)
        return Done(METHODS[method].result_model.read(answer).value())

    def _watched(self, watch: Watch) -> Outcome | None:
        outcome = self._asked(watch.method, watch.args)
        if isinstance(outcome, Refused):
            return outcome
        if READY[watch.ready](outcome.value, watch.params, self.now):
            return outcome
        if self.now < watch.until:
            return None
        if watch.overdue == "park":
            raise Parked(watch.code, watch.summary)
        if watch.overdue == "refuse":
            return Refused(watch.code, watch.summary, {}, retryable=True)
        return Done(None)

    # --- the broker ------------------------------------------------------------------------------------------------

    def _send(self, order: Order) -> dict[str, Any]:
        args = order.args
        plan = self.plans[args["exec_plan_id"]]
        group = next(one for one in plan["groups"] if one["id"] == args["leg_group_id"])
        packages = self._packages(plan, group, args["qty_multiplier"])
        fate = self.fates[min(len(self.orders), len(self.fates) - 1)]
        row = {
            **answers.order(501 + len(self.orders), plan["exec_plan_id"], "Submitted"),
            "broker_account_id": ACCOUNT,
            "leg_group_id": group["id"],
            "limit_price": args["leg_group_order"]["limit_price"],
            "qty": D(packages),
            "cum_qty": D(0),
            "last_updated": self.now,
            **fate.accepted_as,
        }
        position = plan["position_id"]
        made = BrokerOrder(row, dict(group["ratio"]), fate, self.now, plan["kind"], position)
        self.orders.append(made)
        key = tuple(sorted(hash(name) for name in group["ratio"]))
        alive = sum(not one.over for one in self.orders if one.legs.keys() == group["ratio"].keys())
        self.most_alive[key] = max(self.most_alive.get(key, 0), alive)
        for seconds, count in fate.fills:
            self.at(seconds, lambda count=count: self._fill(made, count))  # type: ignore[misc]
        for seconds_, state in (
            (fate.cancelled_after, "Cancelled"),
            (fate.expired_after, "Expired"),
            (None if fate.rejected is None else 0.1, "Rejected"),
        ):
            if seconds_ is not None:
                self.at(seconds_, lambda state=state: self._end(made, state))  # type: ignore[misc]
        if fate.withdrawn_after is not None:
            self.at(fate.withdrawn_after, lambda: self._withdraw(made))
        return {"live_order_id": None if fate.nameless else row["order_id"]}

    def _packages(self, plan: Mapping[str, Any], group: Mapping[str, Any], multiplier: Any) -> int:
        """The definition's quantity times the multiplier; elsewhere what the plan plans."""
        if multiplier is None:
            return int(group["packages"])
        name, ratio = next(iter(group["ratio"].items()))
        of_one_lot = D(ratio) * group["packages"] / plan["lots"]
        quantity = of_one_lot * multiplier
        assert quantity == quantity.to_integral_value(), f"{name} would have {quantity} contracts"
        return abs(int(quantity / ratio))

    def _fill(self, made: BrokerOrder, count: int) -> None:
        row = made.row
        left = int(abs(row["qty"]) - row["cum_qty"])
        count = min(count, left)
        if made.over or not count:
            return
        row["cum_qty"] += count
        row["avg_fill_price"] = row["limit_price"]
        row["state"] = "Filled" if row["cum_qty"] == abs(row["qty"]) else "PartiallyFilled"
        if made.position is None:
            plan = row["exec_plan_id"]
            made.position = next(
                (key for key, one in self.positions.items() if one["plan"] == plan), 7 + len(self.positions)
            )
            self.positions.setdefault(made.position, {"plan": plan})
        for name, ratio in made.legs.items():
            self.held[name] = self.held.get(name, 0) + ratio * count
            bid, ask = self.quotes[name]
            row_ = answers.execution(None, name, ratio * count, str((D(bid) + D(ask)) / 2))
            self.executions.append({**row_, "plan": row["exec_plan_id"], "live_order_id": row["order_id"]})

    def _end(self, made: BrokerOrder, state: str) -> None:
        if not made.over:
            made.row["state"] = state
            if state == "Rejected" and made.fate.rejected:
                made.row["rejection"] = dict(made.fate.rejected)

    def _withdraw(self, made: BrokerOrder) -> None:
        """A halt or a park took it back, and the journal says so."""
        self._end(made, "Cancelled")
        self.ctx.withdrawn[made.row["order_id"]] = {"by": "halt", "filled": made.row["cum_qty"]}

    def _CancelOrder(self, args: Mapping[str, Any]) -> Any:
        made = self._found(args["live_order_id"])
        if made.row["state"] == "Filled":
            raise StepError("hub_refused", "it is filled", {"status": "BadRequest"})
        made.cancel_asked = True
        if made.fate.race:
            self.at(0.2, lambda: self._fill(made, made.fate.race))
        if made.fate.cancel_s is not None:
            self.at(made.fate.cancel_s, lambda: self._end(made, "Cancelled"))
        return {"order_id": args["live_order_id"]}

    def _found(self, order_id: int) -> BrokerOrder:
        return next(one for one in self.orders if one.row["order_id"] == order_id)

    # --- the hub's reads -------------------------------------------------------------------------------------------

    def _GetOrder(self, args: Mapping[str, Any]) -> Any:
        made = self._found(args["live_order_id"])
        if self.now < made.sent + timedelta(seconds=made.fate.hidden_s):
            raise StepError("hub_refused", "no such order", {"status": "NotFound"})
        return {"order": made.row}

    def _ListOrders(self, args: Mapping[str, Any]) -> Any:
        plan = args.get("exec_plan_id")
        return answers.listed(
            "orders", *(one.row for one in self.orders if plan in (None, one.row["exec_plan_id"]))
        )

    def _GetAccount(self, _: Mapping[str, Any]) -> Any:
        return answers.account(broker_account_id=ACCOUNT, is_paper_account=False, broker_type="IBKR")

    def _ListAgents(self, _: Mapping[str, Any]) -> Any:
        heard = self.now - timedelta(milliseconds=self._age())
        return answers.agents(answers.agent() | {"last_snapshot_at": heard})

    def _GetUnderlyingSnapshot(self, _: Mapping[str, Any]) -> Any:
        return answers.underlying(at=self.now)

    def _age(self) -> int:
        low, high = (NOW + timedelta(seconds=one) for one in self.stale)
        return 60_000 if low <= self.now < high else 200

    def _block(self, name: str) -> Any:
        return answers.prices(*self.quotes[name], at=self.now, age_ms=self._age())

    def _GetContractSnapshot(self, args: Mapping[str, Any]) -> Any:
        wanted = args["contract"]
        for plan in self.plans.values():
            for name, leg in plan["legs"].items():
                same = (leg["strike"], leg["option_type"].capitalize(), leg["expiration"])
                if same == (wanted["strike"], wanted["option_type"], wanted["expiration"].date()):
                    return {"prices": self._block(name)}
        raise AssertionError(f"nobody quotes {wanted}")

    def _GetLegsSnapshot(self, args: Mapping[str, Any]) -> Any:
        names = {str(leg_id(name)): name for name in self.quotes}
        return {"leg_prices": {str(one): self._block(names[str(one)]) for one in args["leg_ids"]}}

    def _legs(self, *, closed: bool = False) -> list[dict[str, Any]]:
        position = next(iter(self.positions), 7)
        rows = []
        for name, quantity in self.held.items():
            leg = next(plan["legs"][name] for plan in self.plans.values() if name in plan["legs"])
            row = answers.leg(
                leg_id(name), name, quantity, position=position, strike=leg["strike"],
                option_type=leg["option_type"].capitalize(), days=(leg["expiration"] - NOW.date()).days,
            )  # fmt: skip
            if quantity or closed:
                rows.append(row | ({"closed_at": self.now} if not quantity else {}))
        return rows

    def _ListLegs(self, args: Mapping[str, Any]) -> Any:
        rows = self._legs()
        if self.legs_lie and "live_position_id" in args:
            rows = rows[1:]
        return answers.listed("legs", *rows)

    def _ListPositions(self, args: Mapping[str, Any]) -> Any:
        found = [key for key, one in self.positions.items() if one["plan"] == args["live_exec_plan_id"]]
        return answers.listed("positions", *(answers.position(one) for one in found))

    def _ListExecutions(self, args: Mapping[str, Any]) -> Any:
        rows = [dict(row) for row in self.executions if row["plan"] == args["exec_plan_id"]]
        return answers.listed("executions", *rows)

    def _GetPosition(self, args: Mapping[str, Any]) -> Any:
        state = "Open" if any(self.held.values()) else "Closed"
        row = answers.position(args["position_id"], state=state, broker_account_id=ACCOUNT)
        return {"position": row, "legs": self._legs(closed=True)}

    # --- preparing an exit -----------------------------------------------------------------------------------------

    def _StartPreparePositionExit(self, args: Mapping[str, Any]) -> Any:
        return {"job_id": f"job-{len(self.plans)}"}

    def _GetPreparePositionExitStatus(self, args: Mapping[str, Any]) -> Any:
        rows = {row["name"]: row for row in self._legs()}
        closing = {name: D(-row["qty"]) for name, row in rows.items()}
        plan_id = 9100 + len(self.plans)
        groups = self._groups_of(rows)
        template = answers.exit_plan()
        wire = {
            **template, "exec_plan_id": plan_id, "broker_account_id": ACCOUNT, "position_id": next(iter(self.positions), 7),
            "position_legs": rows, "leg_groups": {str(one): names for one, names in groups.items()},
            "leg_group_qtys": {str(one): {"leg_qtys": {name: closing[name] for name in names}} for one, names in groups.items()},
            "leg_prices": {name: self._block(name) for name in rows}, "leg_greeks": {},
            "underlying_price": answers.prices("5999.80", "6000.40", at=self.now),
        }  # fmt: skip
        legs = {name: leg_of(name, row, closing[name]) for name, row in rows.items()}
        self.plans[plan_id] = _plan(plan_id, "exit", legs, groups, self.quotes, position=wire["position_id"])
        return answers.job(wire)

    def _groups_of(self, rows: Mapping[str, Any]) -> dict[int, list[str]]:
        """Leg groups stay those of the first plan that knows the legs."""
        for plan in self.plans.values():
            groups = {one["id"]: [name for name in one["ratio"] if name in rows] for one in plan["groups"]}
            if sum(map(len, groups.values())) == len(rows):
                return {one: names for one, names in groups.items() if names}
        raise AssertionError("no plan knows these legs")


def _through_codec(outcome: Outcome) -> Outcome:
    """No value reaches a generator that has not been through the journal's codec."""
    return read_outcome({"outcome": decode(encode(outcome_value(outcome)))})


def _root(body: Any) -> Any:
    return (yield Enter("", body))


def _renamed(effect: Effect, path: str) -> Any:
    """The effect under its path, as a forecast names it."""
    return replace(effect, name=path)


# --- plans -------------------------------------------------------------------------------------------------------------


def leg_id(name: str) -> int:
    """A leg's id at the hub."""
    return 11 + sum(map(ord, name)) % 900


def leg_of(name: str, row: Mapping[str, Any], quantity: Decimal) -> dict[str, Any]:
    live = row["live_contract"]
    return a_leg(
        name,
        int(quantity),
        int(live["strike"]),
        live["option_type"].lower(),
        live["expiration"].date(),
        opened=True,
    )


def a_leg(
    name: str,
    quantity: int,
    strike: int,
    option_type: str,
    expiration: date,
    *,
    group: int = 1,
    opened: bool = False,
) -> dict[str, Any]:
    """One leg of an ExecPlan."""
    market = {"bid": D(1), "ask": D(2), "mid": D("1.5"), "mark": None, "last": None, "age": D(0)}
    greeks = dict.fromkeys(("delta", "gamma", "theta", "vega", "wvega", "rho"))
    return {
        "name": name, "leg_id": leg_id(name) if opened else None, "option_type": option_type, "root": "SPXW",
        "expiration": expiration, "dte": (expiration - NOW.date()).days, "strike": D(strike), "quantity": D(quantity),
        "group": group, "quote": market, "greeks": greeks, "iv": None,
    }  # fmt: skip


def _plan(
    plan_id: int,
    kind: str,
    legs: Mapping[str, Mapping[str, Any]],
    groups: Mapping[int, list[str]],
    quotes: Mapping[str, tuple[str, str]],
    *,
    position: int | None = None,
    lots: int = 1,
) -> dict[str, Any]:
    """An ExecPlan as a playbook hands it on."""

    def price(signed: Decimal) -> dict[str, Decimal]:
        return {"debit": signed, "credit": D(0) - signed}

    shown = []
    for group, names in groups.items():
        ratio = ratio_of({name: legs[name]["quantity"] for name in names})
        near = sum((n * D(quotes[name][0 if n > 0 else 1]) for name, n in ratio.legs.items()), D(0))
        natural = sum((n * D(quotes[name][1 if n > 0 else 0]) for name, n in ratio.legs.items()), D(0))
        mid = (near + natural) / 2
        quote = {
            "near": price(near), "mid": price(mid), "natural": price(natural), "width": natural - near, "age": D(0),
        }  # fmt: skip
        side = "debit" if mid > 0 else "credit" if mid < 0 else "even"
        shown.append(
            {"id": group, "legs": list(names), "ratio": dict(ratio.legs), "packages": ratio.packages, "side": side, "quote": quote}
        )  # fmt: skip
    whole = shown[0]["quote"]
    return {
        "exec_plan_id": plan_id, "kind": kind, "position_id": position, "position_name": "campaign", "strategy_id": 201,
        "strategy_name": "campaign", "broker_account_id": ACCOUNT, "lots": D(lots), "legs": dict(legs), "groups": shown,
        "quote": whole, "greeks": dict.fromkeys(("delta", "gamma", "theta", "vega", "wvega", "rho")), "premium": D(100),
        "max_loss": None, "underlying": {"symbol": "SPX", "mark": D("6000.10"), "age": D(0)}, "vars": {},
        "conditions": [], "prepared_at": NOW,
    }  # fmt: skip


def make_plan(
    kind: str,
    legs: Mapping[str, tuple[int, int, str, int]],
    quotes: Mapping[str, tuple[str, str]],
    *,
    groups: Mapping[int, list[str]] | None = None,
    lots: int = 1,
    plan_id: int = 9001,
) -> dict[str, Any]:
    """A plan from (quantity, strike, type, days) by leg; one group unless said otherwise."""
    groups = groups or {1: list(legs)}
    owner = {name: group for group, names in groups.items() for name in names}
    made = {
        name: a_leg(
            name, quantity, strike, option_type, NOW.date() + timedelta(days=days), group=owner[name], opened=kind == "exit"
        )
        for name, (quantity, strike, option_type, days) in legs.items()
    }  # fmt: skip
    position = None if kind == "entry" else 7
    return _plan(plan_id, kind, made, groups, quotes, position=position, lots=lots)
