"""The restricted Boltzmann machine: its first batch, one update by hand, its chains, and its likelihoods."""

import itertools
import math
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from sandbox.core.compute import Compute, choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators._boltzmann.rbm_layer import RBMLayer
from sandbox.generators.rbm import RBM, RBMConfig
from sandbox.interfaces.capabilities import HasClassifier, HasEncoder, HasFilters, HasLikelihood, HasReconstruction
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops import boltzmann
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.units import sample_bernoulli_16_bits

SPEC = Spec((1, 2, 3))
EVERY = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6))).view(64, *SPEC.shape)


def constant(value: float) -> dict[str, float]:
    return {"start": value, "end": value}


def make(
    spec: Spec = SPEC,
    compute: Compute | None = None,
    rng: Rng | None = None,
    hidden_size: int = 4,
    ais: dict[str, Any] | None = None,
    **learning: Any,
) -> RBM:
    learning = {"chains": {"count": 30}, "lr": constant(0.1), "momentum": constant(0.5), **learning}
    config = RBMConfig.model_validate({"hidden_size": hidden_size, "learning": learning, "ais": ais or {}})
    return config.make(spec, rng or Rng(0), compute or choose("cpu"), NO_RUNS)


def layer_of(rbm: RBM) -> RBMLayer:
    layer = rbm.parts()["machine"]
    assert isinstance(layer, RBMLayer)
    return layer


def batch(count: int = 8, seed: int = 0) -> torch.Tensor:
    rows = torch.randint(64, (count,), generator=torch.Generator().manual_seed(seed))
    return (EVERY[rows] * 255).to(torch.uint8)


def white(images: torch.Tensor) -> torch.Tensor:
    return (images == 255).float().flatten(1)


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


def test_chains_persist_and_keep_their_number() -> None:
    rbm = make()
    for size in (8, 3, 50):
        before = layer_of(rbm).chains.clone()
        rbm.update(batch(size))
        assert layer_of(rbm).chains.shape == (30, 4)
        assert not torch.equal(layer_of(rbm).chains, before)
    assert "chains" in rbm.parts()["machine"].state_dict()


def frozen(rbm: RBM) -> RBM:
    """Make the weights so large that no chain can leave its start: pixel i is white if hidden unit i is on."""
    parameters = layer_of(rbm).rbm()
    parameters.weight.zero_()[:4] = 200 * torch.eye(4)
    parameters.visible_bias.fill_(-100.0), parameters.hidden_bias.fill_(-100.0)
    return rbm


def test_contrastive_divergence_starts_at_the_data() -> None:
    """The weights are so large that no chain can leave its start, so there is nothing to learn."""
    rbm = make(chains={"name": "contrastive", "steps": 3}, momentum=constant(0.0))
    rbm.update(batch())
    parameters = layer_of(frozen(rbm)).rbm()
    layer_of(rbm).weight_velocity.zero_()
    v = white(batch(seed=1))
    v[:, 4:] = 0
    before = parameters.weight.clone()
    rbm.update(v.view(-1, *SPEC.shape))
    torch.testing.assert_close(parameters.weight, before)


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
        "hidden_size": 2,
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
    config = RBMConfig.model_validate({"hidden_size": 2, "visible": {"name": "gaussian", "std": 0.3}})
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


def test_samples_without_chains() -> None:
    rbm = make(chains={"name": "contrastive"})
    assert rbm.sample(3).shape == (3, 1, 2, 3)


def test_samples_without_chains_begin_at_halves() -> None:
    """The weights are so large that no sweep changes a unit."""
    rbm = frozen(make(chains={"name": "contrastive"}))
    white = rbm.sample(1_000).flatten(1)[:, :4]
    assert set(white.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(white.mean(0), torch.full((4,), 0.5), atol=0.06, rtol=0)


def test_a_chain_goes_on_from_where_it_was() -> None:
    chain = frozen(make()).gibbs_chain(5)
    first, *others = (next(chain) for _ in range(4))
    assert first.shape == (5, 1, 2, 3)
    assert len(first[..., :4].unique()) == 2
    assert all(torch.equal(first, other) for other in others)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_every_step_of_the_chains_is_a_sweep(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rbm, drawn = make(chains={"count": 7, "steps": steps}), []
    layer, real = layer_of(rbm), RBMLayer._sample_visible
    monkeypatch.setattr(RBMLayer, "_sample_visible", lambda *given: drawn.append(real(*given)) or drawn[-1])
    layer.phases(white(batch()))
    assert len(drawn) == steps
