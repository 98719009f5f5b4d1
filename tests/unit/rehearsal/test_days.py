"""What a session's seed draws: a playbook that `check` lets through, and every kind of fault, spread over the day."""

from datetime import timedelta

from mesoflow.playbook.check import check_text
from mesoflow.rehearsal.days import DAY, EVERY, day, troubles
from mesoflow.rehearsal.drawing import Draw
from mesoflow.rehearsal.storms import DAY_KINDS
from mesoflow.simulator.world.world import BEGINNING

DRAWS = [Draw(seed, ("day",)) for seed in range(40)]


def test_whatever_is_drawn_is_a_playbook() -> None:
    texts = {day(draw)[0] for draw in DRAWS}
    assert len(texts) == len(DRAWS)
    for text in texts:
        checked = check_text(text, "seeded.yaml")
        assert checked.ok, [str(finding) for finding in checked.findings]


def test_a_seed_is_a_day() -> None:
    for draw in DRAWS[:5]:
        assert day(draw) == day(draw)
        assert [(t.at, t.fault.words) for t in troubles(draw)] == [
            (t.at, t.fault.words) for t in troubles(draw)
        ]


def test_every_kind_of_fault_comes_each_day_and_one_every_five_minutes() -> None:
    for draw in DRAWS:
        found = troubles(draw)
        assert [trouble.at - BEGINNING for trouble in found] == [n * EVERY for n in range(DAY // EVERY)]
        assert found[-1].at == BEGINNING + DAY - timedelta(minutes=5)
        kinds = {" ".join(trouble.fault.words.split(" ")[:2]) for trouble in found}
        assert {"quotes nan", "quotes stale", "callbacks lost", "callbacks twice,", "hub away"} <= kinds
        assert len(found[: len(DAY_KINDS)]) == len(DAY_KINDS) <= len(found)
