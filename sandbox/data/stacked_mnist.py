"""Stacked MNIST: three random digits as the red, green and blue channel of one image, which makes a thousand modes.

Paper: Metz et al. 2017, "Unrolled Generative Adversarial Networks", section 3.3.1; with the 28x28 pixels of Lin et al.
2018, "PacGAN".
"""

from typing import Literal

import torch
from pydantic import Field

from sandbox.config.numbers import NumImages
from sandbox.core.rng import Rng
from sandbox.data._roots import Root
from sandbox.data.mnist import MnistConfig
from sandbox.interfaces.dataset import DataConfig, DataSet, Stacked
from sandbox.interfaces.runs import OtherRuns


class StackedMnistConfig(DataConfig, Stacked):
    """Options of Stacked MNIST (Metz et al. 2017)."""

    name: Literal["stacked_mnist"] = "stacked_mnist"
    root: Root | None = Field(
        None, description="folder with MNIST's files, or with mnist/; null: $SANDBOX_DATA, or else ./data"
    )
    count: NumImages = Field(50_000, description="number of training images; each takes 2352 bytes")
    test_count: NumImages = Field(10_000, description="number of test images")

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Stack MNIST's training digits to training images, and its test digits to test images.

        Returns:
            Images [N, 3, 28, 28], with labels 0..999.

        Raises:
            UserError: If MNIST's files are missing, or are not MNIST's.
        """
        digits = MnistConfig(root=self.root).make(rng, runs)
        assert digits.train_labels is not None
        assert digits.test_labels is not None
        generator = rng.torch("stacked_mnist", torch.device("cpu"))
        train, train_labels = stack(digits.train, digits.train_labels, self.count, generator)
        test, test_labels = stack(digits.test, digits.test_labels, self.test_count, generator)
        return DataSet(train, test, False, train_labels, test_labels)

    def channel(self) -> DataConfig:
        """Return the config of MNIST, whose classifier recognizes the digit in each channel."""
        return MnistConfig(root=self.root)


def stack(
    digits: torch.Tensor, labels: torch.Tensor, count: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw three digits for each image.

    Args:
        digits: Images of digits, [M, 1, H, W].
        labels: Their classes, [M].
        count: Number of stacked images.
        generator: Random numbers, on the CPU.

    Returns:
        Images [count, 3, H, W] and labels 100 d0 + 10 d1 + d2, [count], from the classes d of the channels.
    """
    drawn = torch.randint(len(digits), (count, 3), generator=generator)
    return digits[:, 0][drawn], labels[drawn] @ torch.tensor([100, 10, 1])
