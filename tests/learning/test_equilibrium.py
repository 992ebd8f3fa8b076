"""Adversarial training ends where theory says, on lines whose answers are known."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch

pytestmark = pytest.mark.learning


@pytest.fixture(scope="module")
def equilibrium() -> ModuleType:
    file = Path(__file__).parents[2] / "benchmarks" / "equilibrium.py"
    spec = importlib.util.spec_from_file_location("equilibrium", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_exact_distances(equilibrium: ModuleType) -> None:
    """A shift costs its length; a uniform split its half: E |x| of both halves, exactly where nothing overlaps."""
    assert equilibrium.exact_w1([(0.3, 0.05)], [(0.6, 0.05)]) == pytest.approx(0.3, abs=1e-4)
    assert equilibrium.exact_w1([(0.2, 0.001), (0.8, 0.001)], [(0.5, 0.001)]) == pytest.approx(0.3, abs=2e-3)


def test_the_discriminator_cannot_tell_what_the_generator_can_represent(equilibrium: ModuleType) -> None:
    found = equilibrium.train_gan(seed=0, updates=1_500)
    assert found["js"] <= 0.01
    for name in ("d_real", "d_fake", "best_on_real", "best_on_fake"):
        assert found[name] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("kind", "pair"), [("wgan", "shifted"), ("wgan_gp", "shifted"), ("wgan_gp", "split")])
def test_a_critic_estimates_the_distance(equilibrium: ModuleType, kind: str, pair: str) -> None:
    """In units of its steepest gradient, within a tenth."""
    torch.set_num_threads(1)
    found = equilibrium.train_critic(kind, equilibrium.PAIRS[pair], seed=0, updates=1_000)
    assert found["normalized"] == pytest.approx(found["exact"], rel=0.1)
