"""Bars and stripes: black-and-white squares whose rows, or whose columns, have one color each.

Paper: MacKay 2003, "Information Theory, Inference, and Learning Algorithms", section 43.3. There are 2^(size + 1) - 2
such images, so all probabilities of a model can be computed. An image has stripes in half of the cases, bars in the
other half, and each row or column is white with probability 1/2. So the two images of one color are twice as likely as
others, and the best possible log-likelihood is -(size + 1 - 2^(1 - size)) log 2 nats.
"""

from typing import Literal

import torch
from pydantic import Field

from sandbox.config.numbers import Count
from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns


class BarsAndStripesConfig(DataConfig):
    """Options of bars and stripes (MacKay 2003)."""

    name: Literal["bars_and_stripes"] = "bars_and_stripes"
    size: int = Field(4, ge=2, le=64, description="side of an image in pixels")
    count: Count = Field(10_000, description="number of training images")
    test_count: Count = Field(1_000, description="number of test images")

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Draw images [N, 1, size, size]; the label is 0 for rows of one color and 1 for columns of one color."""
        generator = rng.torch("bars_and_stripes", torch.device("cpu"))
        total = self.count + self.test_count
        lines = torch.randint(2, (total, 1, self.size, 1), generator=generator, dtype=torch.uint8) * 255
        labels = torch.randint(2, (total,), generator=generator)
        rows = lines.expand(total, 1, self.size, self.size)
        images = torch.where(labels[:, None, None, None] == 0, rows, rows.mT).contiguous()
        count = self.count
        return DataSet(images[:count], images[count:], True, labels[:count], labels[count:])
