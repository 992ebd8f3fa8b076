"""Bars and stripes: black-and-white squares whose rows, or whose columns, are each of one colour.

Paper: MacKay 2003, "Information Theory, Inference, and Learning Algorithms", section 43.3. There are 2^(size + 1) - 2
such pictures, so a model's every probability can be looked at.
"""

from typing import Literal

import torch
from pydantic import Field, PositiveInt

from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns


class BarsAndStripesConfig(DataConfig):
    """`size`: pixels a side; `count` and `test_count`: pictures drawn to train and to test.

    Rows or columns, by a half; then each of them black or white, by a half. So the two pictures of one colour come
    twice as often as any other, and the best possible log-likelihood is -(size + 1 - 2^(1 - size)) log 2 nats.
    """

    name: Literal["bars_and_stripes"] = "bars_and_stripes"
    size: int = Field(4, ge=2, le=64)
    count: PositiveInt = 10_000
    test_count: PositiveInt = 1_000

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """[N, 1, size, size], 0 and 255; labels are 0 where the rows were coloured and 1 where the columns were."""
        generator = rng.torch("bars_and_stripes", torch.device("cpu"))
        num = self.count + self.test_count
        lines = torch.randint(2, (num, 1, self.size, 1), generator=generator, dtype=torch.uint8) * 255
        labels = torch.randint(2, (num,), generator=generator)
        rows = lines.expand(num, 1, self.size, self.size)
        images = torch.where(labels[:, None, None, None] == 0, rows, rows.mT).contiguous()
        n = self.count
        return DataSet(images[:n], images[n:], True, labels[:n], labels[n:])
