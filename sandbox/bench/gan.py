"""DCGAN: images per second, against a plain PyTorch loop of the same networks with a `DataLoader`; 28 x 28 in gray.

Theirs follows PyTorch's DCGAN tutorial: a `Dataset` that converts one image at a time to floats in [-1, 1], logits into
`BCEWithLogitsLoss`, `backward` and Adam for the discriminator on real and on generated images, then for the generator,
all in fp32. The faster of no workers and two workers counts. Ours also averages the generator's weights and measures
the norms of both gradients. Both have batches of 64 first; then ours has the batch size at which it is fastest. The
limit is the speed of an update's convolutions and products alone, at the rate of a product of large matrices or of the
second convolution's shape, whichever is higher.
"""

from collections.abc import Callable, Iterator
from itertools import product

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from sandbox.bench._measure import Row, rates, trainer
from sandbox.bench._products import matmul_rate, operations, products_rate
from sandbox.core.compute import Compute, PrecisionName, bf16_pays, choose
from sandbox.core.rng import Rng
from sandbox.generators.dcgan import DCGANConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS
from sandbox.streams.shuffled import ShuffledConfig
from sandbox.training.loop import Run

IMAGES, SIDE, LATENT, WIDTHS = 10_000, 28, 100, (64, 128)
BATCHES = (64, 256)  # the size of both sides, and the size at which ours is fastest on the CPUs tried
WORKERS = (0, 2)


def rows() -> Iterator[Row]:
    """Measure images per second."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    images = random_images()
    precisions: tuple[PrecisionName, ...] = ("fp32", "bf16") if bf16_pays(device) else ("fp32",)
    sides, limits = {}, {}
    for precision, batch in product(precisions, BATCHES):
        compute = choose(precision=precision)
        run = training_run(images, batch, compute)
        low, high = WIDTHS
        rate = max(matmul_rate(compute), products_rate(compute, [(batch * (SIDE // 4) ** 2, low * 4**2, high)]))
        limits[precision, batch] = batch * rate / operations(run)
        sides[precision, batch] = _shown(trainer(run, 1), batch)
    found = rates(*sides.values(), *(_theirs(images, workers, device) for workers in WORKERS))
    speeds, theirs = dict(zip(sides, found, strict=False)), max(found[len(sides) :])
    for (precision, batch), speed in speeds.items():
        if batch == BATCHES[0]:
            what = f"DCGAN on {device.type}, {precision}, both batch {batch}"
            yield Row(what, "images/s", speed, theirs, limits[precision, batch])
    best = max(speeds, key=speeds.__getitem__)
    what = f"DCGAN on {device.type}, {best[0]}, batch {best[1]}, theirs {BATCHES[0]}"
    yield Row(what, "images/s", speeds[best], theirs, limits[best])


def random_images() -> torch.Tensor:
    """Return images of noise; their content does not matter for the speed."""
    return torch.randint(256, (IMAGES, 1, SIDE, SIDE), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def training_run(images: torch.Tensor, batch: int, compute: Compute) -> Run:
    """Return the training of our DCGAN, without side effects."""
    config = DCGANConfig.model_validate({"latent_size": LATENT, "backbone": {"name": "strided", "channels": WIDTHS}})
    data, rng = DataSet(images, images[:1]), Rng(0)
    learner = config.make(data.spec, rng, compute, NO_RUNS)
    return Run(learner, ShuffledConfig(batch_size=batch).make(data, learner, rng, compute), rng)


def _shown(learn: Callable[[], int], batch: int) -> Callable[[], int]:
    return lambda: learn() * batch


class _Images(Dataset[torch.Tensor]):
    def __init__(self, images: torch.Tensor) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self._images[index].float() / 127.5 - 1


def _weights(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)


def _networks(device: torch.device) -> tuple[nn.Module, nn.Module]:
    """Return a discriminator and a generator with the layers of ours."""
    low, high = WIDTHS
    quarter = SIDE // 4
    discriminator = nn.Sequential(
        nn.Conv2d(1, low, 4, 2, 1),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(low, high, 4, 2, 1, bias=False),
        nn.BatchNorm2d(high),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Flatten(),
        nn.Linear(high * quarter**2, 1),
    )
    generator = nn.Sequential(
        nn.Linear(LATENT, high * quarter**2, bias=False),
        nn.Unflatten(1, (high, quarter, quarter)),
        nn.BatchNorm2d(high),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(high, low, 4, 2, 1, bias=False),
        nn.BatchNorm2d(low),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(low, 1, 4, 2, 1),
        nn.Tanh(),
    )
    return discriminator.apply(_weights).to(device), generator.apply(_weights).to(device)


def _theirs(images: torch.Tensor, workers: int, device: torch.device) -> Callable[[], int]:
    discriminator, generator = _networks(device)
    loader = DataLoader(_Images(images), BATCHES[0], shuffle=True, drop_last=True, num_workers=workers)
    criterion = nn.BCEWithLogitsLoss()
    to_discriminator = torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999))
    to_generator = torch.optim.Adam(generator.parameters(), 2e-4, (0.5, 0.999))
    batches = iter(loader)

    def learn() -> int:
        nonlocal batches
        batch = next(batches, None)
        if batch is None:
            batches = iter(loader)
            batch = next(batches)
        real = batch.to(device)
        ones, zeros = torch.ones(len(real), 1, device=device), torch.zeros(len(real), 1, device=device)
        discriminator.zero_grad()
        criterion(discriminator(real), ones).backward()
        fake = generator(torch.randn(len(real), LATENT, device=device))
        criterion(discriminator(fake.detach()), zeros).backward()
        to_discriminator.step()
        generator.zero_grad()
        criterion(discriminator(fake), ones).backward()
        to_generator.step()
        return len(real)

    return learn
