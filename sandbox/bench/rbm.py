"""Restricted Boltzmann machine: images per second, against scikit-learn; 784 x 500 units, persistent chains.

Both learn from the same black and white images, as bright as MNIST's, in batches of 100 with 100 chains; then ours with
the batch size at which it is fastest, and theirs with its default of 10 (in fp32, where it is faster). Ours shuffles
the images in every epoch, theirs does not. The limit is the speed of an update's five products alone, measured with
matrices of the same shapes.
"""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import torch
from sklearn.neural_network import BernoulliRBM

from sandbox.bench._measure import Row, rates, trainer
from sandbox.bench._products import operations, products_rate
from sandbox.core.compute import Compute, PrecisionName, bf16_pays, choose
from sandbox.core.rng import Rng
from sandbox.generators.rbm import RBMConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS
from sandbox.streams.shuffled import ShuffledConfig
from sandbox.training.loop import Run

IMAGES, VISIBLE, HIDDEN, BRIGHT = 10_000, 784, 500, 0.13
BATCHES = (100, 500)  # the size of both sides, and the size at which ours is fastest on the CPUs tried


def rows() -> Iterator[Row]:
    """Measure images per second."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    images = random_images()
    floats = (images.flatten(1) == 255).numpy().astype(np.float32)
    precisions: tuple[PrecisionName, ...] = ("fp32", "bf16") if bf16_pays(device) else ("fp32",)
    sides, limits = {}, {}
    for precision, batch in product(precisions, BATCHES):
        compute = choose(precision=precision)
        run = training_run(images, batch, compute)
        limits[precision, batch] = batch * _products_rate(batch, compute) / operations(run)
        sides[precision, batch] = _images(trainer(run, 10), batch)
    *ours, same, default = rates(*sides.values(), _theirs(floats, 100), _theirs(floats, 10))
    speeds = dict(zip(sides, ours, strict=True))
    for (precision, batch), speed in speeds.items():
        if batch == BATCHES[0]:
            what = f"RBM on {device.type}, {precision}, both batch 100"
            yield Row(what, "images/s", speed, same, limits[precision, batch])
    best = max(speeds, key=speeds.__getitem__)
    what = f"RBM on {device.type}, {best[0]}, batch {best[1]}, theirs 10"
    yield Row(what, "images/s", speeds[best], default, limits[best])


def random_images() -> torch.Tensor:
    """Return black and white images, as bright as MNIST's."""
    draws = torch.Generator().manual_seed(0)
    return (torch.rand(IMAGES, 1, VISIBLE, 1, generator=draws) < BRIGHT).to(torch.uint8) * 255


def training_run(images: torch.Tensor, batch: int, compute: Compute) -> Run:
    """Return the training of our RBM, without side effects."""
    learning = {"chains": {"count": batch}}
    config = RBMConfig.model_validate({"backbone": {"hidden": [HIDDEN]}, "learning": learning})
    data, rng = DataSet(images, images[:1], binary=True), Rng(0)
    learner = config.make(data.spec, rng, compute, NO_RUNS)
    return Run(learner, ShuffledConfig(batch_size=batch).make(data, learner, rng, compute), rng)


def _images(learn: Callable[[], int], batch: int) -> Callable[[], int]:
    return lambda: learn() * batch


def _products_rate(batch: int, compute: Compute) -> float:
    """Return the operations per second of the products of an update: hidden, visible, hidden, and the gradient."""
    up, down = (batch, VISIBLE, HIDDEN), (batch, HIDDEN, VISIBLE)
    return products_rate(compute, [up, down, up, (HIDDEN, 2 * batch, VISIBLE)])


def _theirs(images: np.ndarray, batch: int) -> Callable[[], int]:
    some = images[:2_000]
    model = BernoulliRBM(HIDDEN, batch_size=batch, n_iter=1, random_state=0)

    def learn() -> int:
        model.fit(some)
        return len(some)

    return learn
