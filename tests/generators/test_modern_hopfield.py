"""The modern Hopfield network: gray images, one step of recall, blends where beta is small."""

from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.rng import Rng
from sandbox.generators.modern_hopfield import ModernHopfield, ModernHopfieldConfig
from sandbox.interfaces.capabilities import HasAssociativeMemory, HasReconstruction
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec

SPEC = Spec((3, 6, 6))


def make(**options: Any) -> ModernHopfield:
    return ModernHopfieldConfig.model_validate({"patterns": 50, **options}).make(SPEC, Rng(0), choose("cpu"), NO_RUNS)


def batch(count: int = 50, seed: int = 0) -> torch.Tensor:
    return torch.randint(256, (count, *SPEC.shape), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def test_gray_images_are_recalled_in_one_step() -> None:
    """With half of the pixels made gray, the remaining ones are nearest to the right pattern, which is restored."""
    network = make(beta=4.0)
    network.update(batch())
    torch.testing.assert_close(network.stored_patterns(), batch().float() / 255)
    damaged = batch()
    damaged[:, :, 3:] = 128
    torch.testing.assert_close(network.recall(damaged), batch().float() / 255, atol=1e-3, rtol=0)


def test_epochs_store_nothing_twice() -> None:
    network = make()
    rows = [network.update(images) for images in (batch(20), batch(20), batch(60), batch(60, seed=1))]
    assert [float(row["stored"]) for row in rows] == [20, 20, 50, 50]
    assert float(rows[1]["recall_error"]) < 1e-6
    assert float(rows[3]["recall_error"]) > 0.01


def test_room_that_is_empty_is_no_memory() -> None:
    """The `recall_error` is that of `recall`; with this small beta, empty places would weigh as much as patterns."""
    network = make(beta=0.01)
    metrics = network.update(batch(20))
    error = (network.recall(batch(20)) - batch(20) / 255).square().mean()
    torch.testing.assert_close(metrics["recall_error"], error)


def test_a_small_beta_blends_all_memories() -> None:
    network = make(beta=1e-6)
    network.update(batch())
    mean = (batch().float() / 255).mean(0)
    torch.testing.assert_close(network.recall(batch(2)), mean.expand(2, *SPEC.shape), atol=1e-3, rtol=0)


def test_the_energy_falls_on_the_way_and_the_last_state_is_the_recalled_one() -> None:
    network = make(beta=0.1, recall_steps=6)
    network.update(batch())
    states = list(network.recall_steps(batch(5, seed=2)))
    assert len(states) == 7
    torch.testing.assert_close(states[0], batch(5, seed=2).float() / 255)
    levels = torch.stack([network.energy(state) for state in states])
    assert (levels.diff(dim=0) <= 1e-4).all()
    assert (levels[0] > levels[-1]).all()
    assert torch.equal(network.recall(batch(5, seed=2)), states[-1])


@pytest.mark.parametrize("updates", [0, 1])
def test_samples(updates: int) -> None:
    """Samples are stored patterns, or gray before the first update."""
    network = make(beta=10.0)
    for _ in range(updates):
        network.update(batch())
    samples = network.sample(9)
    assert samples.shape == (9, *SPEC.shape)
    known = batch().float() / 255 if updates else torch.full((1, *SPEC.shape), 0.5)
    assert torch.cdist(samples.flatten(1), known.flatten(1)).amin(1).median() < 0.01


def test_what_can_be_asked() -> None:
    assert isinstance(make(), HasReconstruction)
    assert isinstance(make(), HasAssociativeMemory)
