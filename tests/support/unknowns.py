"""An order or a cancel whose outcome is unknown, at a hub in memory in some state: what the table of reconcile.py makes of it."""

from datetime import timedelta
from decimal import Decimal as D

from mesoflow.engine.effects import Done, Place, Withdraw
from mesoflow.journal.memory import MemoryJournal
from mesoflow.runtime.bodies import Intent
from mesoflow.runtime.commits import Committer
from mesoflow.runtime.crashpoints import CrashPoints
from mesoflow.runtime.perform import Performer
from mesoflow.runtime.reconcile import Case, settle_unknown
from mesoflow.runtime.setting import HubFacts, Setting
from mesoflow.runtime.views import Views
from tests.support.broker_toys import LEG_RATIO, PLAN, broker_order
from tests.support.memory_hub import MemoryHub, MemoryWorld, Record
from tests.support.rig import RigClock, VirtualLoop
from tests.support.toys import T0

KEY = "mf-key"


class Desk:
    """A hub in some state, and one unknown call that left ten seconds ago."""

    def __init__(self, method="SendOrder", *, kind="entry", age=10):
        self.world = MemoryWorld(now=lambda: self.clock.now())
        self.world.leg_ratio = LEG_RATIO
        self.method, self.kind, self.age = method, kind, age
        self.views = Views()
        self.facts = HubFacts(late_arrival=timedelta(seconds=30), retention=timedelta(minutes=10))
        self.order = broker_order(3, 1, type("Now", (), {"now": T0}), None, kind)

    def at_the_hub(self, order_id, *, filled=0, ours=False, state="Submitted", plan=PLAN):
        """An order that the hub shows; `ours`: another rung of the walk, which the journal explains."""
        shown = {
            "order_id": order_id,
            "exec_plan_id": plan,
            "leg_group_id": 1,
            "state": state,
            "qty": D(3),
            "cum_qty": D(filled),
            "limit_price": D("42.30"),
        }
        self.world.orders[order_id] = shown
        if filled:
            self.world._hold(shown, filled)
        if ours:
            self.views.settled("walk/rung-0/send", self.order, Done({"live_order_id": order_id}))
            self.views.read({"order": shown})
        return self

    def record(self, status, **answer):
        self.world.records[KEY] = Record(self.method, b"{}", status, answer, T0)
        return self

    def verdict(self):
        loop = VirtualLoop()
        self.clock = RigClock(T0 + timedelta(seconds=self.age), loop)
        try:
            return loop.run_until_complete(self._ask())
        finally:
            loop.close()

    async def _ask(self):
        committer = Committer(MemoryJournal(), CrashPoints(), lambda error: None)
        setting = Setting(
            MemoryHub(self.world), self.clock, committer, CrashPoints(), tell=None, facts=self.facts
        )
        effect = (
            Place("send", self.order)
            if self.method == "SendOrder"
            else Withdraw("cancel", "CancelOrder", {"live_order_id": 601})
        )
        intent = Intent("walk/send", self.method, b"{}", KEY, 0, "d", T0)
        case = Case(effect, intent, setting, Performer(setting, self.views), False, self.views.ours())
        return await settle_unknown(case)
