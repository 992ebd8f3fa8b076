"""Noisy layers against weights that are put together by hand."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.networks.heads.dueling import Dueling
from sandbox.networks.heads.exploration import EpsilonGreedy, Noisy
from sandbox.networks.heads.noisy import NO_NOISE, NoisyLinear, sample_noise


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_weights_by_hand() -> None:
    """Mean + sigma * f(e_out) f(e_in), biases mean + sigma * f(e_out), f(x) = sgn(x) sqrt|x|; gradients too."""
    layer, x = NoisyLinear(3, 2, 0.5), torch.randn(5, 3, generator=dice(1))
    nn.init.normal_(layer.weight_sigma, generator=dice(3)), nn.init.normal_(layer.bias_sigma, generator=dice(4))
    noise, again = sample_noise(layer, dice(2)), dice(2)
    e_in, e_out = torch.randn(3, generator=again), torch.randn(2, generator=again)
    f_in, f_out = (torch.tensor([math.copysign(abs(v) ** 0.5, v) for v in e.tolist()]) for e in (e_in, e_out))
    weight = layer.mean.weight + layer.weight_sigma * f_out[:, None] * f_in[None]
    expected = F.linear(x, weight, layer.mean.bias + layer.bias_sigma * f_out)
    torch.testing.assert_close(layer(x, noise), expected)
    ours = torch.autograd.grad(layer(x, noise).square().sum(), list(layer.parameters()))
    theirs = torch.autograd.grad(expected.square().sum(), list(layer.parameters()))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b)


def test_it_starts_as_in_the_paper() -> None:
    layer = NoisyLinear(100, 40, 0.5)
    for mean, sigma in ((layer.mean.weight, layer.weight_sigma), (layer.mean.bias, layer.bias_sigma)):
        assert mean.abs().max() <= 0.1
        assert mean.abs().max() > 0.08
        assert (sigma == 0.05).all()


def test_a_row_may_have_noise_of_its_own() -> None:
    layer, x = NoisyLinear(3, 2, 0.5), torch.ones(4, 3)
    noise = sample_noise(layer, dice(), count=4)
    rows = layer(x, noise)
    assert len({tuple(row) for row in rows.tolist()}) == 4
    for i in range(4):
        torch.testing.assert_close(layer(x[:1], {layer: tuple(f[i] for f in noise[layer])})[0], rows[i])
    assert len({tuple(row) for row in layer(x, sample_noise(layer, dice())).tolist()}) == 1


def test_every_layer_and_every_draw_is_different_and_silence_is_the_mean() -> None:
    head, features, generator = Dueling(4, 2, 1, 4, Noisy().layer), torch.ones(1, 4), dice()
    noise = [sample_noise(head, generator) for _ in range(3)]
    assert len({tuple(f.tolist()) for each in noise for f in (each[layer][0] for layer in each)}) == 3 * 4
    assert len({tuple(head(features, each).flatten().tolist()) for each in noise}) == 3
    state, advantages = head.state, head.advantages
    mean = [tower.last.mean(tower.hidden[0].mean(features).relu()) for tower in (state, advantages)]
    assert torch.equal(head(features, NO_NOISE)[..., 0], mean[0] + mean[1] - mean[1].mean(1, keepdim=True))


def test_without_noisy_layers_nothing_is_drawn() -> None:
    generator = dice()
    assert sample_noise(Dueling(4, 2, 1, 4, EpsilonGreedy().layer), generator) == NO_NOISE
    assert torch.equal(generator.get_state(), dice().get_state())


def test_the_noise_has_mean_0_and_the_papers_size() -> None:
    """The variance of f(e) is E|e| = sqrt(2 / pi); a weight's is its square."""
    layer = NoisyLinear(1, 1, 1.0)
    nn.init.zeros_(layer.mean.weight), nn.init.zeros_(layer.mean.bias), nn.init.zeros_(layer.bias_sigma)
    weights = layer(torch.ones(40_000, 1), sample_noise(layer, dice(), count=40_000)).detach()
    assert abs(weights.mean()) < 0.02
    assert abs(weights.var() - 2 / math.pi) < 0.03
