"""The restricted Boltzmann machine: its first batch, one update by hand, its chains, and its likelihoods."""

import math
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from small_rbm import EVERY, SPEC, batch, constant, layer_of, make, white

from sandbox.core.compute import Compute, choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.rbm import RBM, RBMConfig
from sandbox.interfaces.capabilities import HasClassifier, HasEncoder, HasFilters, HasLikelihood, HasReconstruction
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops import boltzmann
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.units import sample_bernoulli_16_bits


def test_the_weights_are_small_at_first() -> None:
    """40,000 draws from N(0, 0.01^2), which a uniform distribution of that width is not; hidden biases are 0."""
    weight, _, hidden_bias = layer_of(make(Spec((1, 20, 20)), hidden_size=100)).rbm()
    assert float(weight.mean()) == pytest.approx(0.0, abs=3e-4)
    assert float(weight.std()) == pytest.approx(0.01, rel=0.02)
    assert float((weight.abs() < 0.01).float().mean()) == pytest.approx(math.erf(math.sqrt(0.5)), abs=0.01)
    assert not hidden_bias.any()


def test_starts_at_the_log_odds_of_the_first_batch() -> None:
    rbm = make(lr=constant(0.0))
    rbm.update(batch())
    expected = torch.logit(((batch() == 255).sum(0) + 1) / 10).flatten()
    torch.testing.assert_close(layer_of(rbm).rbm().visible_bias, expected)
    rbm.update(batch(seed=1))
    torch.testing.assert_close(layer_of(rbm).rbm().visible_bias, expected)


def negative_phase(rbm: RBM, rng: Rng) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the samples v and h that the next update (of one sweep) will draw."""
    device, state = rng.state_dict()["torch"]["rbm/gibbs"]
    generator = torch.Generator(device).set_state(state)
    layer = layer_of(rbm)
    model = sample_bernoulli_16_bits(boltzmann.visible_means(layer.rbm(), layer.chains), generator, torch.float32)
    p = boltzmann.hidden_probabilities(layer.rbm(), model)
    return model, sample_bernoulli_16_bits(p, generator, torch.float32)


def test_one_update_by_hand() -> None:
    """Velocity = momentum * velocity + gradient - decay * weight (weights only), parameter += lr * velocity."""
    rng = Rng(0)
    rbm = make(rng=rng, weight_decay=0.2)
    rbm.update(batch())
    layer, v = layer_of(rbm), white(batch(seed=1))
    layer.rbm().hidden_bias.copy_(torch.tensor([0.5, -0.5, 0.25, 1.0]))  # biases do not decay
    before = [tensor.clone() for tensor in layer.rbm()]
    speeds = [layer.get_buffer(f"{name}_velocity").clone() for name in RBMParameters._fields]
    model, chains = negative_phase(rbm, rng)
    rbm.update(batch(seed=1))
    assert torch.equal(layer.chains, chains)
    positive, negative = (boltzmann.hidden_probabilities(RBMParameters(*before), x) for x in (v, model))
    gradients = [
        v.T @ positive / 8 - model.T @ negative / 30 - 0.2 * before[0],
        v.mean(0) - model.mean(0),
        positive.mean(0) - negative.mean(0),
    ]
    for new, old, velocity, gradient in zip(layer.rbm(), before, speeds, gradients, strict=True):
        torch.testing.assert_close(new, old + 0.1 * (0.5 * velocity + gradient))


def test_offsets_are_moving_averages_of_the_datas_means_by_hand() -> None:
    """Two batches of two images at the rate 1/4. Hidden units have p = 3/4; the first has 1/2 if its pixel is black."""
    rbm = make(lr=constant(0.0), centering=0.25)
    layer = layer_of(rbm)
    layer.rbm().weight.zero_()[0, 0] = math.log(3)
    layer.rbm().hidden_bias.copy_(math.log(3) * torch.tensor([0.0, 1, 1, 1]))
    rbm.update(torch.tensor([[1.0, 1, 0, 0, 0, 1], [0, 1, 0, 0, 0, 0]]).view(2, *SPEC.shape))
    # The first pixel's offset starts at its first mean, the hidden ones at 1/2; 0.53125 = 3/4 * 1/2 + 1/4 * 5/8
    torch.testing.assert_close(layer.visible_offset, torch.tensor([0.5, 1, 0, 0, 0, 0.5]))
    torch.testing.assert_close(layer.hidden_offset, torch.tensor([0.53125, 0.5625, 0.5625, 0.5625]))
    rbm.update(torch.tensor([[1.0, 0, 0, 0, 1, 1], [1, 0, 0, 0, 1, 0]]).view(2, *SPEC.shape))
    # 0.625 = 3/4 * 1/2 + 1/4 * 1, and 0.5859375 = 3/4 * 0.53125 + 1/4 * 3/4
    torch.testing.assert_close(layer.visible_offset, torch.tensor([0.625, 0.75, 0, 0, 0.25, 0.5]))
    torch.testing.assert_close(layer.hidden_offset, torch.tensor([0.5859375, 0.609375, 0.609375, 0.609375]))


def test_gray_images_are_refused() -> None:
    gray = batch()
    gray[3, 0, 1, 1] = 100
    with pytest.raises(UserError) as refused:
        make().update(gray)
    assert str(refused.value) == (
        "generator.name=rbm has binary units, but these images are gray. "
        "Add data.binarize=threshold (black and white) or data.binarize=sample (each gray value is a probability), "
        "or take real-valued units: generator.visible.name=gaussian."
    )


@pytest.mark.parametrize("hidden_size", [4, 9])
def test_the_exact_likelihood_sums_to_one(hidden_size: int) -> None:
    rbm = make(hidden_size=hidden_size)
    for seed in range(50):
        rbm.update(batch(seed=seed))
    estimate = rbm.log_likelihood(EVERY)
    assert (estimate.kind, estimate.low, estimate.high) == ("exact", None, None)
    assert estimate.nats.double().logsumexp(0).item() == pytest.approx(0.0, abs=1e-5)
    torch.testing.assert_close(rbm.log_likelihood((EVERY * 255).to(torch.uint8)).nats, estimate.nats)


def test_too_large_to_enumerate_the_likelihood_is_annealed() -> None:
    """Only three of the 21 hidden units are connected, so a machine with three gives the exact log-likelihood."""
    rbm = make(Spec((1, 5, 5)), hidden_size=21, ais={"num_temperatures": 1_000})
    small = make(Spec((1, 5, 5)), hidden_size=3)
    weights = torch.randn(25, 3, generator=torch.Generator().manual_seed(0))
    layer_of(rbm).weight.zero_()[:, :3] = weights
    layer_of(small).weight.copy_(weights)
    images = (torch.rand(20, 1, 5, 5, generator=torch.Generator().manual_seed(1)) < 0.4).float()
    exact = small.log_likelihood(images)
    estimate = rbm.log_likelihood(images)
    assert (exact.kind, estimate.kind) == ("exact", "ais")
    torch.testing.assert_close(estimate.nats, exact.nats, atol=0.3, rtol=0)
    assert estimate.low is not None
    assert estimate.high is not None
    mean, truth = float(estimate.nats.mean()), float(exact.nats.mean())
    assert mean - estimate.low <= truth <= mean + estimate.high
    assert estimate.low + estimate.high < 1


def blurred(count: int) -> tuple[torch.Tensor, float]:
    """Return two opposite patterns with pixels flipped with probability 0.1, and their true mean log-likelihood."""
    draws = torch.Generator().manual_seed(0)
    pattern = torch.tensor([1.0, 0, 1, 0, 1, 0])
    flips = (torch.rand(count, 6, generator=draws) < 0.1).float()
    white = (pattern - flips).abs()
    white[::2] = 1 - white[::2]
    wrong = (white - pattern).abs().sum(1)
    nats = [wrong * math.log(0.1) + (6 - wrong) * math.log(0.9), (6 - wrong) * math.log(0.1) + wrong * math.log(0.9)]
    return white.view(-1, *SPEC.shape), float(torch.stack(nats).logsumexp(0).mean() - math.log(2))


LEARNERS = {
    "pcd": {},
    "centered": {"centering": 0.05},
    "cd": {"chains": {"name": "contrastive"}},
    "bf16": {"chains": {"count": 100}},
}


@pytest.mark.parametrize("which", LEARNERS)
def test_learns_a_distribution(which: str) -> None:
    """The log-likelihood reaches that of the true distribution, -2.5 nats; independent pixels have -4.2."""
    images, best = blurred(400)
    compute = Compute(torch.device("cpu"), bf16=which == "bf16")
    rbm = make(compute=compute, **{"lr": {"start": 0.1, "end": 0.0, "steps": 1_500}, **LEARNERS[which]})
    for i in range(1_500):
        rbm.update(images[i % 20 :: 20])
    assert rbm.log_likelihood(images).nats.mean() > best - 0.1
    samples = rbm.sample(100).flatten(1)
    assert 25 < samples[:, 0].sum() < 75
    assert (samples[:, 0] - samples[:, 1]).abs().mean() > 0.7


def test_gaussian_pixels_learn_a_density() -> None:
    """Images have one gray value, about 0.2 or 0.8, and so do the samples."""
    config = {
        "backbone": {"hidden": [2]},
        "visible": {"name": "gaussian", "std": 0.1},
        "learning": {"lr": constant(0.01), "momentum": constant(0.5), "centering": 0.05},
    }
    rbm = RBMConfig.model_validate(config).make(SPEC, Rng(0), choose("cpu"), NO_RUNS)
    grays = torch.tensor([0.2, 0.8]).repeat(20)
    images = grays[:, None] + 0.1 * torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    for _ in range(800):
        rbm.update(images.view(-1, *SPEC.shape))
    samples = rbm.sample(60).flatten(1).mean(1)
    assert ((samples - 0.2).abs().minimum((samples - 0.8).abs()) < 0.1).float().mean() > 0.9
    assert 10 < (samples > 0.5).sum() < 50
    assert rbm.log_likelihood(images.view(-1, *SPEC.shape)).kind == "exact"


def test_the_density_of_real_pixels_is_one_of_pixels() -> None:
    """The density integrates to 1 over pixels, not over units (pixels / std), and is marked as a density."""
    config = RBMConfig.model_validate({"backbone": {"hidden": [2]}, "visible": {"name": "gaussian", "std": 0.3}})
    rbm = config.make(Spec((1, 1, 1)), Rng(0), choose("cpu"), NO_RUNS)
    layer_of(rbm).rbm().weight.copy_(torch.tensor([[1.5, -0.5]]))
    pixel = torch.linspace(-3, 4, 7_001)
    estimate = rbm.log_likelihood(pixel.view(-1, 1, 1, 1))
    assert float(estimate.nats.double().exp().sum() * 1e-3) == pytest.approx(1.0, abs=1e-4)
    assert estimate.density
    assert not make().log_likelihood(EVERY).density


def test_one_chain_has_no_standard_error() -> None:
    """A single chain is refused, because both ends of the bracket would be NaN."""
    with pytest.raises(ValidationError, match="num_chains"):
        RBMConfig.model_validate({"ais": {"num_chains": 1}})


def test_no_pseudo_likelihood_of_real_pixels() -> None:
    """The pseudo-likelihood is a sum over the two states of a binary pixel; real-valued pixels have none."""
    rbm = RBMConfig.model_validate({"visible": {"name": "gaussian"}}).make(SPEC, Rng(0), choose("cpu"), NO_RUNS)
    with pytest.raises(UserError) as refused:
        rbm.pseudo_log_likelihood(batch())
    assert str(refused.value) == (
        "the pseudo-likelihood is defined for binary pixels, but this rbm has real-valued ones "
        "(generator.visible.name=gaussian). Train one with generator.visible.name=bernoulli."
    )


@pytest.mark.parametrize("ask", [RBM.log_likelihood, RBM.pseudo_log_likelihood])
def test_gray_images_have_no_likelihood(ask: Any) -> None:
    gray = batch()
    gray[3, 0, 1, 1] = 100
    with pytest.raises(UserError, match=r"generator\.name=rbm has binary units, but these images are gray\."):
        ask(make(), gray)


def test_metrics_are_measured_now_and_then() -> None:
    rbm = make()
    first = dict(rbm.update(batch()))
    assert first == dict(rbm.update(batch(seed=1)))
    assert set(first) == {"loss", "reconstruction_error", "hidden_on"}
    for _ in range(99):
        last = dict(rbm.update(batch()))
    assert last != first


def test_shapes_and_ranges_and_looking_changes_nothing() -> None:
    rbm, twin = make(), make()
    for interface in (HasLikelihood, HasReconstruction, HasEncoder, HasFilters):
        assert isinstance(rbm, interface)
    assert not isinstance(rbm, HasClassifier)
    assert rbm.encode(batch(5)).shape == (5, 4)
    for outputs in (rbm.sample(70), rbm.reconstruct(batch(70)), rbm.decode(torch.zeros(70, 4))):
        assert outputs.shape == (70, 1, 2, 3)
        assert 0 <= outputs.min() <= outputs.max() <= 1
    torch.testing.assert_close(rbm.filters(3).flatten(1), layer_of(rbm).weight.T[:3])
    assert rbm.pseudo_log_likelihood(batch(5)).shape == (5,)
    assert {k: float(v) for k, v in rbm.update(batch()).items()} == {
        k: float(v) for k, v in twin.update(batch()).items()
    }
    assert torch.equal(layer_of(rbm).chains, layer_of(twin).chains)
