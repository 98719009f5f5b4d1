"""The row of CreateStrategy (EXECUTION.md §4): which of the strategies that are there now is the one that we asked for."""

import asyncio
from datetime import timedelta

from mesoflow.actions.definitions import definition_digest
from mesoflow.engine.effects import Call, Done
from mesoflow.journal.memory import MemoryJournal
from mesoflow.runtime.bodies import Intent
from mesoflow.runtime.commits import Committer
from mesoflow.runtime.crashpoints import CrashPoints
from mesoflow.runtime.perform import Performer
from mesoflow.runtime.reconcile import Case, Human, Resend, Settle, settle_unknown
from mesoflow.runtime.setting import HubFacts, Setting
from mesoflow.runtime.views import Views
from tests.support.memory_hub import MemoryHub, MemoryWorld
from tests.support.rig import RigClock, VirtualLoop
from tests.support.toys import DEFINITION, T0

DIGEST = definition_digest(DEFINITION)
OTHER = {**DEFINITION, "Structure": {"Legs": ["short_call"]}}
LATE = timedelta(seconds=30)


class Library:
    """A hub with strategies, and a CreateStrategy of `campaign`, cloned from `template`, that left ten seconds ago."""

    def __init__(self, digest=DIGEST):
        self.world = MemoryWorld(now=lambda: self.clock.now())
        self.digest = digest
        self.late = None

    def holds(self, strategy_id, name, definition=DEFINITION):
        self.world.strategies.append({"id": strategy_id, "name": name, "strategy_definition": definition})
        return self

    def gets_later(self, seconds, strategy_id, name):
        """The request was still on its way."""
        self.late = (seconds, strategy_id, name)
        return self

    def verdict(self):
        loop = VirtualLoop()
        self.clock = RigClock(T0 + timedelta(seconds=10), loop)
        try:
            return loop.run_until_complete(self._ask())
        finally:
            loop.close()

    @property
    def waited(self):
        """How long after the sending it was decided."""
        return self.clock.now() - T0

    async def _ask(self):
        if self.late is not None:
            seconds, *strategy = self.late
            asyncio.get_running_loop().call_later(seconds, lambda: self.holds(*strategy))
        committer = Committer(MemoryJournal(), CrashPoints(), lambda error: None)
        setting = Setting(
            MemoryHub(self.world),
            self.clock,
            committer,
            CrashPoints(),
            tell=None,
            facts=HubFacts(late_arrival=LATE, retention=timedelta(minutes=10)),
        )
        hints = {"ids_before": [101, 150], "names": ["campaign", "template"], "digest": self.digest}
        effect = Call("create", "CreateStrategy", {"name": "campaign"}, hints)
        intent = Intent("strategy/create", "CreateStrategy", b"{}", "", 0, "d", T0)
        return await settle_unknown(Case(effect, intent, setting, Performer(setting, Views())))


def before():
    """What the journalled read had listed, the template among it."""
    return Library().holds(101, "template").holds(150, "campaign")


def ours(strategy_id):
    return Settle(Done({"strategy_id": strategy_id}), {"new_strategy": strategy_id})


def test_a_new_one_with_the_asked_for_name_and_the_definition_is_ours():
    library = before().holds(201, "campaign")
    assert library.verdict() == ours(201)
    assert library.waited < LATE


def test_a_new_one_with_the_templates_name_and_the_definition_is_ours():
    assert before().holds(201, "template").verdict() == ours(201)


def test_how_a_definition_is_called_and_its_numbers_are_written_do_not_count():
    renamed = {"Symbol": "SPX", "StrategyName": "campaign", "Structure": {"Legs": ["short_put", "long_put"]}}
    assert before().holds(201, "campaign", renamed).verdict() == ours(201)


def test_one_that_was_there_before_is_not_ours():
    library = before()
    assert isinstance(library.verdict(), Resend)
    assert library.waited >= LATE, "late arrivals were waited for"


def test_a_new_one_of_another_name_is_not_ours():
    assert isinstance(before().holds(201, "somebody else's").verdict(), Resend)


def test_a_new_one_of_the_name_with_another_definition_is_somebody_elses():
    library = before().holds(201, "campaign", OTHER)
    assert isinstance(library.verdict(), Resend)
    assert library.waited >= LATE


def test_of_two_of_the_name_the_one_with_the_definition_is_ours():
    assert before().holds(201, "campaign", OTHER).holds(202, "campaign").verdict() == ours(202)


def test_one_that_arrives_late_is_ours():
    assert before().gets_later(15, 201, "campaign").verdict() == ours(201)


def test_two_that_could_be_ours_need_a_person():
    verdict = before().holds(201, "campaign").holds(202, "template").verdict()
    assert verdict == Human("several new strategies could be ours", {"strategies": [201, 202]})


def test_a_definition_that_is_not_told_needs_a_person():
    verdict = before().holds(201, "campaign", None).verdict()
    told = "a new strategy could be ours, and the hub does not tell its definition"
    assert verdict == Human(told, {"strategies": [201]})


def test_where_the_templates_definition_was_not_told_a_new_one_needs_a_person():
    verdict = Library(digest=None).holds(201, "campaign").verdict()
    assert isinstance(verdict, Human)
    assert isinstance(Library(digest=None).verdict(), Resend)
