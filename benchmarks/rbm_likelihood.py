"""Likelihood and speed of an RBM of 500 units on MNIST: this one in large batches, and scikit-learn's.

Both train on the 60,000 images (each gray value a probability, drawn once) for the same number of epochs. The nats of
the 10,000 test images are those of forward annealed importance sampling (14,500 temperatures, 100 chains).
`--theirs-batch 10 --theirs-lr 0.1` are scikit-learn's defaults.

SANDBOX_DATA=... python benchmarks/rbm_likelihood.py [--epochs 10]
"""

import argparse
from time import perf_counter

import numpy as np
import torch
from sklearn.neural_network import BernoulliRBM

from sandbox.core.compute import choose
from sandbox.core.rng import Rng
from sandbox.data.mnist import MnistConfig
from sandbox.generators._boltzmann.rbm_layer import RBMLayer
from sandbox.generators.rbm import RBMConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS
from sandbox.ops import annealing, boltzmann
from sandbox.ops.boltzmann import RBMParameters
from sandbox.streams.shuffled import ShuffledConfig
from sandbox.training.loop import Run


def nats(machine: RBMParameters, data: DataSet, temperatures: int) -> tuple[float, annealing.LogPartition]:
    """Return the mean log-likelihood of the test images, and log Z."""
    test = (data.test == 255).float().flatten(1)
    base = annealing.base_bias((data.train == 255).float().flatten(1).mean(0))
    draws = torch.Generator().manual_seed(0)
    log_z = annealing.forward_log_partition(machine, base, annealing.inverse_temperatures(temperatures), 100, draws)
    return float(-boltzmann.free_energy(machine, test).mean()) - log_z.value, log_z


def ours(data: DataSet, epochs: int, batch: int, lr: float, centering: float) -> tuple[RBMParameters, float]:
    """Train this RBM; return its parameters and the seconds."""
    updates = epochs * len(data.train) // batch
    learning = {
        "chains": {"count": batch},
        "lr": {"start": lr, "end": 0.0, "steps": updates},
        "momentum": {"start": 0.0, "end": 0.0},
        "centering": centering,
    }
    rng, compute = Rng(0), choose("cpu", "auto")
    rbm = RBMConfig.model_validate({"backbone": {"hidden": [500]}, "learning": learning}).make(
        data.spec, rng, compute, NO_RUNS
    )
    run = Run(rbm, ShuffledConfig(batch_size=batch).make(data, rbm, rng, compute), rng)
    start = perf_counter()
    for _ in zip(range(updates), run.steps(), strict=False):
        pass
    layer = rbm.parts()["machine"]
    assert isinstance(layer, RBMLayer)
    return layer.rbm(), perf_counter() - start


def theirs(data: DataSet, epochs: int, batch: int, lr: float) -> tuple[RBMParameters, float]:
    """Train scikit-learn's RBM; return its parameters and the seconds."""
    model = BernoulliRBM(500, batch_size=batch, learning_rate=lr, n_iter=epochs, random_state=0)
    images = (data.train == 255).numpy().reshape(len(data.train), -1).astype(np.float32)
    start = perf_counter()
    model.fit(images)
    spent = perf_counter() - start
    weights = (model.components_.T, model.intercept_visible_, model.intercept_hidden_)
    return RBMParameters(*(torch.from_numpy(np.ascontiguousarray(w, np.float32)) for w in weights)), spent


def main() -> None:
    """Train both and print their likelihoods and speeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--theirs-batch", type=int, default=10)
    parser.add_argument("--theirs-lr", type=float, default=0.1)
    parser.add_argument("--temperatures", type=int, default=14_500)
    parser.add_argument("--centering", type=float, default=0.01)
    parser.add_argument("--flip", action="store_true", help="black on white: 1 - x instead of x")
    parser.add_argument("--only", choices=("ours", "theirs"))
    args = parser.parse_args()
    data = MnistConfig(binarize="sample").make(Rng(0), NO_RUNS)
    if args.flip:
        data = DataSet(255 - data.train, 255 - data.test, binary=True)
    sides = {
        "ours": lambda: ours(data, args.epochs, args.batch, args.lr, args.centering),
        "theirs": lambda: theirs(data, args.epochs, args.theirs_batch, args.theirs_lr),
    }
    for name, train in sides.items():
        if args.only in (None, name):
            machine, seconds = train()
            mean, log_z = nats(machine, data, args.temperatures)
            print(
                f"{name}: {mean:.2f} nats (log Z {log_z.low:.2f} to {log_z.high:.2f}), {seconds:.0f} s, "
                f"{args.epochs * len(data.train) / seconds:,.0f} images/s",
                flush=True,
            )


if __name__ == "__main__":
    main()
