"""Recall of the same patterns by all associative memories: python benchmarks/recall.py docs/images/recall.png

Six models learn the first ten different digits of scikit-learn, 8x8, in black and white. Then 100 copies of each
pattern are damaged, either by flipping each pixel with a probability, or by hiding the lower half, which the models
know to be missing. A pattern is recovered if all 64 pixels are right after thresholding at 1/2. The Hopfield networks
store the patterns as their configs do; the machines are trained on the ten patterns only. Prints a table in Markdown.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import torch

from sandbox.core.compute import choose
from sandbox.core.rng import Rng
from sandbox.data.digits import DigitsConfig
from sandbox.generators._boltzmann.pattern_store import PatternStore
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.media.corruption import corrupt_pixels, known_half
from sandbox.media.curve import canvas, save
from sandbox.runs.resolve import member
from sandbox.streams.labeled import Labeled

PATTERNS, COPIES, BATCH = 10, 100, 100
CD = {"name": "contrastive"}  # of ten images, persistent chains need a rate that is finely tuned
FLIPS = [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]


def lr(start: float, steps: int) -> dict[str, float]:
    """Return a learning rate that falls to 0."""
    return {"start": start, "end": 0.0, "steps": steps}


MODELS: dict[str, tuple[int, dict[str, Any]]] = {  # updates and options
    "hopfield": (1, {"storage": {"name": "projection"}}),
    "modern_hopfield": (1, {"beta": 2.0}),
    "boltzmann_machine": (3_000, {"hidden_size": 16, "lr": lr(0.05, 3_000)}),
    "rbm": (10_000, {"backbone": {"hidden": [64]}, "learning": {"chains": CD, "lr": lr(0.1, 10_000)}}),
    "dbn": (
        10_000,
        {
            "backbone": {"hidden": [64, 64]},
            "pretraining_steps": 5_000,
            "learning": {"chains": CD, "lr": lr(0.1, 5_000)},
        },
    ),
    "dbm": (
        12_000,
        {
            "backbone": {"hidden": [64, 32]},
            "pretraining_steps": 1_000,
            "learning": {"lr": lr(0.02, 10_000), "centering": 0.01},
        },
    ),
}


def digits() -> torch.Tensor:
    """Return the first ten different digits, [10, 1, 8, 8], bytes."""
    images = DigitsConfig.model_validate({"binarize": "threshold"}).make(Rng(0), NO_RUNS).train
    store = PatternStore(PATTERNS, 64)
    store.add(images.flatten(1).float() / 255)
    return (store.stored() * 255).to(torch.uint8).view(-1, 1, 8, 8)


def trained(name: str, patterns: torch.Tensor) -> Any:
    """Return a model that has learned the patterns."""
    updates, options = MODELS[name]
    config = member("generators", {"name": name, **options}, "generator")
    model = config.make(Spec((1, 8, 8)), Rng(0), choose("cpu"), NO_RUNS)
    batch = patterns.repeat(BATCH // len(patterns), 1, 1, 1)
    for _ in range(updates):
        model.update(Labeled(batch, None) if name in ("dbn", "dbm") else batch)
    return model


@torch.no_grad()
def rates(model: Any, patterns: torch.Tensor) -> list[float]:
    """Return the share of recovered patterns for each fraction of flipped pixels, and for a hidden half."""
    originals = (patterns.float() / 255).repeat(COPIES, 1, 1, 1)
    draws, found = Rng(1).torch("benchmark/damage", originals.device), []
    for fraction in FLIPS:
        found.append(model.recall(corrupt_pixels(originals, fraction, "flip", draws)))
    known = known_half((8, 8), "half")
    found.append(model.recall(originals * known, known))
    return [float(((images >= 0.5) == (originals >= 0.5)).flatten(1).all(1).float().mean()) for images in found]


def main() -> None:
    """Train all models, print the table and write the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    patterns = digits()
    figure, (axes,) = canvas()
    shown = FLIPS[::2]
    print("|".join(["", " model ", *(f" {fraction:.0%} flipped " for fraction in shown), " half hidden ", ""]))
    print("|---" * (len(shown) + 2) + "|")
    for number, name in enumerate(MODELS):
        began = time.perf_counter()
        *flipped, half = rates(trained(name, patterns), patterns)
        cells = [f"{rate:.2f}" for rate in (*flipped[::2], half)]
        print(f"| `{name}` | {' | '.join(cells)} |  <!-- {time.perf_counter() - began:.0f} s -->", flush=True)
        axes.plot(FLIPS, flipped, "o-", markersize=3, label=name, color=f"C{number}")
        axes.plot([0.56 + 0.006 * number], [half], "s", color=f"C{number}")
    axes.axvline(0.53, color="gray", linewidth=0.8)
    axes.set_xticks([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.575], ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "half\nhidden"])
    axes.set(xlabel="fraction of the pixels that is flipped", ylabel="share of patterns recovered exactly")
    axes.legend()
    save(args.out, figure)
    print(args.out)


if __name__ == "__main__":
    main()
