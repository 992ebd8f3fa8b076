"""Annealed importance sampling against exact log Z on seeded small machines: errors, and how often 3 sigma cover.

python benchmarks/annealing.py [--machines 100] [--temperatures 14500]
"""

import argparse

import torch

from sandbox.core.rng import Rng
from sandbox.ops import annealing, boltzmann
from sandbox.ops.boltzmann import Machine


def machine_of(seed: int) -> Machine:
    """20 visible and 15 hidden units, weights and biases N(0, 1): as far from independent as trained ones."""
    draws = torch.Generator().manual_seed(seed)
    return Machine(*(torch.randn(shape, generator=draws) for shape in ((20, 15), (20,), (15,))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=100)
    parser.add_argument("--temperatures", type=int, default=14_500)
    parser.add_argument("--chains", type=int, default=100)
    args = parser.parse_args()
    betas, errors, covered, brackets = annealing.temperatures(args.temperatures), [], 0, 0
    for seed in range(args.machines):
        machine, draws = machine_of(seed), Rng(seed).torch("annealing", torch.device("cpu"))
        exact = float(boltzmann.log_partition(machine))
        base = annealing.base_bias(torch.full((20,), 0.5))
        up = annealing.upward(machine, base, betas, args.chains, draws)
        _, samples = boltzmann.gibbs(machine, torch.zeros(args.chains, 20), 2_000, draws)
        down = annealing.downward(machine, base, betas, samples, draws)
        errors.append(up.value - exact)
        covered += up.low <= exact <= up.high
        brackets += up.low <= exact <= down.high
        print(f"seed={seed} exact={exact:.3f} up={up.value - exact:+.4f} down={down.value - exact:+.4f}", flush=True)
    error = torch.tensor(errors).abs()
    print(
        f"machines={args.machines} largest_error={error.max():.4f} mean_error={error.mean():.4f} nats "
        f"three_sigma_cover={covered} brackets_cover={brackets}"
    )


if __name__ == "__main__":
    main()
