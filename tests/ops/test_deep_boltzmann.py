"""The deep machine as a restricted one, against its own energy, by enumeration."""

import itertools
import math

import pytest
import torch

from sandbox.ops import boltzmann, deep_boltzmann
from sandbox.ops.boltzmann import RBMParameters

SIZES = (3, 2, 4, 2)


def layered(scale: float = 1.0) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Weights between the layers and biases of each."""
    draws = torch.Generator().manual_seed(0)
    shapes = list(itertools.pairwise(SIZES))
    weights = [scale * torch.randn(shape, generator=draws, dtype=torch.float64) for shape in shapes]
    return weights, [torch.randn(size, generator=draws, dtype=torch.float64) for size in SIZES]


def machine_of(weights: list[torch.Tensor], biases: list[torch.Tensor]) -> RBMParameters:
    machine = RBMParameters(torch.zeros(7, 4, dtype=torch.float64), torch.cat(biases[0::2]), torch.cat(biases[1::2]))
    for i, weight in enumerate(weights):
        machine.weight[deep_boltzmann.weight_block(SIZES, i)] = weight if i % 2 == 0 else weight.T
    return machine


def every(units: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=units)), dtype=torch.float64)


def minus_energies(weights: list[torch.Tensor], biases: list[torch.Tensor]) -> torch.Tensor:
    """Minus the energy of every state of all layers: [2**3, 2**8], pixels first."""
    states = every(sum(SIZES)).split(SIZES, 1)
    total = sum(state @ bias for state, bias in zip(states, biases, strict=True))
    for weight, (below, above) in zip(weights, itertools.pairwise(states), strict=True):
        total = total + ((below @ weight) * above).sum(1)
    assert isinstance(total, torch.Tensor)
    return total.view(8, -1)


def test_its_partition_function_is_that_of_its_energy() -> None:
    parameters = layered()
    exact = minus_energies(*parameters).flatten().logsumexp(0)
    torch.testing.assert_close(boltzmann.log_partition(machine_of(*parameters)), exact)


def test_the_blocks_are_all_that_is_not_zero() -> None:
    machine = machine_of(*layered())
    assert machine.weight[:3, 2:].abs().max() == 0  # pixels and the third layer are no neighbours
    assert int((machine.weight != 0).sum()) == sum(a * b for a, b in itertools.pairwise(SIZES))


def test_each_round_of_mean_field_raises_a_bound() -> None:
    parameters = layered(1.5)
    machine, v = machine_of(*parameters), every(3)
    exact = minus_energies(*parameters).logsumexp(1)
    bounds = [
        deep_boltzmann.variational_bound(machine, v, *deep_boltzmann.mean_field(machine, v, steps))
        for steps in (1, 2, 5, 50)
    ]
    for lower, higher in itertools.pairwise([*bounds, exact]):
        assert (higher >= lower - 1e-6).all()
    assert (bounds[-1] > bounds[0] + 1e-3).any()
    assert (exact > bounds[-1] + 1e-3).any()


def test_the_bound_without_its_entropy_is_none() -> None:
    """At q = 1/2 and no parameters, all that there is is the entropy: 8 units of log 2, as many states as there are."""
    machine = RBMParameters(*(torch.zeros(shape, dtype=torch.float64) for shape in ((7, 4), (7,), (4,))))
    halves = [torch.full((1, 4), 0.5, dtype=torch.float64)] * 2
    bound = deep_boltzmann.variational_bound(machine, torch.zeros(1, 3, dtype=torch.float64), *halves)
    assert float(bound) == pytest.approx(float(torch.tensor(2.0**8, dtype=torch.float64).log()))


def test_the_bound_is_exact_where_the_posterior_is_factorized() -> None:
    """Weights between the pixels and the first layer alone."""
    weights, biases = layered()
    for weight in weights[1:]:
        weight.zero_()
    machine, v = machine_of(weights, biases), every(3)
    bound = deep_boltzmann.variational_bound(machine, v, *deep_boltzmann.mean_field(machine, v, 1))
    torch.testing.assert_close(bound, minus_energies(weights, biases).logsumexp(1), atol=1e-6, rtol=0)


def test_one_round_of_mean_field_by_hand() -> None:
    """One unit in each of three layers: the pixel's input 1.5 counts twice upwards, and once in the round after it."""
    weight, visible_bias, hidden_bias = torch.tensor([[1.5], [0.8]]), torch.tensor([0.4, -0.3]), torch.tensor([0.2])
    machine = RBMParameters(weight, visible_bias, hidden_bias)
    up = 1 / (1 + math.exp(-(2 * 1.5 + 0.2)))
    top = 1 / (1 + math.exp(-(0.8 * up - 0.3)))
    middle = 1 / (1 + math.exp(-(1.5 + 0.8 * top + 0.2)))
    even, odd = deep_boltzmann.mean_field(machine, torch.ones(1, 1), 1)
    assert (even.item(), odd.item()) == (pytest.approx(top), pytest.approx(middle))


def test_mean_field_ends_where_each_layer_agrees_with_its_neighbors() -> None:
    weights, biases = layered(0.3)
    machine, v = machine_of(weights, biases), every(3)
    even, odd = deep_boltzmann.mean_field(machine, v, 200)
    first, third = odd.double().split([2, 2], 1)
    second = even.double()
    torch.testing.assert_close(
        second, torch.sigmoid(first @ weights[1] + third @ weights[2].T + biases[2]), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(
        first, torch.sigmoid(v @ weights[0] + second @ weights[1].T + biases[1]), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(third, torch.sigmoid(second @ weights[2] + biases[3]), atol=1e-6, rtol=0)


@pytest.mark.parametrize("above", [0.0, 0.5])
def test_mean_field_settles_where_updates_at_once_alternate(above: float) -> None:
    """One pixel and two hidden units, which support each other so much that both settle on or both off.

    Updated at once, they exchange their values in every round, forever, if the upper one begins at `above`.
    """
    machine = RBMParameters(torch.tensor([[10.0], [10.0]]), torch.tensor([0.0, -5.0]), torch.tensor([-15.5]))
    v = torch.ones(1, 1)
    lower, upper, rounds = torch.sigmoid(torch.tensor(20 - 15.5)), torch.tensor(above), []
    for _ in range(100):
        lower, upper = torch.sigmoid(10 + 10 * upper - 15.5), torch.sigmoid(10 * lower - 5)
        rounds.append(torch.stack([lower, upper]))
    assert min(float((one - next_one).abs().min()) for one, next_one in itertools.pairwise(rounds[10:])) > 0.9
    found = [torch.cat(deep_boltzmann.mean_field(machine, v, steps), 1)[0] for steps in (10, 11, 100)]
    for even, odd in found:
        torch.testing.assert_close(even, torch.sigmoid(10 * odd - 5), atol=1e-6, rtol=0)
        torch.testing.assert_close(odd, torch.sigmoid(10 + 10 * even - 15.5), atol=1e-6, rtol=0)
        assert min(even, odd) > 0.9


def test_hidden_layers_are_told_apart() -> None:
    """Layers of 2, 4 and 2 units: the second is on the visible side, the others on the hidden side."""
    even, odd = torch.arange(8.0).view(2, 4), torch.arange(10.0, 18.0).view(2, 4)
    layers = deep_boltzmann.hidden_layers(SIZES, even, odd)
    assert [layer.tolist() for layer in layers] == [[[10, 11], [14, 15]], even.tolist(), [[12, 13], [16, 17]]]
    (only,) = deep_boltzmann.hidden_layers((3, 2), even[:, :0], odd[:, :2])
    assert only.tolist() == [[10, 11], [14, 15]]


def test_a_stack_is_composed_by_hand() -> None:
    """Weights as they are; the bias between two machines is the mean of that of either."""
    shapes = list(itertools.pairwise(SIZES))
    parts = [
        RBMParameters(torch.full(shape, float(i)), torch.full(shape[:1], 10.0 * i), torch.full(shape[1:], 100.0 * i))
        for i, shape in enumerate(shapes, 1)
    ]
    machine = deep_boltzmann.compose(parts)
    expected = machine_of(
        [part.weight.double() for part in parts],
        [
            torch.full((size,), value, dtype=torch.float64)
            for size, value in zip(SIZES, (10, 60, 115, 300), strict=True)
        ],
    )
    for found, hand in zip(machine, expected, strict=True):
        assert torch.equal(found.double(), hand)
    assert torch.equal(deep_boltzmann.connections(SIZES), (machine.weight != 0).float())


def test_clamped_gibbs_has_the_exact_conditional() -> None:
    """The pixels given the first one, with all hidden layers summed out; the chains begin far from there."""
    parameters = layered(1.5)
    v = torch.ones(1, 3, dtype=torch.float64).repeat(4_000, 1)
    known = torch.tensor([[True, False, False]]).expand(4_000, -1)
    sweeps = deep_boltzmann.clamped_gibbs(machine_of(*parameters), v, known, 5, torch.Generator().manual_seed(0))
    means = torch.stack([next(sweeps) for _ in range(80)][30:]).mean((0, 1))
    exact = minus_energies(*parameters).logsumexp(1)[4:].softmax(0) @ every(3)[4:]
    torch.testing.assert_close(means, exact, atol=0.003, rtol=0)
