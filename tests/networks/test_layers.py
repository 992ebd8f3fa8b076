"""Activations, pooling, norms, dropout, initial weights and spectral norms, by hand."""

import copy
import math

import pytest
import torch
from torch import nn

from sandbox.networks.layers.activations import Maxout, RandomizedLeakyReLU, activation
from sandbox.networks.layers.dropout import Dropout
from sandbox.networks.layers.grid import Grid
from sandbox.networks.layers.initial import initialize
from sandbox.networks.layers.norms import feature_norms, map_norms
from sandbox.networks.layers.pooling import pool
from sandbox.networks.layers.random_numbers import RandomNumbers
from sandbox.networks.layers.spectral_norm import add_spectral_norm


def test_random_numbers_are_uniform_and_independent() -> None:
    torch.manual_seed(0)
    random = RandomNumbers()
    draws = torch.stack([random.draw(500, 40).flatten() for _ in range(3)]).double()
    assert float(draws.min()) >= 0
    assert float(draws.max()) < 1
    counts = torch.histc(draws.flatten().float(), 20, 0, 1)
    chi_square = float(((counts - 3_000) ** 2 / 3_000).sum())
    assert chi_square < 44  # 0.1 % of the time with 19 degrees of freedom
    assert float(torch.corrcoef(draws).triu(1).abs().max()) < 0.03  # between draws
    assert abs(float(torch.corrcoef(torch.stack([draws[0, :-1], draws[0, 1:]]))[0, 1])) < 0.03  # between neighbors


def test_random_numbers_go_on_where_their_state_was_saved() -> None:
    torch.manual_seed(0)
    first = RandomNumbers()
    first.draw(3)
    torch.manual_seed(1)
    second = RandomNumbers()
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert torch.equal(first.draw(2, 5), second.draw(2, 5))
    torch.manual_seed(0)
    assert not torch.equal(RandomNumbers().draw(5), first.draw(5))


def test_maxout() -> None:
    x = torch.tensor([[1.0, -2.0, 3.0, 4.0]])
    assert Maxout()(x).tolist() == [[1.0, 4.0]]
    maps = x.view(1, 4, 1, 1).expand(1, 4, 2, 3)
    assert torch.equal(Maxout()(maps), torch.tensor([1.0, 4.0]).view(1, 2, 1, 1).expand(1, 2, 2, 3))


def test_randomized_leaky_relu() -> None:
    """Each negative input has a factor of its own in [1/8, 1/3]; without a gradient it is 11/48."""
    torch.manual_seed(0)
    layer, x = RandomizedLeakyReLU(), torch.tensor([[-1.0] * 500 + [2.0]])
    factors = -layer(x)[0, :-1]
    assert 1 / 8 <= float(factors.min()) < 0.13
    assert 0.32 < float(factors.max()) <= 1 / 3
    assert float(layer(x)[0, -1]) == 2.0
    with torch.no_grad():
        torch.testing.assert_close(layer(x)[0, :-1], torch.full((500,), -11 / 48))


def test_randomized_leaky_relu_keeps_the_precision() -> None:
    x = torch.tensor([[-1.0, 2.0]], dtype=torch.bfloat16, requires_grad=True)
    y = RandomizedLeakyReLU()(x)
    assert y.dtype == torch.bfloat16
    y.sum().backward()
    assert -y[0, 0].item() == x.grad[0, 0].item()


def test_factors_of_negative_inputs() -> None:
    assert activation("leaky_relu")(torch.tensor(-1.0)).item() == pytest.approx(-0.2)
    assert activation("leaky_relu", in_place=True)(torch.tensor(-1.0)).item() == pytest.approx(-0.2)
    assert activation("prelu")(torch.tensor([-1.0])).item() == pytest.approx(-0.25)


def test_dropout_drops_features_or_whole_channels_where_a_gradient_is_computed() -> None:
    torch.manual_seed(0)
    layer = Dropout(0.25)
    features = layer(torch.ones(400, 50))
    assert features.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert float((features == 0).float().mean()) == pytest.approx(0.25, abs=0.01)
    maps = layer(torch.ones(40, 50, 3, 3)).flatten(2)
    assert torch.equal(maps.amin(2), maps.amax(2))
    assert not torch.equal(layer(torch.ones(9, 9)), layer(torch.ones(9, 9)))
    with torch.no_grad():
        assert torch.equal(layer(torch.ones(4, 4)), torch.ones(4, 4))
    assert torch.equal(layer.eval()(torch.ones(4, 4)), torch.ones(4, 4))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("max", [[7.0]]),
        ("mean", [[(3 + 4 + 6 + 7) / 4]]),
        ("l2", [[math.sqrt((9 + 16 + 36 + 49) / 4)]]),
        ("adaptive", [[5.0 + 2.0]]),
    ],
)
def test_pooling(name, expected) -> None:
    """A 3x3 map by windows of 2x2: they leave a row and a column out, but for the adaptive one."""
    maps = torch.tensor([[[[3.0, 4.0, 9.0], [6.0, 7.0, 8.0], [8.0, 9.0, 9.0]]]])
    torch.testing.assert_close(pool(name, 2)(maps)[0, 0], torch.tensor(expected))


def test_the_gradient_of_l2_pooling_is_finite_at_zero() -> None:
    maps = torch.zeros(1, 1, 2, 2, requires_grad=True)
    pool("l2", 2)(maps).sum().backward()
    assert bool(maps.grad.isfinite().all())


@pytest.mark.parametrize("size", [(7, 9), (3, 4), (2, 1)])
def test_grid(size: tuple[int, int]) -> None:
    maps = torch.rand(2, 5, *size)
    assert Grid(3)(maps).shape == (2, 5 * min(size[0], 3) * min(size[1], 3))
    torch.testing.assert_close(Grid(1)(maps), maps.mean((2, 3)))


@pytest.mark.parametrize(("name", "dimensions"), [("layer", (1,)), ("instance", (2, 3)), ("batch", (0, 2, 3))])
def test_norms_of_maps(name, dimensions: tuple[int, ...]) -> None:
    """Mean 0 and variance 1 over the dimensions that the name stands for."""
    (norm,) = map_norms(name, 6)
    x = norm(torch.rand(4, 6, 5, 5) * 3 + 1)
    torch.testing.assert_close(x.mean(dimensions), torch.zeros_like(x.mean(dimensions)), atol=1e-5, rtol=0)
    variances = x.var(dimensions, correction=0)
    torch.testing.assert_close(variances, torch.ones_like(variances), atol=1e-3, rtol=0)


def test_group_norm_and_norms_of_features() -> None:
    (norm,) = map_norms("group", 12)  # 6 groups of 2 channels: as many as possible up to 8
    assert [map_norms("group", channels)[0].num_groups for channels in (1, 4, 6, 7, 64)] == [1, 2, 3, 1, 8]
    x = norm(torch.rand(3, 12, 4, 4)).view(3, 6, -1)
    torch.testing.assert_close(x.mean(2), torch.zeros(3, 6), atol=1e-5, rtol=0)
    assert [type(layer) for layer in feature_norms("layer", 3)] == [nn.LayerNorm]
    assert [type(layer) for layer in feature_norms("batch", 3)] == [nn.BatchNorm1d]
    assert feature_norms("group", 3) == feature_norms("instance", 3) == feature_norms("none", 3) == []


@pytest.mark.parametrize(
    ("name", "std"),
    [("xavier", math.sqrt(2 / 500)), ("he", math.sqrt(2 / 300)), ("dcgan", 0.02), ("orthogonal", math.sqrt(2 / 300))],
)
def test_initial_weights(name, std: float) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(300, 200)
    initialize(layer, name)
    assert layer.weight.std().item() == pytest.approx(std, rel=0.02)
    assert not layer.bias.any()
    if name == "orthogonal":
        torch.testing.assert_close(layer.weight @ layer.weight.T, 2 * torch.eye(200), atol=1e-4, rtol=0)


def test_torch_leaves_the_weights() -> None:
    layer = nn.Linear(3, 2)
    before = copy.deepcopy(layer.state_dict())
    initialize(layer, "torch")
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


def test_the_largest_singular_value_becomes_1() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 8, 3)
    given = layer.weight.detach().clone()
    add_spectral_norm(layer)
    for _ in range(50):
        _ = layer.weight  # each use with a gradient is a step of the power method
    torch.testing.assert_close(layer.weight, given / torch.linalg.matrix_norm(given.flatten(1), 2))
    state = copy.deepcopy(layer.state_dict())
    with torch.no_grad():
        _ = layer.weight
    assert all(torch.equal(value, state[name]) for name, value in layer.state_dict().items())


def test_the_gradient_of_a_spectral_norm() -> None:
    """That of W / s(W) by autograd of an exact singular value."""
    torch.manual_seed(0)
    layer, direction = nn.Linear(4, 3, bias=False), torch.randn(3, 4)
    given = layer.weight.detach().clone().requires_grad_()
    add_spectral_norm(layer)
    for _ in range(100):
        _ = layer.weight
    (layer.weight * direction).sum().backward()
    (given / torch.linalg.matrix_norm(given, 2) * direction).sum().backward()
    torch.testing.assert_close(layer.parametrizations.weight.original.grad, given.grad, atol=1e-5, rtol=1e-4)
