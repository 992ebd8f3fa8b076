"""Capacity of Hopfield networks: python benchmarks/hopfield.py [--units 500 2000] [--seeds 8]

Capacity, Hebb's rule: asynchronous recall starts at a stored random pattern, with which its end has an overlap. In
theory (Amit, Gutfreund & Sompolinsky 1985) that is at least 0.967 up to a load of 0.138 and about 0.35 beyond. Two
readings, each with a 95 % interval:
* overlap: the load at which the mean overlap of the largest network falls through 0.967, between two loads by a
  straight line; mean over draws of the patterns, Student's t;
* crossing: a pattern is kept if the overlap is at least 0.9. Below the capacity the share of kept ones grows with the
  number of units, above it shrinks: the load at which the shares of the smallest and the largest network cross
  (bootstrap over draws).

Energy: the largest change by any flip, from E recomputed after each, at the capacity, from stored and random states.

Modern network: 10,000 random patterns of -1 and 1 in 64 dimensions, one step from the patterns, and from patterns with
some of their pixels flipped: the fraction whose signs are all right, and the mean and largest error of a pixel.
"""

import argparse
import math
import time
from itertools import pairwise

import numpy as np
import torch

from sandbox.ops import hopfield

T95 = {3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228, 11: 2.201}


def signs(count: int, units: int, draws: torch.Generator) -> torch.Tensor:
    """Draw random patterns of -1 and 1, [count, units]."""
    return torch.randint(2, (count, units), generator=draws) * 2.0 - 1


def ends(load: float, units: int, probes: int, draws: torch.Generator) -> torch.Tensor:
    """Return the overlaps [probes] of recalled states with the stored patterns that recall began at."""
    patterns = signs(round(load * units), units, draws)
    weight = hopfield.hebbian(patterns) * units  # whole numbers, so that fp32 is exact
    start = patterns[:probes]
    return (hopfield.recall(weight, start, draws) * start).mean(1)


def falls_through(loads: list[float], values: list[float], level: float) -> float:
    """Return the load at which `values` first fall through `level`."""
    for (a, high), (b, low) in pairwise(zip(loads, values, strict=True)):
        if high >= level > low:
            return a + (b - a) * (high - level) / (high - low)
    return math.nan


def capacity(sizes: list[int], seeds: int, probes: int, loads: list[float]) -> None:
    """Print both readings of the capacity."""
    overlaps, shares = (np.zeros((len(sizes), seeds, len(loads))) for _ in range(2))
    for i, units in enumerate(sizes):
        began = time.perf_counter()
        for seed in range(seeds):
            for j, load in enumerate(loads):
                draws = torch.Generator().manual_seed(units * 10_000 + seed * 100 + j)
                reached = ends(load, units, probes, draws).numpy()
                overlaps[i, seed, j], shares[i, seed, j] = reached.mean(), (reached >= 0.9).mean()
        print(f"{units} units, {seeds} draws, {probes} patterns of each; {time.perf_counter() - began:.0f} s")
        for load, overlap, share in zip(loads, overlaps[i].mean(0), shares[i].mean(0), strict=True):
            print(f"  load {load:.3f}: mean overlap {overlap:.3f}, share kept {share:.3f}", flush=True)
    each = np.array([falls_through(loads, row, 0.967) for row in overlaps[-1]])
    half = T95.get(seeds - 1, 1.96) * each.std(ddof=1) / math.sqrt(seeds)
    print(f"capacity of {sizes[-1]} units by overlap: {each.mean():.4f} +- {half:.4f} N")
    small, large = shares[0], shares[-1]
    rows = np.random.default_rng(0).integers(seeds, size=(1_000, 2, seeds))
    crossings = [falls_through(loads, large[b].mean(0) - small[a].mean(0), 0.0) for a, b in rows]
    low, high = np.nanquantile(crossings, [0.025, 0.975])
    middle = falls_through(loads, large.mean(0) - small.mean(0), 0.0)
    print(f"capacity by crossing, {sizes[0]} with {sizes[-1]} units: {middle:.4f} N, 95 % {low:.4f} to {high:.4f}")


def energy(units: int, load: float) -> None:
    """Print the largest change of the energy by a flip."""
    draws = torch.Generator().manual_seed(0)
    patterns = signs(round(load * units), units, draws).double()
    weight = hopfield.hebbian(patterns)
    start = torch.cat([patterns[:4], signs(4, units, draws).double()])
    before, level, flips, largest = start, hopfield.energy(weight, start), 0, -math.inf
    for state in hopfield.asynchronous_updates(weight, start, draws):
        now = hopfield.energy(weight, state)
        moved = (state != before).any(1)
        largest, flips = max(largest, float((now - level)[moved].max())), flips + int(moved.sum())
        before, level = state.clone(), now
    print(f"energy at load {load}: {flips} flips, the largest change of E {largest:.3g} (it never rises if below 0)")


def modern(count: int, dimensions: int, beta: float) -> None:
    """Print how well one step of the modern network recalls."""
    draws = torch.Generator().manual_seed(0)
    patterns = signs(count, dimensions, draws)
    print(f"modern network, {count} patterns in {dimensions} dimensions, beta {beta:g}, one step")
    for num_flipped in (0, 4, 8, 12):
        flipped = torch.rand(patterns.shape, generator=draws).argsort(1) < num_flipped
        corrupted = torch.where(flipped, -patterns, patterns)
        recalled = torch.cat([hopfield.retrieve(patterns, rows, beta) for rows in corrupted.split(1_000)])
        right, error = (recalled.sign() == patterns).all(1).double().mean(), (recalled - patterns).abs()
        print(
            f"  {num_flipped:2d} of {dimensions} flipped: {float(right):.4f} recalled, "
            f"error of a pixel {float(error.mean()):.2e} mean, {float(error.max()):.2e} largest"
        )


def main() -> None:
    """Measure the modern network, the energy and the capacity."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, nargs="+", default=[500, 2_000])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--probes", type=int, default=100)
    parser.add_argument("--loads", type=float, nargs="+", default=[0.12, 0.13, 0.135, 0.14, 0.145, 0.15, 0.16])
    args = parser.parse_args()
    modern(10_000, 64, 1.0)
    energy(args.units[-1], 0.138)
    capacity(args.units, args.seeds, args.probes, args.loads)


if __name__ == "__main__":
    main()
