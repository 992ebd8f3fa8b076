"""Everything against brute force, on machines whose states can all be listed."""

import itertools
import math

import pytest
import torch
from torch.nn import functional as F

from sandbox.ops import annealing, boltzmann, convolutional_boltzmann
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.convolutional_boltzmann import ConvRBMGradient, ConvRBMParameters
from sandbox.ops.units import BERNOULLI, GAUSSIAN, Units

# channels, side, filters, kernel, padding, pool: one, two channels; one, two maps; blocks of 4, 9 and 1 units
MACHINES = [(1, 3, 2, 2, 0, 2), (2, 2, 1, 3, 1, 2), (1, 3, 1, 1, 0, 3), (1, 3, 1, 2, 0, 1), (1, 3, 1, 2, 1, 2)]


def machine_of(channels: int, filters: int, kernel: int, padding: int, pool: int, seed: int = 0) -> ConvRBMParameters:
    draws = torch.Generator().manual_seed(seed)
    shapes = ((filters, channels, kernel, kernel), (channels,), (filters,))
    return ConvRBMParameters(
        *(torch.randn(shape, generator=draws, dtype=torch.float64) for shape in shapes), padding, pool
    )


def every_image(channels: int, side: int) -> torch.Tensor:
    states = list(itertools.product([0.0, 1.0], repeat=channels * side * side))
    return torch.tensor(states, dtype=torch.float64).view(-1, channels, side, side)


def every_map(filters: int, side: int, pool: int) -> torch.Tensor:
    """All states of the detection units, written cell by cell: none or one of each block is on."""
    blocks = list(itertools.product(range(filters), range(side // pool), range(side // pool)))
    found = []
    for choice in itertools.product(range(pool * pool + 1), repeat=len(blocks)):
        h = torch.zeros(filters, side, side, dtype=torch.float64)
        for (k, row, column), unit in zip(blocks, choice, strict=True):
            if unit:
                h[k, row * pool + (unit - 1) // pool, column * pool + (unit - 1) % pool] = 1
        found.append(h)
    return torch.stack(found)


def minus_energy(machine: ConvRBMParameters, v: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """-E without e(v) of every pair, by loops over the cells of the maps as the energy is written: [V, H]."""
    padded = F.pad(v, (machine.padding,) * 4)
    size = machine.weight.shape[-1]
    total = (v.sum((2, 3)) @ machine.visible_bias)[:, None].expand(len(v), len(h)).clone()
    for k, row, column in itertools.product(*(range(size) for size in h.shape[1:])):
        patch = padded[:, :, row : row + size, column : column + size]
        inputs = (patch * machine.weight[k]).sum((1, 2, 3)) + machine.hidden_bias[k]
        total += inputs[:, None] * h[None, :, k, row, column]
    return total


def listed(case: tuple[int, ...]) -> tuple[ConvRBMParameters, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The machine of a case, all v, all h, and -E of every pair."""
    channels, side, filters, kernel, padding, pool = case
    machine = machine_of(channels, filters, kernel, padding, pool)
    v, h = every_image(channels, side), every_map(filters, side + 2 * padding - kernel + 1, pool)
    return machine, v, h, minus_energy(machine, v, h)


@pytest.mark.parametrize("case", MACHINES)
def test_free_energy_sums_out_all_hidden_states(case: tuple[int, ...]) -> None:
    machine, v, _, energies = listed(case)
    torch.testing.assert_close(-convolutional_boltzmann.free_energy(machine, v), energies.logsumexp(1))


@pytest.mark.parametrize("case", MACHINES)
def test_detection_and_pooling_probabilities_are_the_marginals(case: tuple[int, ...]) -> None:
    machine, v, h, energies = listed(case)
    shares, inputs = energies.softmax(1), convolutional_boltzmann.detection_inputs(machine, v)
    detection = convolutional_boltzmann.detection_probabilities(inputs, machine.pool)
    torch.testing.assert_close(detection, torch.einsum("vh,hkij->vkij", shares, h))
    pooled = F.max_pool2d(h, machine.pool)
    expected = torch.einsum("vh,hkij->vkij", shares, pooled)
    torch.testing.assert_close(convolutional_boltzmann.pooling_probabilities(inputs, machine.pool), expected)
    torch.testing.assert_close(convolutional_boltzmann.pooled_states(h, machine.pool), pooled)


@pytest.mark.parametrize("case", MACHINES)
def test_visible_means_are_the_marginals(case: tuple[int, ...]) -> None:
    machine, v, h, energies = listed(case)
    expected = torch.einsum("vh,vcij->hcij", energies.softmax(0), v)
    torch.testing.assert_close(convolutional_boltzmann.visible_means(machine, h), expected)


@pytest.mark.parametrize("case", MACHINES)
def test_the_input_of_real_valued_pixels_is_their_mean(case: tuple[int, ...]) -> None:
    """p(v | h) is proportional to exp(-v^2 / 2 + x v), so x = d(-E without e(v)) / dv."""
    machine, v, h, _ = listed(case)
    free = v[:1].clone().requires_grad_()
    expected = [torch.autograd.grad(minus_energy(machine, free, state[None]).sum(), free)[0] for state in h[:30]]
    torch.testing.assert_close(convolutional_boltzmann.visible_means(machine, h[:30], GAUSSIAN), torch.cat(expected))
    energy = convolutional_boltzmann.free_energy(machine, v, GAUSSIAN)
    torch.testing.assert_close(
        energy - convolutional_boltzmann.free_energy(machine, v), 0.5 * v.square().sum((1, 2, 3))
    )


def log_likelihood(machine: ConvRBMParameters, data: torch.Tensor, v: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    log_partition = minus_energy(machine, v, h).flatten().logsumexp(0)
    return minus_energy(machine, data, h).logsumexp(1).mean() - log_partition


@pytest.mark.parametrize("case", MACHINES)
def test_the_gradient_is_that_of_the_log_likelihood(case: tuple[int, ...]) -> None:
    """The negative phase is a sample of 100,000 images in which each has its share."""
    machine, v, h, energies = listed(case)
    data = v[[1, 5, 5, 7]]
    free = [tensor.clone().requires_grad_() for tensor in machine[:3]]
    exact = torch.autograd.grad(log_likelihood(ConvRBMParameters(*free, *machine[3:]), data, v, h), free)
    shares = (energies.logsumexp(1).softmax(0) * 100_000).round().long()
    both = torch.cat([data, v.repeat_interleave(shares, 0)])
    inputs = convolutional_boltzmann.detection_inputs(machine, both)
    p = convolutional_boltzmann.detection_probabilities(inputs, machine.pool)
    found = convolutional_boltzmann.gradient(machine, both, p, len(data))
    torch.testing.assert_close(found, ConvRBMGradient(*exact), atol=5e-3, rtol=0)


def test_a_block_of_two_by_two_by_hand() -> None:
    """Inputs log 1, log 2, log 3, log 4: the weights are 1, 2, 3, 4, and 1 for none, of 11."""
    inputs = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).log()[None, None]
    detection = convolutional_boltzmann.detection_probabilities(inputs, 2)
    torch.testing.assert_close(detection, torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None] / 11)
    pooled = convolutional_boltzmann.pooling_probabilities(inputs, 2)
    torch.testing.assert_close(pooled, torch.full((1, 1, 1, 1), 10 / 11))
    expected = torch.tensor([[0.1, 0.2], [0.3, 0.4]])[None, None]
    torch.testing.assert_close(convolutional_boltzmann.positions(inputs, 2), expected)
    # A layer above that adds log 3 multiplies the four weights by 3: 30 of 31.
    above = convolutional_boltzmann.spread(torch.full((1, 1, 1, 1), math.log(3)), 2)
    torch.testing.assert_close(convolutional_boltzmann.detection_probabilities(inputs + above, 2), expected * 30 / 31)


def test_large_inputs_do_not_overflow() -> None:
    inputs = torch.tensor([[200.0, 200], [-200, 0]])[None, None]
    detection = convolutional_boltzmann.detection_probabilities(inputs, 2)
    torch.testing.assert_close(detection, torch.tensor([[0.5, 0.5], [0.0, 0.0]])[None, None])


def test_blocks_are_sampled_with_their_probabilities() -> None:
    inputs = torch.randn(1, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    p = convolutional_boltzmann.detection_probabilities(inputs, 2)
    h = convolutional_boltzmann.sample_blocks(p.expand(40_000, -1, -1, -1), 2, torch.Generator().manual_seed(1))
    assert set(h.unique().tolist()) == {0.0, 1.0}
    assert float(F.avg_pool2d(h, 2).max()) == 0.25  # never two of a block
    torch.testing.assert_close(h.mean(0, keepdim=True), p, atol=0.01, rtol=0)
    assert h.dtype == p.dtype
    both = (h[:, 0, 0, 0] * h[:, 1, 0, 0]).mean()  # blocks are independent
    assert float(both) == pytest.approx(float(p[0, 0, 0, 0] * p[0, 1, 0, 0]), abs=0.01)


def test_gibbs_samples_the_machine() -> None:
    machine, v, _, energies = listed(MACHINES[0])
    generator = torch.Generator().manual_seed(0)
    start = torch.zeros(20_000, *v.shape[1:], dtype=torch.float64)
    means, samples = convolutional_boltzmann.gibbs(machine, start, 30, generator)
    expected = torch.einsum("v,vcij->cij", energies.logsumexp(1).softmax(0), v)
    torch.testing.assert_close(samples.mean(0), expected, atol=0.015, rtol=0)
    torch.testing.assert_close(means.mean(0), expected, atol=0.015, rtol=0)


@pytest.mark.parametrize("units", [BERNOULLI, GAUSSIAN])
def test_filters_as_large_as_the_image_make_the_dense_machine(units: Units) -> None:
    """With blocks of one unit; its visible biases are all the same."""
    machine = machine_of(2, 5, 4, 0, 1)
    dense = RBMParameters(machine.weight.flatten(1).T, machine.visible_bias.repeat_interleave(16), machine.hidden_bias)
    v = torch.randn(6, 2, 4, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    ours, theirs = (
        convolutional_boltzmann.free_energy(machine, v, units),
        boltzmann.free_energy(dense, v.flatten(1), units),
    )
    torch.testing.assert_close(ours, theirs)
    p = convolutional_boltzmann.detection_probabilities(convolutional_boltzmann.detection_inputs(machine, v), 1)
    torch.testing.assert_close(p.flatten(1), boltzmann.hidden_probabilities(dense, v.flatten(1)))
    means = convolutional_boltzmann.visible_means(machine, p, units)
    torch.testing.assert_close(means.flatten(1), boltzmann.visible_means(dense, p.flatten(1), units))
    found = convolutional_boltzmann.gradient(machine, v, p, 2)
    expected = boltzmann.gradient(v.flatten(1), p.flatten(1), 2)
    torch.testing.assert_close(found.weight.flatten(1).T, expected.weight)
    torch.testing.assert_close(found.visible_bias, expected.visible_bias.view(2, 16).sum(1))
    torch.testing.assert_close(found.hidden_bias, expected.hidden_bias)


@pytest.mark.parametrize("channels", [1, 4, 5])
@pytest.mark.parametrize("padding", [0, 2])
def test_the_way_down_is_the_transposed_convolution(channels: int, padding: int) -> None:
    """For few channels it is computed in another way. h·(W * v) = v·(W^T h) for all v and h."""
    machine = machine_of(channels, 3, 3, padding, 2)
    v = torch.randn(2, channels, 6, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    up = convolutional_boltzmann.detection_inputs(machine, v) - machine.hidden_bias[:, None, None]
    h = torch.randn(up.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    down = convolutional_boltzmann.visible_inputs(machine, h) - machine.visible_bias[:, None, None]
    assert down.shape == v.shape
    torch.testing.assert_close((up * h).sum(), (down * v).sum())


def test_gibbs_given_pooling_samples_the_conditional() -> None:
    """One block is on and the other is off, as in four of the 25 states of h."""
    machine, v, h, energies = listed(MACHINES[0])
    pooled = torch.tensor([1.0, 0.0], dtype=torch.float64).view(1, 2, 1, 1)
    fits = (F.max_pool2d(h, 2) == pooled).flatten(1).all(1)
    assert int(fits.sum()) == 4
    shares = energies[:, fits].flatten().softmax(0).view(len(v), 4).sum(1)
    start = pooled.expand(20_000, -1, -1, -1)
    generator = torch.Generator().manual_seed(0)
    means, samples = convolutional_boltzmann.gibbs_given_pooling(machine, start, 30, generator)
    expected = torch.einsum("v,vcij->cij", shares, v)
    torch.testing.assert_close(samples.mean(0), expected, atol=0.015, rtol=0)
    torch.testing.assert_close(means.mean(0), expected, atol=0.015, rtol=0)


@pytest.mark.parametrize("units", [BERNOULLI, GAUSSIAN])
def test_annealing_from_both_ends_meets_at_log_partition(units: Units) -> None:
    """Smaller weights for real-valued pixels, whose log Z is a sum over the states of the hidden units."""
    machine, v, h, energies = listed(MACHINES[4])
    exact = energies.flatten().logsumexp(0)
    if units is GAUSSIAN:
        machine = machine._replace(weight=machine.weight / 2)
        inputs = convolutional_boltzmann.visible_inputs(machine, h).flatten(1)
        exact = (h.sum((2, 3)) @ machine.hidden_bias + units.log_partition(inputs)).logsumexp(0)
    draws, betas = torch.Generator().manual_seed(0), annealing.inverse_temperatures(1_000)
    base = torch.full(v.shape[1:], 0.2, dtype=torch.float64)
    up = annealing.forward_log_partition(machine, base, betas, 300, draws, units)
    _, samples = convolutional_boltzmann.gibbs(machine, v[:1].expand(300, -1, -1, -1), 300, draws, units)
    down = annealing.reverse_log_partition(machine, base, betas, samples, draws, units)
    for estimate in (up, down):
        assert estimate.value == pytest.approx(float(exact), abs=0.1)
        assert estimate.low < float(exact) < estimate.high
