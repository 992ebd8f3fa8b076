"""The sigmoid belief net: one update by hand, and a likelihood that enumeration confirms."""

import itertools
import math
from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.rng import Rng
from sandbox.generators._boltzmann import belief_layers
from sandbox.generators._boltzmann.belief_layers import BeliefLayer
from sandbox.generators.sigmoid_belief_net import SigmoidBeliefNet, SigmoidBeliefNetConfig, TopPrior
from sandbox.interfaces.capabilities import HasEncoder, HasLikelihood, HasReconstruction
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops import belief
from sandbox.ops.units import sample_bernoulli

SPEC = Spec((1, 2, 2))


def every(units: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=units)))


def make(layers: tuple[int, ...] = (3, 2), lr: float = 0.1, rng: Rng | None = None, **options: Any) -> SigmoidBeliefNet:
    config = {"backbone": {"hidden": list(layers)}, "lr": {"start": lr, "end": lr}, **options}
    return SigmoidBeliefNetConfig.model_validate(config).make(SPEC, rng or Rng(0), choose("cpu"), NO_RUNS)


def layers_of(net: SigmoidBeliefNet) -> list[BeliefLayer]:
    layers = net.parts()["layers"]
    assert isinstance(layers, torch.nn.ModuleList)
    return list(layers)  # type: ignore[arg-type]


def prior_of(net: SigmoidBeliefNet) -> torch.Tensor:
    prior = net.parts()["prior"]
    assert isinstance(prior, TopPrior)
    return prior.log_odds


def batch(count: int = 10, seed: int = 0) -> torch.Tensor:
    """Return images of two opposite patterns, each pixel flipped with probability 0.2."""
    draws = torch.Generator().manual_seed(seed)
    flips = (torch.rand(count, 4, generator=draws) < 0.2).float()
    white = (flips - torch.tensor([1.0, 0, 1, 0])).abs()
    white[::2] = 1 - white[::2]
    return (white * 255).to(torch.uint8).view(-1, 1, 2, 2)


def exact(net: SigmoidBeliefNet) -> torch.Tensor:
    """Return log p(v) of all 16 images, by sums over all states of both hidden layers."""
    lower, upper = layers_of(net)
    above, middle = every(len(upper.recognition.bias)), every(len(lower.recognition.bias))
    top = belief.prior_log_prob(prior_of(net), above)
    rows = [belief.log_prob(upper.generation, above, h.expand(len(above), -1)) + top for h in middle]
    marginal = torch.stack(rows).logsumexp(1)
    rows = [belief.log_prob(lower.generation, middle, v.expand(len(middle), -1)) + marginal for v in every(4)]
    return torch.stack(rows).logsumexp(1)


def shaken(net: SigmoidBeliefNet) -> SigmoidBeliefNet:
    """Set all weights and biases at random."""
    draws = torch.Generator().manual_seed(0)
    for tensor in (
        *(part for layer in layers_of(net) for way in (layer.recognition, layer.generation) for part in way),
        prior_of(net),
    ):
        tensor.normal_(std=0.5, generator=draws)
    return net


def test_starts_at_the_log_odds_of_the_first_batch() -> None:
    net = make(lr=0.0)
    net.update(batch())
    white = (batch() == 255).float().flatten(1)
    torch.testing.assert_close(layers_of(net)[0].generation.bias, torch.logit((white.sum(0) + 1) / 12))


def test_one_update_by_hand() -> None:
    rng = Rng(0)
    net, twin = shaken(make(rng=rng)), shaken(make())
    net.parts()["updates"].load_state_dict({"value": 1})  # without the first batch's biases
    device, state = rng.state_dict()["torch"]["sigmoid_belief_net/states"]
    v, draws = (batch() == 255).float().flatten(1), torch.Generator(device).set_state(state)
    torch.rand(v.shape, generator=draws)
    states = belief_layers.recognize(layers_of(twin), v, draws)
    top = sample_bernoulli(torch.sigmoid(prior_of(twin)).expand(10, -1), draws)
    generated = belief_layers.generate(layers_of(twin), top, draws)
    net.update(batch())
    for new, old, low, high, made, of in zip(
        layers_of(net), layers_of(twin), states, states[1:], generated, generated[1:], strict=False
    ):
        p, q = belief.probabilities(old.generation, high), belief.probabilities(old.recognition, made)
        torch.testing.assert_close(new.generation.weight, old.generation.weight + 0.1 * high.T @ (low - p) / 10)
        torch.testing.assert_close(new.generation.bias, old.generation.bias + 0.1 * (low - p).mean(0))
        torch.testing.assert_close(new.recognition.weight, old.recognition.weight + 0.1 * made.T @ (of - q) / 10)
        torch.testing.assert_close(new.recognition.bias, old.recognition.bias + 0.1 * (of - q).mean(0))
    before = prior_of(twin)
    expected = before + 0.1 * (states[-1].mean(0) - torch.sigmoid(before))
    torch.testing.assert_close(prior_of(net), expected)


def test_the_likelihood_is_that_of_enumeration() -> None:
    net = shaken(make(importance_samples=2_000))
    truth, images = exact(net), every(4).view(-1, 1, 2, 2)
    assert float(truth.logsumexp(0)) == pytest.approx(0.0, abs=1e-5)
    estimate = net.log_likelihood(images)
    assert estimate.kind == "importance"
    torch.testing.assert_close(estimate.nats, truth, atol=0.1, rtol=0)


def test_with_few_samples_it_is_a_lower_bound_on_average() -> None:
    net = shaken(make(importance_samples=1))
    images = every(4).view(-1, 1, 2, 2)
    nats = torch.stack([net.log_likelihood(images).nats for _ in range(2_000)]).mean(0)
    assert (nats < exact(net)).all()


def test_samples_have_the_exact_distribution() -> None:
    net = shaken(make())
    p = net.sample(20_000).flatten(1)
    found = torch.stack([torch.where(v == 1, p, 1 - p).prod(1).mean() for v in every(4)])
    assert (found - exact(net).exp()).abs().sum() / 2 < 0.02


@pytest.mark.learning
def test_learns_a_distribution() -> None:
    """The log-likelihood comes within 0.1 nat of the true distribution's; independent pixels are 0.3 nats away."""
    config = SigmoidBeliefNetConfig.model_validate(
        {"backbone": {"hidden": [4, 2]}, "lr": {"start": 0.3, "end": 0.0, "steps": 2_000}}
    )
    net = config.make(SPEC, Rng(0), choose("cpu"), NO_RUNS)
    for i in range(2_000):
        net.update(batch(60, seed=i % 50))
    v = (torch.cat([batch(60, seed=i) for i in range(50)]) == 255).float().flatten(1)
    states, wrong = (v @ torch.tensor([8.0, 4, 2, 1])).long(), (v - torch.tensor([1.0, 0, 1, 0])).abs().sum(1)
    p = 0.5 * (0.2**wrong * 0.8 ** (4 - wrong) + 0.8**wrong * 0.2 ** (4 - wrong))
    assert float(exact(net)[states].mean()) > float(p.log().mean()) - 0.1


def test_metrics_are_measured_now_and_then() -> None:
    net = make()
    first = dict(net.update(batch()))
    assert set(first) == {"loss"}
    assert first == dict(net.update(batch(seed=1)))


def test_the_loss_is_minus_a_bound() -> None:
    """A net that cannot learn says what black pixels at the given biases cost: minus their log-likelihood."""
    net = make(lr=0.0)
    for tensor in (
        *(part for layer in layers_of(net) for way in (layer.recognition, layer.generation) for part in way),
        prior_of(net),
    ):
        tensor.zero_()
    black = torch.zeros(10, 1, 2, 2, dtype=torch.uint8)
    loss = net.update(black)["loss"]  # the visible biases become the log-odds of the batch, 1 / 12
    torch.testing.assert_close(loss, torch.tensor(-4 * math.log(11 / 12)))


def test_shapes_and_ranges() -> None:
    net = make()
    for interface in (HasLikelihood, HasReconstruction, HasEncoder):
        assert isinstance(net, interface)
    images = every(4).view(-1, 1, 2, 2)
    assert net.encode(images).shape == (16, 2)
    for outputs in (net.sample(16), net.reconstruct(images), net.decode(torch.rand(16, 2))):
        assert outputs.shape == (16, 1, 2, 2)
        assert 0 <= outputs.min() <= outputs.max() <= 1
