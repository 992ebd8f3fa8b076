"""The Boltzmann machine: its first batch, one update by hand, its chains, and a likelihood that sums to one."""

import itertools
from typing import Any

import pytest
import torch

from generators.rbm import RBM, RBMConfig
from sandbox.device import choose
from sandbox.errors import UserError
from sandbox.generator import Generator, Likelihood, Reconstructs
from sandbox.learner import Spec
from sandbox.ops import boltzmann
from sandbox.seeding import Rng

SPEC = Spec((1, 2, 3))
EVERY = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6))).view(64, *SPEC.shape)


def make(spec: Spec = SPEC, **options: Any) -> RBM:
    return RBMConfig.model_validate({"hidden_size": 4, "num_chains": 30, **options}).make(spec, Rng(0), choose("cpu"))


def batch(count: int = 8, seed: int = 0) -> torch.Tensor:
    rows = torch.randint(64, (count,), generator=torch.Generator().manual_seed(seed))
    return (EVERY[rows] * 255).to(torch.uint8)


def constant(value: float) -> dict[str, float]:
    return {"start": value, "end": value}


def test_starts_at_the_log_odds_of_the_first_batch() -> None:
    rbm = make(lr=constant(0.0))
    rbm.update(batch())
    expected = torch.logit(((batch() == 255).sum(0) + 1) / 10).flatten()
    torch.testing.assert_close(rbm._state.machine().visible_bias, expected)
    rbm.update(batch(seed=1))
    torch.testing.assert_close(rbm._state.machine().visible_bias, expected)


def test_one_update_by_hand() -> None:
    """Velocity = momentum * velocity + gradient - decay * weight (weights only), parameter += lr * velocity."""
    rbm = make(lr=constant(0.1), momentum=constant(0.5), weight_decay=0.2)
    rbm.update(batch())
    before, speed = ([tensor.clone() for tensor in source()] for source in (rbm._state.machine, rbm._state.velocity))
    rbm.update(batch(seed=1))
    v = (batch(seed=1) == 255).float().flatten(1)
    slopes = list(boltzmann.gradient(boltzmann.Machine(*before), v, rbm._state.chains))
    slopes[0] -= 0.2 * before[0]
    for new, old, velocity, slope in zip(rbm._state.machine(), before, speed, slopes, strict=True):
        torch.testing.assert_close(new, old + 0.1 * (0.5 * velocity + slope))


def test_chains_persist_and_keep_their_number() -> None:
    rbm = make()
    for size in (8, 3, 50):
        before = rbm._state.chains.clone()
        rbm.update(batch(size))
        assert rbm._state.chains.shape == (30, 6)
        assert not torch.equal(rbm._state.chains, before)
    assert "chains" in rbm.parts()["machine"].state_dict()


def test_grey_images_are_refused() -> None:
    grey = batch()
    grey[3, 0, 1, 1] = 100
    with pytest.raises(UserError) as refused:
        make().update(grey)
    assert str(refused.value) == (
        "generator.name=rbm has binary units, but these images are grey. "
        "Add data.binarize=threshold (black and white) or data.binarize=sample (each grey is a probability)."
    )


@pytest.mark.parametrize("hidden_size", [4, 9])
def test_the_exact_likelihood_sums_to_one(hidden_size: int) -> None:
    rbm = make(hidden_size=hidden_size)
    for seed in range(50):
        rbm.update(batch(seed=seed))
    nats = rbm.log_likelihood(EVERY).nats
    assert rbm.log_likelihood(EVERY).kind == "exact"
    assert nats.shape == (64,)
    assert nats.double().logsumexp(0).item() == pytest.approx(0.0, abs=1e-5)
    torch.testing.assert_close(rbm.log_likelihood((EVERY * 255).to(torch.uint8)).nats, nats)


def test_too_large_for_an_exact_likelihood() -> None:
    rbm = make(Spec((1, 8, 8)), hidden_size=21)
    with pytest.raises(UserError, match=r"2\*\*21 states"):
        rbm.log_likelihood(torch.zeros(2, 1, 8, 8))


def test_learns_a_distribution() -> None:
    """Two patterns, half of the time each: the best possible is log 1/2 = -0.69, independent pixels reach -4.16."""
    patterns = torch.tensor([[1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1]], dtype=torch.uint8).view(2, *SPEC.shape) * 255
    rbm = make(lr=constant(0.1))
    for _ in range(600):
        rbm.update(patterns.repeat(10, 1, 1, 1))
    assert rbm.log_likelihood(patterns).nats.mean() > -0.8
    samples = rbm.sample(100).round().flatten(1)
    assert 20 < samples[:, 0].sum() < 80
    assert (samples[:, 0] != samples[:, 1]).float().mean() > 0.9


def test_shapes_and_ranges_and_looking_changes_nothing() -> None:
    rbm, twin = make(), make()
    assert isinstance(rbm, Generator)
    assert isinstance(rbm, Likelihood)
    assert isinstance(rbm, Reconstructs)
    assert rbm.encode(batch(5)).shape == (5, 4)
    for pictures in (rbm.sample(70), rbm.reconstruct(batch(70)), rbm.decode(torch.zeros(70, 4))):
        assert pictures.shape == (70, 1, 2, 3)
        assert 0 <= pictures.min() <= pictures.max() <= 1
    assert {k: float(v) for k, v in rbm.update(batch()).items()} == {
        k: float(v) for k, v in twin.update(batch()).items()
    }
    assert torch.equal(rbm._state.chains, twin._state.chains)
