"""A state machine of broker against engine: whatever happens to an order, in whatever order, the invariants hold.

The engine is the real one: `orders.work`, the runtime, the rails (tests/support/model_broker.py). At every step the broker's
own count at the call is asked (I1, I2, I3, I6), and the checkers judge what journal and broker hold. In the end nothing is
lost any more, and the run must come to its end or call a person (I5, I12, I13, I15, I17).

    python -m pytest tests/unit/rehearsal/test_broker_machine.py --hypothesis-seed=7     other histories
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mesoflow.engine.control import Ended
from mesoflow.runtime.run import Parked
from tests.support.model_broker import LOTS, Play

# What must hold while orders are under way, and what must hold besides once all is quiet.
ALWAYS = ("I1", "I2", "I3", "I4", "I6", "I8", "I10", "I14")
METHODS = st.sampled_from(("SendOrder", "CancelOrder", "GetOrder", "GetLegsSnapshot", "GetIdempotencyRecord"))
TRADES = st.sampled_from(("SendOrder", "CancelOrder"))
PACKAGES = st.integers(1, LOTS)


class BrokerAgainstEngine(RuleBasedStateMachine):
    """Each rule is something that happens to an order, to the wire, or to the process."""

    def __init__(self) -> None:
        super().__init__()
        self.play = Play()
        self.broker = self.play.broker
        self.play.live()
        # Blows that end a process, or the run: more of them leave nothing to look at.
        self.blows = 3
        self.calm_fills = 0

    @initialize(seconds=st.sampled_from((0.0, 0.6, 2.0, 2.0, 2.0)), packages=st.integers(0, LOTS))
    def it_begins(self, seconds: float, packages: int) -> None:
        self.play.wait(seconds)
        self.calm_fills = packages

    # --- time and processes ------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from((0.05, 0.2, 0.6, 1.0, 5.0, 16.0, 16.0, 40.0)))
    def time_passes(self, seconds: float) -> None:
        self.play.wait(seconds)

    @precondition(lambda self: self.play.alive and self.blows > 0)
    @rule()
    def the_process_dies(self) -> None:
        self.blows -= 1
        self.play.die()

    @precondition(lambda self: self.play.alive and self.blows > 0)
    @rule(points=st.integers(0, 30))
    def it_will_die_at_a_crash_point(self, points: int) -> None:
        self.blows -= 1
        self.play.points.left = points

    @precondition(lambda self: not self.play.alive and not self.play.over)
    @rule()
    def it_is_resumed(self) -> None:
        self.play.halted = False
        self.play.live()

    @precondition(lambda self: self.play.alive and self.blows == 1)
    @rule()
    def a_person_cancels_the_run(self) -> None:
        self.blows -= 1
        self.play.do(lambda: self.play.run.cancel("operator"))

    @precondition(lambda self: self.play.alive and self.blows > 0)
    @rule()
    def somebody_halts_the_home(self) -> None:
        self.blows -= 1
        self.play.halted = True
        self.play.do(lambda: self.play.run.halt(by_a_person=True))

    @precondition(lambda self: self.play.alive and self.blows > 0)
    @rule(kinds=st.sampled_from((frozenset({"entry"}), frozenset[str]())))
    def the_operator_leaves(self, kinds: frozenset[str]) -> None:
        self.blows -= 1
        self.play.do(lambda: self.play.run.interrupt(Parked("interrupted", "by hand"), kinds))

    # --- the wire ----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.play.alive)
    @rule(method=METHODS)
    def a_request_will_be_lost(self, method: str) -> None:
        self.broker.lose_request.add(method)

    @precondition(lambda self: self.play.alive)
    @rule(method=METHODS)
    def a_reply_will_be_lost(self, method: str) -> None:
        self.broker.lose_reply.add(method)

    @precondition(lambda self: self.play.alive)
    @rule(method=TRADES)
    def a_request_will_arrive_late(self, method: str) -> None:
        self.broker.arrive_late.add(method)

    @precondition(lambda self: self.play.alive)
    @rule(seconds=st.sampled_from((2.0, 9.0, 20.0)))
    def the_hub_tires_and_the_broker_takes_the_order(self, seconds: float) -> None:
        """With a request that arrives late it is there before `late_arrival` (30 s) is over, as the hub's profile promises."""
        self.broker.tires = seconds

    @precondition(lambda self: self.play.alive)
    @rule(seconds=st.sampled_from((3.0, 20.0, 40.0)))
    def the_hub_is_away(self, seconds: float) -> None:
        self.broker.away_until = self.broker.now() + timedelta(seconds=seconds)

    @rule()
    def events_are_lost_or_come_again(self) -> None:
        self.broker.deaf = not self.broker.deaf

    @rule(same_id=st.booleans())
    def an_event_comes_twice(self, same_id: bool) -> None:
        self.play.do(lambda: self.broker.again(same_id=same_id))

    # --- the broker --------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.broker.working)
    @rule(packages=PACKAGES)
    def some_fill(self, packages: int) -> None:
        self.play.do(lambda: self.broker.fill(packages))

    @precondition(lambda self: self.broker.working)
    @rule(packages=st.integers(0, LOTS), takes=st.sampled_from((0.3, 5.0, 30.0)))
    def the_cancel_will_race_a_fill(self, packages: int, takes: float) -> None:
        self.broker.race(packages, takes)

    @precondition(lambda self: self.broker.working)
    @rule(state=st.sampled_from(("Rejected", "Cancelled", "Expired")))
    def the_broker_or_a_person_ends_it(self, state: str) -> None:
        self.play.do(lambda: self.broker.end(state))

    @precondition(lambda self: self.broker.desk.orders and not self.broker.told_late and not self.play.over)
    @rule()
    def a_fill_is_told_after_the_end(self) -> None:
        self.play.do(self.broker.fill_late)

    # --- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_sent_twice_or_too_far(self) -> None:
        assert self.play.problems == []
        assert [str(found) for found in self.play.violations(*ALWAYS)] == []

    def teardown(self) -> None:
        """Then nothing is lost any more."""
        self.play.settle(self.calm_fills)
        assert self.play.problems == []
        assert [str(found) for found in self.play.violations()] == []
        conclusion = self.play.conclusion
        if isinstance(conclusion, Ended):
            assert self.broker.working == []
            if conclusion.state == "done":
                assert conclusion.outputs == {"lots": Decimal(self.broker.filled)}


BrokerAgainstEngine.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    # A history of thirty steps is read in a minute; to shrink one takes five.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestBrokerAgainstEngine = BrokerAgainstEngine.TestCase


def test_a_resend_can_arrive_late_as_well() -> None:
    """A request is lost and sent again; the hub tires, its record says Failed, and nine seconds later the order is there.

    What was waited for since the first sending says nothing of the second (found by `mesoflow soak --first 502`).
    """
    play = Play()
    play.broker.lose_request.add("SendOrder")
    play.broker.tires = 9.0
    play.live()
    play.wait(120)
    assert (play.conclusion.code, len(play.broker.working)) == ("outcome_unknown", 1)
    assert [str(found) for found in play.violations()] == []


def test_so_can_one_whose_process_died() -> None:
    """The time of the second sending stands in the journal."""
    play = Play()
    play.broker.lose_request.add("SendOrder")
    play.broker.tires = 9.0
    play.live()
    while not any(record.kind == "engine" for record in play.records()):
        play.wait(1)
    play.wait(1)
    if play.alive:
        play.die()
    play.live()
    play.wait(120)
    assert (play.conclusion.code, len(play.broker.working)) == ("outcome_unknown", 1)
    assert [str(found) for found in play.violations()] == []
