"""The convolutional restricted Boltzmann machine with probabilistic max pooling.

Energy: E(v, h) = e(v) - sum_k h_k · (W_k * v + b_k) - c · v, where * is the convolution of neural networks (without
flipping), and at most one detection unit is on in each block of P x P of a map. The block's pooling unit is on if one
of them is. So a block has P^2 + 1 states, and P = 1 leaves independent binary units.

Paper: Lee, Grosse, Ranganath & Ng 2009, "Convolutional Deep Belief Networks for Scalable Unsupervised Learning of
Hierarchical Representations". Throughout: v is [B, C, H, W]; detection units h and their inputs are [B, K, H', W'];
pooling units are [B, K, H' / P, W' / P]. All are floats.
"""

from typing import NamedTuple

import torch
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight

from sandbox.ops.units import BERNOULLI, Units

_FEW = 4  # channels


class ConvRBMParameters(NamedTuple):
    """Weights [K, C, S, S], visible biases [C] and hidden biases [K], with padding and pooling of the maps."""

    weight: torch.Tensor
    visible_bias: torch.Tensor
    hidden_bias: torch.Tensor
    padding: int
    pool: int

    # The interface `Annealed` of `sandbox.ops.annealing`

    def visible_biases(self) -> torch.Tensor:
        return self.visible_bias[:, None, None]

    def hidden_inputs(self, v: torch.Tensor) -> torch.Tensor:
        return detection_inputs(self, v)

    def hidden_log_partition(self, x: torch.Tensor) -> torch.Tensor:
        return F.softplus(pooling_inputs(x, self.pool)).flatten(1).sum(1)

    def sample_hidden(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return sample_blocks(detection_probabilities(x, self.pool), self.pool, generator)

    def visible_inputs(self, h: torch.Tensor, bias: torch.Tensor, scale: float) -> torch.Tensor:
        return scale * transposed(self, h) + bias


class ConvRBMGradient(NamedTuple):
    """The gradient of each tensor of `ConvRBMParameters`."""

    weight: torch.Tensor
    visible_bias: torch.Tensor
    hidden_bias: torch.Tensor


def detection_inputs(rbm: ConvRBMParameters, v: torch.Tensor) -> torch.Tensor:
    """Return the inputs of the detection units, W * v + b: [B, K, H', W']."""
    return F.conv2d(v, rbm.weight, rbm.hidden_bias, padding=rbm.padding)


def visible_inputs(rbm: ConvRBMParameters, h: torch.Tensor) -> torch.Tensor:
    """Return the inputs of the visible units, [B, C, H, W]."""
    return transposed(rbm, h) + rbm.visible_bias[:, None, None]


def transposed(rbm: ConvRBMParameters, h: torch.Tensor) -> torch.Tensor:
    """Return the transposed convolution of the detection units with the weights, [B, C, H, W]."""
    weight, _, _, padding, _ = rbm
    if weight.shape[1] > _FEW or h.device.type != "cpu":
        return F.conv_transpose2d(h, weight, padding=padding)
    # With few channels, PyTorch's kernels take five times as long as a product of matrices.
    kernel = weight.shape[2:]
    size = [maps + side - 1 - 2 * padding for maps, side in zip(h.shape[2:], kernel, strict=True)]
    patches = weight.flatten(1).T @ h.flatten(2)  # [B, C * S * S, H' * W']
    return F.fold(patches, (size[0], size[1]), (kernel[0], kernel[1]), padding=padding)


def visible_means(rbm: ConvRBMParameters, h: torch.Tensor, visible: Units = BERNOULLI) -> torch.Tensor:
    """Return the mean of v given the detection units, [B, C, H, W]."""
    return visible.mean(visible_inputs(rbm, h))


def pooling_inputs(inputs: torch.Tensor, pool: int) -> torch.Tensor:
    """Return log sum exp of each block's inputs, [B, K, H' / P, W' / P]: the log-odds that its pooling unit is on."""
    return _blocks(inputs, pool).logsumexp(2)


def pooling_probabilities(inputs: torch.Tensor, pool: int) -> torch.Tensor:
    """Return sum exp / (1 + sum exp) of each block: the probability that its pooling unit is on."""
    return torch.sigmoid(pooling_inputs(inputs, pool))


def detection_probabilities(inputs: torch.Tensor, pool: int) -> torch.Tensor:
    """Return the probability of each detection unit: the softmax of its block's inputs and 0, [B, K, H', W'].

    Inputs to a pooling unit from a layer above count for each detection unit of its block: add `spread` of them first.
    """
    blocks = _blocks(inputs, pool)
    return _maps((blocks - F.softplus(blocks.logsumexp(2, keepdim=True))).exp_(), pool)


def positions(inputs: torch.Tensor, pool: int) -> torch.Tensor:
    """Return the probability of each detection unit if its pooling unit is on, [B, K, H', W']."""
    return _maps(_blocks(inputs, pool).softmax(2), pool)


def spread(pooled: torch.Tensor, pool: int) -> torch.Tensor:
    """Repeat the value of each pooling unit for all detection units of its block, [B, K, H', W']."""
    return pooled.repeat_interleave(pool, 2).repeat_interleave(pool, 3)


def pooled_states(h: torch.Tensor, pool: int) -> torch.Tensor:
    """Return the states of the pooling units, which are on if a detection unit of their block is on."""
    return F.max_pool2d(h, pool)


def sample_blocks(probabilities: torch.Tensor, pool: int, generator: torch.Generator) -> torch.Tensor:
    """Draw the detection units, of which at most one is on in each block, by one random number for each block."""
    ends = _blocks(probabilities, pool).cumsum(2)
    shape = (*ends.shape[:2], 1, *ends.shape[3:])
    below = torch.rand(shape, generator=generator, device=ends.device) < ends  # 0 .. 0 1 .. 1, or all 0
    below[:, :, 1:] ^= below[:, :, :-1].clone()  # its first 1 alone
    return _maps(below.to(probabilities.dtype), pool)


def free_energy(rbm: ConvRBMParameters, v: torch.Tensor, visible: Units = BERNOULLI) -> torch.Tensor:
    """Return F(v) = -log sum_h exp(-E(v, h)), [B]."""
    hidden = rbm.hidden_log_partition(detection_inputs(rbm, v))
    return visible.energy(v.flatten(1)) - v.sum((2, 3)) @ rbm.visible_bias - hidden


def gibbs(
    rbm: ConvRBMParameters, v: torch.Tensor, steps: int, generator: torch.Generator, visible: Units = BERNOULLI
) -> tuple[torch.Tensor, torch.Tensor]:
    """Run `steps` Gibbs sweeps h ~ p(h | v), v ~ p(v | h); return the last mean of v and its sample."""
    means = v
    for _ in range(steps):
        p = detection_probabilities(detection_inputs(rbm, v), rbm.pool)
        means = visible_means(rbm, sample_blocks(p, rbm.pool, generator), visible)
        v = visible.sample(means, generator)
    return means, v


def gibbs_given_pooling(
    rbm: ConvRBMParameters, pooled: torch.Tensor, steps: int, generator: torch.Generator, visible: Units = BERNOULLI
) -> tuple[torch.Tensor, torch.Tensor]:
    """Run `steps` Gibbs sweeps of v and h with fixed pooling units; return the last mean of v and its sample.

    At first, the units of a block whose pooling unit is on are equally probable.

    Args:
        rbm: The machine.
        pooled: States of the pooling units, 0 or 1.
        steps: Number of sweeps.
        generator: Source of the samples.
        visible: Kind of the visible units.
    """
    on = spread(pooled, rbm.pool)
    p = on / rbm.pool**2
    for _ in range(steps):
        means = visible_means(rbm, sample_blocks(p, rbm.pool, generator), visible)
        v = visible.sample(means, generator)
        p = on * positions(detection_inputs(rbm, v), rbm.pool)
    return means, v


def gradient(rbm: ConvRBMParameters, v: torch.Tensor, p: torch.Tensor, count: int) -> ConvRBMGradient:
    """Return the gradient of the mean log-likelihood: correlations of the data minus those of the model.

    Args:
        rbm: The machine.
        v: The positive phase, `count` rows of data, and then the negative phase, samples of the machine.
        p: Probabilities of the detection units, given v.
        count: Number of rows that are data.
    """
    signs = torch.full((len(v), 1, 1, 1), -1 / (len(v) - count), dtype=p.dtype, device=v.device)
    signs[:count] = 1 / count
    signed = p * signs
    weight = conv2d_weight(v, rbm.weight.shape, signed, padding=rbm.padding)  # type: ignore[no-untyped-call]
    return ConvRBMGradient(weight, (v * signs).sum((0, 2, 3)), signed.sum((0, 2, 3)))


def _blocks(maps: torch.Tensor, pool: int) -> torch.Tensor:
    """Group [B, K, H', W'] into blocks, [B, K, P * P, H' / P, W' / P], whose units are in the order of their rows."""
    blocks = F.pixel_unshuffle(maps, pool)
    return blocks.view(maps.shape[0], -1, pool * pool, *blocks.shape[2:])


def _maps(blocks: torch.Tensor, pool: int) -> torch.Tensor:
    """Reverse `_blocks`."""
    return F.pixel_shuffle(blocks.flatten(1, 2), pool)
