"""What seeds draw: the same for the same seed, every kind of fault, story and interruption in a few hundred of them."""

from mesoflow.rehearsal.drawing import Draw
from mesoflow.rehearsal.soak import Scene
from mesoflow.rehearsal.storms import KINDS, storm

SEEDS = range(1, 301)


def test_a_seed_is_a_scene() -> None:
    for seed in range(20):
        assert Scene.of(seed).words == Scene.of(seed).words
        assert Scene.of(seed).playbook == Scene.of(seed).playbook
    assert len({Scene.of(seed).words for seed in SEEDS}) == len(SEEDS)


def test_300_seeds_hold_every_fault_story_and_interruption() -> None:
    scenes = [Scene.of(seed) for seed in SEEDS]
    faults = {fault.words.split(" ")[0] for scene in scenes for fault in scene.faults}
    kinds = {kind(Draw(seed)).words.split(" ")[0] for kind in KINDS for seed in range(8)}
    assert faults >= {word for word in kinds if word.islower()}
    assert {scene.interruption.deed for scene in scenes} == {"", "point", "die", "cancel", "park", "halt"}
    assert {scene.profile for scene in scenes} == {"strict", "realistic", "kind"}
    assert {scene.told.split(" ")[0] for scene in scenes} == {"IB-1", "TT-1", "PAPER-1"}
    assert {len(storm(Draw(seed))) for seed in SEEDS} == {0, 1, 2, 3, 4}
