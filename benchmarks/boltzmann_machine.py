"""Accuracy of simulated annealing in a Boltzmann machine: python benchmarks/boltzmann_machine.py [--units 10]

Total variation between the states of many chains, all annealed from the same state, and the enumerated distribution,
for random machines (weights and biases N(0, scale^2)). `noise` is the total variation of as many independent samples
of the exact distribution, which no sampler can beat.
"""

import argparse
import time

import torch

from sandbox.ops import boltzmann, boltzmann_machine
from sandbox.ops.boltzmann_machine import BoltzmannParameters

TEMPERATURES = [4.0, 3.0, 2.0, 1.5, 1.2, *[1.0] * 12]


def distances(units: int, scale: float, seed: int, chains: int) -> tuple[float, float]:
    """Return the total variation of annealed states and that of independent samples."""
    draws = torch.Generator().manual_seed(seed)
    upper = scale * torch.randn(units, units, generator=draws).triu(1)
    machine = BoltzmannParameters(upper + upper.T, scale * torch.randn(units, generator=draws))
    powers = 2 ** torch.arange(units)
    every_state = torch.cat(list(boltzmann.all_states(units, torch.device("cpu"))))
    p = (-boltzmann_machine.energy(BoltzmannParameters(*(tensor.double() for tensor in machine)), every_state)).softmax(
        0
    )
    seen = torch.zeros(2**units, dtype=torch.int64)
    for part in torch.zeros(chains, units).split(250_000):  # what fits into the cache
        states = boltzmann_machine.anneal(machine, part, TEMPERATURES, 0, draws)
        seen += torch.bincount((states.long() * powers).sum(1), minlength=2**units)
    independent = torch.bincount(torch.multinomial(p, chains, replacement=True, generator=draws), minlength=2**units)
    return tuple(float((counts.double() / chains - p).abs().sum() / 2) for counts in (seen, independent))


def main() -> None:
    """Print the distances for every scale and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=10)
    parser.add_argument("--chains", type=int, default=2_000_000)
    parser.add_argument("--scales", type=float, nargs="+", default=[0.5, 1.0, 2.0])
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    for scale in args.scales:
        for seed in range(args.seeds):
            began = time.perf_counter()
            ours, noise = distances(args.units, scale, seed, args.chains)
            print(
                f"{args.units} units, scale {scale:g}, seed {seed}: total variation {ours:.4f}, noise {noise:.4f}, "
                f"{args.chains} chains, {time.perf_counter() - began:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
