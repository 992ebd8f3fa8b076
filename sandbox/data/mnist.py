"""MNIST: 60,000 + 10,000 handwritten digits, 28x28, from the four IDX files, each verified by its SHA-256.

Paper: LeCun, Bottou, Bengio & Haffner 1998, "Gradient-Based Learning Applied to Document Recognition".
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data import _idx, idx
from sandbox.data._binarize import Binarize, Threshold
from sandbox.data._roots import Root
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns

SHA256 = dict(
    zip(
        idx.FILES,
        (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        strict=True,
    )
)


class MnistConfig(DataConfig):
    """Options of MNIST (LeCun et al. 1998); log-likelihoods are comparable for the same `binarize` only."""

    name: Literal["mnist"] = "mnist"
    root: Root | None = Field(
        None, description="folder with the files, or with mnist/; null: $SANDBOX_DATA, or else ./data"
    )
    binarize: Binarize = "none"
    threshold: Threshold = 128

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Load images [60000, 1, 28, 28] and [10000, 1, 28, 28], with labels 0..9.

        Raises:
            UserError: If the files are missing, or are not MNIST's.
        """
        root = Path(self.root or os.environ.get("SANDBOX_DATA") or "data")
        folder = next((f for f in (root / "mnist", root) if _idx.find(f, idx.FILES[0])), None)
        if folder is None:
            raise UserError(
                f"no MNIST in {root.resolve()}: neither mnist/{idx.FILES[0]} nor {idx.FILES[0]} is there, with or "
                "without .gz. Fetch the four files from https://ossci-datasets.s3.amazonaws.com/mnist/ and set "
                "data.root=FOLDER, or SANDBOX_DATA in the environment. Without a download: data.name=digits."
            )
        return idx.load(folder, SHA256, self.binarize, self.threshold, rng)
