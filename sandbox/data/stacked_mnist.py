"""Stacked MNIST: three random digits as the red, green and blue of one image, a thousand modes to be counted.

Paper: Metz et al. 2017, "Unrolled Generative Adversarial Networks", section 3.3.1; with the 28x28 pixels of Lin et al.
2018, "PacGAN".
"""

from typing import Literal

import torch
from pydantic import PositiveInt

from sandbox.core.rng import Rng
from sandbox.data.mnist import MnistConfig
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns


class StackedMnistConfig(DataConfig):
    """`root`: as data.name=mnist has it. An image takes 2352 bytes, so `count` = 50,000 are 118 MB."""

    name: Literal["stacked_mnist"] = "stacked_mnist"
    root: str | None = None
    count: PositiveInt = 50_000
    test_count: PositiveInt = 10_000

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """[N, 3, 28, 28] of MNIST's training digits to train and of its test digits to test; labels 0..999.

        Raises:
            UserError: if MNIST's files are not there, or not MNIST's.
        """
        digits = MnistConfig(root=self.root).make(rng, runs)
        assert digits.train_labels is not None
        assert digits.test_labels is not None
        generator = rng.torch("stacked_mnist", torch.device("cpu"))
        train, train_labels = stack(digits.train, digits.train_labels, self.count, generator)
        test, test_labels = stack(digits.test, digits.test_labels, self.test_count, generator)
        return DataSet(train, test, False, train_labels, test_labels)

    def channel(self) -> DataConfig:
        """Of whose ten classes the thousand are made: a classifier of those counts them."""
        return MnistConfig(root=self.root)


def stack(
    digits: torch.Tensor, labels: torch.Tensor, count: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Digits [M, 1, H, W] of classes d [M] -> images [count, 3, H, W] and 100 d0 + 10 d1 + d2 of their channels."""
    drawn = torch.randint(len(digits), (count, 3), generator=generator)
    return digits[:, 0][drawn], labels[drawn] @ torch.tensor([100, 10, 1])
