"""Regularizers of an autoencoder's code: sparsity, and a small Jacobian."""

import torch


def bernoulli_kl(target: float, mean: torch.Tensor) -> torch.Tensor:
    """Return KL(Bernoulli(target) || Bernoulli(mean)) of each unit (Ng 2011, "Sparse autoencoder"); any shape.

    The mean is clamped to 1e-6 from 0 and 1, where the divergence would be infinite.
    """
    mean = mean.clamp(1e-6, 1 - 1e-6)
    return target * (target / mean).log() + (1 - target) * ((1 - target) / (1 - mean)).log()


def jacobian_norm_estimate(codes: torch.Tensor, inputs: torch.Tensor, probe: torch.Tensor) -> torch.Tensor:
    """Return ||J^T probe||^2 with J = dcodes/dinputs of each row, [B], differentiable.

    Its mean is ||J||_F^2 if the probe's entries are uncorrelated with mean 0 and variance 1 (Hutchinson 1990): one
    backward pass for any network, where the exact norm takes Z.

    Args:
        codes: [B, Z].
        inputs: [B, ...].
        probe: [B, Z], such as `random_signs`.
    """
    (product,) = torch.autograd.grad(codes, inputs, probe, create_graph=True)
    return product.flatten(1).square().sum(1)


def random_signs(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> torch.Tensor:
    """Draw -1.0 or 1.0 with equal probability, the probes of least variance."""
    return torch.randint(2, shape, generator=generator, device=device).float() * 2 - 1
