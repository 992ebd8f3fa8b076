"""What keeps an autoencoder's code from being a copy: sparsity, and a small Jacobian."""

import torch


def bernoulli_kl(target: float, mean: torch.Tensor) -> torch.Tensor:
    """KL(Bernoulli(target) || Bernoulli(mean)) of each unit (Ng 2011, "Sparse autoencoder"); any shape.

    A mean nearer to 0 or 1 than 1e-6 counts as that near: fp32 would make it infinite.
    """
    mean = mean.clamp(1e-6, 1 - 1e-6)
    return target * (target / mean).log() + (1 - target) * ((1 - target) / (1 - mean)).log()


def sigmoid_jacobian_norm(h: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """||dh/dx||_F^2 of h = sigmoid(weight x + bias), in closed form (Rifai et al. 2011): [B, Z], [Z, X] -> [B]."""
    return (h * (1 - h)).square() @ weight.square().sum(1)


def jacobian_norm_estimate(codes: torch.Tensor, inputs: torch.Tensor, probe: torch.Tensor) -> torch.Tensor:
    """||J^T probe||^2 with J = dcodes/dinputs of each row: [B, Z], [B, ...] and [B, Z] -> [B], differentiable.

    Its mean is ||J||_F^2 if the probe's entries have mean 0, variance 1 and do not hang together (Hutchinson 1990):
    one backward pass for any network, where the exact norm takes Z.
    """
    (pulled,) = torch.autograd.grad(codes, inputs, probe, create_graph=True)
    return pulled.flatten(1).square().sum(1)


def signs(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> torch.Tensor:
    """-1.0 or 1.0, a half each: of all such probes, those with the least variance."""
    return torch.randint(2, shape, generator=generator, device=device).float() * 2 - 1
