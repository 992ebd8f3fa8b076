"""Errors of annealed importance sampling against the exact log Z of small random machines, and their coverage.

python benchmarks/annealing.py [--machines 100] [--temperatures 14500]
"""

import argparse

import torch

from sandbox.core.rng import Rng
from sandbox.ops import annealing, boltzmann
from sandbox.ops.boltzmann import RBMParameters


def random_rbm(seed: int) -> RBMParameters:
    """Return 20 visible and 15 hidden units with weights and biases N(0, 1), as dependent as those of trained ones."""
    generator = torch.Generator().manual_seed(seed)
    return RBMParameters(*(torch.randn(shape, generator=generator) for shape in ((20, 15), (20,), (15,))))


def main() -> None:
    """Estimate log Z of every machine, forward and in reverse."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=100)
    parser.add_argument("--temperatures", type=int, default=14_500)
    parser.add_argument("--chains", type=int, default=100)
    args = parser.parse_args()
    betas = annealing.inverse_temperatures(args.temperatures)
    base = annealing.base_bias(torch.full((20,), 0.5))
    errors, covered, brackets = [], 0, 0
    for seed in range(args.machines):
        rbm, generator = random_rbm(seed), Rng(seed).torch("annealing", torch.device("cpu"))
        exact = float(boltzmann.log_partition(rbm))
        forward = annealing.forward_log_partition(rbm, base, betas, args.chains, generator)
        _, samples = boltzmann.gibbs(rbm, torch.zeros(args.chains, 20), 2_000, generator)
        reverse = annealing.reverse_log_partition(rbm, base, betas, samples, generator)
        errors.append(forward.value - exact)
        if forward.low <= exact <= forward.high:
            covered += 1
        if forward.low <= exact <= reverse.high:
            brackets += 1
        print(
            f"seed={seed} exact={exact:.3f} forward={forward.value - exact:+.4f} reverse={reverse.value - exact:+.4f}",
            flush=True,
        )
    error = torch.tensor(errors).abs()
    print(
        f"machines={args.machines} largest_error={error.max():.4f} mean_error={error.mean():.4f} nats "
        f"three_sigma_cover={covered} brackets_cover={brackets}"
    )


if __name__ == "__main__":
    main()
