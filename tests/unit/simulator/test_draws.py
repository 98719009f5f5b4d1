import math

import pytest

from mesoflow.simulator.draws import hexes, log_normal, normal, uniform, uuid, whole


def test_a_draw_is_a_function_of_seed_and_name() -> None:
    assert uniform(7, "prepare", "key-1") == uniform(7, "prepare", "key-1")
    names = [(7, "a"), (8, "a"), (7, "b"), (7, "a", 1), (7, "a", "1", ""), (7, "a1")]
    assert len({uniform(seed, *name) for seed, *name in names}) == len(names)


def test_parts_of_a_name_do_not_run_together() -> None:
    assert uniform(7, "ab", "c") != uniform(7, "a", "bc")


def test_what_was_drawn_once_is_drawn_for_ever() -> None:
    """Worlds that exist depend on these figures."""
    assert hexes(7, "world", digits=16) == "9eb4b1fecbf625da"
    assert uuid(7, "event", 1) == "65e7f2d6-01f0-8190-a5dc-76c67e33c238"


def test_figures_have_their_distributions() -> None:
    uniforms = [uniform(7, "u", n) for n in range(4000)]
    normals = [normal(7, "n", n) for n in range(4000)]
    assert min(uniforms) >= 0 and max(uniforms) < 1
    assert sum(uniforms) / 4000 == pytest.approx(0.5, abs=0.02)
    assert sum(normals) / 4000 == pytest.approx(0, abs=0.05)
    assert sum(x * x for x in normals) / 4000 == pytest.approx(1, abs=0.08)
    logs = sorted(log_normal(7, "l", n, median=1.2, sigma=0.4) for n in range(4001))
    assert logs[2000] == pytest.approx(1.2, abs=0.05)
    assert {whole(7, "w", n, below=5) for n in range(200)} == set(range(5))
    assert all(map(math.isfinite, normals))
