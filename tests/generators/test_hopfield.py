"""The Hopfield network: it stores each pattern once, recalls it, and its energy never rises."""

from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.hopfield import Hopfield, HopfieldConfig
from sandbox.interfaces.capabilities import HasAssociativeMemory, HasReconstruction
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops import hopfield

SPEC = Spec((1, 10, 10))


def make(**options: Any) -> Hopfield:
    return HopfieldConfig.model_validate({"patterns": 6, **options}).make(SPEC, Rng(0), choose("cpu"), NO_RUNS)


def batch(count: int = 6, seed: int = 0, white: float = 0.5) -> torch.Tensor:
    draws = torch.rand(count, *SPEC.shape, generator=torch.Generator().manual_seed(seed))
    return (draws < white).to(torch.uint8) * 255


def damaged(images: torch.Tensor, share: float) -> torch.Tensor:
    flip = torch.rand(images.shape, generator=torch.Generator().manual_seed(9)) < share
    return torch.where(flip, 255 - images, images)


def test_epochs_store_nothing_twice() -> None:
    """A second epoch changes neither patterns nor weights; nor does any image once the store is full."""
    network = make()
    stored = [float(network.update(images)["stored"]) for images in (batch(4), batch(4), batch(6), batch(6, seed=1))]
    assert stored == [4, 4, 6, 6]
    assert torch.equal(network.stored_patterns(), batch(6).float() / 255)
    signs = (batch(6).flatten(1).double() / 255) * 2 - 1
    expected = signs.T @ signs / 100
    torch.testing.assert_close(network.weight(), expected - expected.diagonal().diag())


def test_metrics_by_hand() -> None:
    network = make()
    metrics = network.update(batch(3))
    assert {name: round(float(value), 6) for name, value in metrics.items()} == {
        "stored": 3.0,
        "load": 0.03,
        "overlap": 1.0,
    }


@pytest.mark.parametrize("storage", ["hebbian", "projection"])
def test_recalls_what_was_damaged(storage: str) -> None:
    network = make(storage={"name": storage})
    network.update(batch())
    assert torch.equal(network.recall(damaged(batch(), 0.2)), batch().float() / 255)
    assert torch.equal(network.reconstruct(damaged(batch(), 0.2)), batch().float() / 255)


def test_patterns_that_are_alike_need_the_projection() -> None:
    """Mostly white images: Hebb's rule merges them, the projection keeps each."""
    wrong = {}
    for storage in ("hebbian", "projection"):
        network = make(patterns=20, storage={"name": storage})
        network.update(batch(20, white=0.85))
        wrong[storage] = float((network.recall(batch(20, white=0.85)) - batch(20, white=0.85) / 255).abs().mean())
    assert wrong["hebbian"] > 0.05
    assert wrong["projection"] == 0


@pytest.mark.parametrize("storage", ["hebbian", "projection"])
def test_the_weights_and_the_energy_on_the_way(storage: str) -> None:
    """With more patterns than the capacity: symmetric weights, and an energy that never rises from random images."""
    network = make(patterns=40, storage={"name": storage})
    network.update(batch(40))
    weight = network.weight()
    assert torch.equal(weight, weight.T)
    assert not weight.diagonal().any()
    levels = torch.stack([network.energy(outputs) for outputs in network.recall_steps(batch(8, seed=3))])
    assert len(levels) > 10
    assert (levels.diff(dim=0) <= 1e-12).all()
    last = list(network.recall_steps(batch(8, seed=3)))[-1]
    assert torch.equal(network.recall(last), last)
    signs = 2 * batch(8, seed=3).flatten(1).double() / 255 - 1
    torch.testing.assert_close(levels[0], hopfield.energy(weight, signs))


def test_samples_are_at_rest() -> None:
    network = make()
    network.update(batch())
    samples = network.sample(30)
    assert samples.shape == (30, *SPEC.shape)
    assert set(samples.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(network.recall(samples), samples)


def test_before_the_first_update_everything_is_at_rest() -> None:
    assert torch.equal(make().recall(batch()), batch().float() / 255)
    assert make().stored_patterns().shape == (0, *SPEC.shape)


def test_what_can_be_asked() -> None:
    assert isinstance(make(), HasReconstruction)
    assert isinstance(make(), HasAssociativeMemory)


def test_gray_images_are_refused() -> None:
    gray = batch()
    gray[3, 0, 1, 1] = 100
    with pytest.raises(UserError) as refused:
        make().update(gray)
    assert str(refused.value) == (
        "generator.name=hopfield has binary units, but these images are gray. Add data.binarize=threshold "
        "(black and white) or data.binarize=sample (each gray value is a probability), or take "
        "generator.name=modern_hopfield, which has continuous ones."
    )


@pytest.mark.parametrize("count", [30, 60, 90])
def test_the_projection_recalls_all_that_it_stores(count: int) -> None:
    """Also near the number of units, with units that all patterns share, whose fields are nothing but rounding."""
    draws = torch.rand(count, 1, 10, 10, generator=torch.Generator().manual_seed(3))
    draws[..., :2] = 0
    draws[..., 3] = draws[..., 4]
    images = (draws > 0.5).to(torch.uint8) * 255
    network = make(patterns=count, storage={"name": "projection"})
    network.update(images)
    assert torch.equal(network.recall(images), images.float() / 255)
