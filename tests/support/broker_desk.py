"""A simulated world with orders at its brokers, under the hand of a test: send, wait, look, and what was told."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from mesoflow.simulator.faults import Faults, Mishap, MishapKind
from mesoflow.simulator.simulator import Simulator
from mesoflow.simulator.world.world import Profile
from tests.support.worlds import Desk, HandClock, Listener

_TEMPLATE = Path(__file__).parents[2] / "mesoflow/data/strategies/102.json"
# Name, quantity, right, distance from the money in points, group.
LegOf = tuple[str, int, str, int, int]
CONDOR: tuple[LegOf, ...] = (
    ("short_put", -1, "Put", -100, 1),
    ("long_put", 1, "Put", -150, 1),
    ("short_call", -1, "Call", 100, 1),
    ("long_call", 1, "Call", 150, 1),
)
THREE: tuple[LegOf, ...] = CONDOR[:3]
FLY: tuple[LegOf, ...] = (("upper", 1, "Put", 50, 1), ("body", -2, "Put", 0, 1), ("lower", 1, "Put", -50, 1))
SHORT_PUT: tuple[LegOf, ...] = (("short_put", -1, "Put", -100, 1),)
STRANGLE: tuple[LegOf, ...] = (("short_put", -1, "Put", -200, 1), ("short_call", -1, "Call", 200, 2))
MARKED: tuple[LegOf, ...] = (*SHORT_PUT, ("marker", 0, "Put", -150, 2))


def mishap(what: MishapKind, seconds: float | None = 2.0, **more: Any) -> Mishap:
    return Mishap(what, after=None if seconds is None else timedelta(seconds=seconds), **more)


def definition(legs: tuple[LegOf, ...], dte: int, lots: int) -> dict[str, Any]:
    found: dict[str, Any] = copy.deepcopy(json.loads(_TEMPLATE.read_text()))
    expiration = found["Structure"]["Expirations"][0]
    expiration |= {"DTE": str(dte), "Min": str(max(0, dte - 3)), "Max": str(dte + 3)}
    found["Structure"]["Legs"] = [
        {
            "Name": name,
            "Qty": str(qty),
            "OptionType": right,
            "ExpirationName": expiration["Name"],
            "LegGroupId": str(group),
            "StrikeSelector": {"StrikePrice": f"underlying_price + ({away})"},
        }
        for name, qty, right, away, group in legs
    ]
    found["Entry"] |= {"VarDefines": {}, "QtyMultiplier": str(lots)}
    return found


class BrokerDesk(Desk):
    """A desk whose plans are for broker accounts."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int | None = None,
        faults: Faults | None = None,
        profile: Profile | None = None,
        account: str = "IB-1",
    ) -> None:
        self.folder, self.faults, self.account = folder, faults or Faults(), account
        self.simulator = Simulator.open(folder, HandClock, seed=seed, profile=profile, faults=self.faults)
        self.caller = Listener()
        self._made = 0

    # --- plans -----------------------------------------------------------------------------------------------------

    def plan(self, legs: tuple[LegOf, ...] = CONDOR, *, dte: int = 30, lots: int = 1, **more: Any) -> Any:
        """A prepared entry of legs of our own."""
        self._made += 1
        strategy = self.ok(
            "CreateStrategy",
            name=f"own {self._made}",
            strategy_definition=definition(legs, dte, lots),
            clone_strategy_id=None,
        )["StrategyId"]
        return self.prepare_entry(f"prep-{self._made}", strategy, self.account, **more)

    @staticmethod
    def price(plan: Any, way: str = "0.5", group: int = 1) -> Decimal:
        """What a package costs at `way` from near (0) to natural (1) in a plan's quotes, on the package's tick."""
        legs = list(plan["LegGroups"][str(group)])
        traded = plan.get("SelectedLegs")
        sign = 1 if traded is not None else -1
        held = traded if traded is not None else plan["PositionLegs"]
        qtys = {name: sign * held[name]["Qty"] for name in legs}
        least = min(abs(qty) for qty in qtys.values() if qty)
        near = natural = Decimal(0)
        for name, qty in qtys.items():
            bid, ask = (plan["LegPrices"][name][side] for side in ("Bid", "Ask"))
            near += qty * (bid if qty > 0 else ask) / least
            natural += qty * (ask if qty > 0 else bid) / least
        exact = near + (natural - near) * Decimal(way)
        return (exact / Decimal("0.05")).to_integral_value() * Decimal("0.05")

    # --- orders ----------------------------------------------------------------------------------------------------

    def args(self, plan: Any, limit: object = None, key: str = "order-1", **more: Any) -> dict[str, Any]:
        order = {
            "order_type": more.pop("order_type", "Limit"),
            "time_in_force": more.pop("time_in_force", "DAY"),
            "limit_price": limit,
            "stop_price": more.pop("stop_price", None),
            "leg_names": more.pop("leg_names", None),
        }
        return {
            "idempotency_key": key,
            "replaces_order": None,
            "broker_account_id": self.account,
            "exec_plan_id": plan["ExecPlanId"],
            "qty_multiplier": None,
            "leg_group_id": 1,
            "leg_group_order": order,
        } | more

    def send(self, plan: Any, limit: object = None, key: str = "order-1", **more: Any) -> int:
        id: int = self.ok("SendOrder", **self.args(plan, limit, key, **more))["LiveOrderId"]
        return id

    def cancel(self, order: int, key: str = "cancel-1") -> None:
        self.ok("CancelOrder", idempotency_key=key, live_order_id=order)

    def order(self, id: int) -> Any:
        return self.ok("GetOrder", live_order_id=id)["Order"]

    def state(self, id: int) -> str:
        state: str = self.order(id)["State"]
        return state

    def until(self, holds: Callable[[], bool], within: float = 60, every: float = 0.1) -> None:
        """Wait until something holds, looking now and then."""
        end = self.now + timedelta(seconds=within)
        while not holds():
            assert self.now < end, f"it does not come to that within {within} s"
            self.wait(every)

    def ended(self, id: int, within: float = 60) -> Any:
        """The order once it is over."""
        ends = ("Filled", "Cancelled", "Rejected", "Expired")
        self.until(lambda: self.state(id) in ends, within)
        return self.order(id)

    # --- what was told ---------------------------------------------------------------------------------------------

    def told(self, id: int) -> list[tuple[str, Decimal, str | None]]:
        """State, cumulative fill and code of a rejection of each event of an order."""
        return [
            (event["State"], event["FilledQty"], (event["Rejection"] or {}).get("Code"))
            for event in self.events("OrderUpdateEvent")
            if event["OrderId"] == id
        ]

    def events(self, kind: str) -> list[Any]:
        found = self.ok("GetEventsSince", event_seq_id=0, limit=500)["Events"]
        return [row["Event"] for row in found if row["EventType"] == kind]

    def legs(self, plan: Any) -> dict[str, Decimal]:
        """Open legs of the plan's position."""
        positions = self.ok("ListPositions", live_exec_plan_id=plan["ExecPlanId"])["Positions"]
        if not positions:
            return {}
        legs = self.ok("ListLegs", live_position_id=positions[0]["Id"])["Legs"]
        return {leg["Name"]: leg["Qty"] for leg in legs if leg["ClosedAt"] is None}

    def position(self, plan: Any) -> Any:
        return self.ok("ListPositions", live_exec_plan_id=plan["ExecPlanId"])["Positions"][0]
