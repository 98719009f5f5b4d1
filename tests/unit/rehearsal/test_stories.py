"""Every playbook that a seed can draw is one that `check` lets through."""

from mesoflow.playbook.check import check_text
from mesoflow.rehearsal.drawing import Draw
from mesoflow.rehearsal.stories import story


def test_whatever_is_drawn_is_a_playbook() -> None:
    drawn = {story(Draw(seed))[0] for seed in range(300)}
    assert len(drawn) > 100
    for text in drawn:
        checked = check_text(text, "seeded.yaml")
        assert checked.ok, [str(finding) for finding in checked.findings]
        assert not any(word in text for word in ("MORE", "STRATEGY", "LOTS", "START", "EVERY", "WITHIN"))
