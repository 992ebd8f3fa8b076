"""Handwritten digits, 8x8: the 1797 images that are part of scikit-learn, so nothing is downloaded.

Paper: Alpaydin & Kaynak 1998, "Optical Recognition of Handwritten Digits" (UCI; its test part).
"""

import importlib
from typing import Literal

import numpy as np
import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data._binarize import Binarize, Threshold, binarize
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns

_NUM_TRAIN = 1_500


class DigitsConfig(DataConfig):
    """Options of scikit-learn's digits (Alpaydin & Kaynak 1998), which have 17 gray values."""

    name: Literal["digits"] = "digits"
    binarize: Binarize = "none"
    threshold: Threshold = 128

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Load 1500 training and 297 test images, [N, 1, 8, 8], split at random by the run's seed.

        Raises:
            UserError: If scikit-learn is not installed.
        """
        try:
            datasets = importlib.import_module("sklearn.datasets")
        except ModuleNotFoundError:
            raise UserError(
                "data.name=digits needs scikit-learn, which is not installed. Run: pip install 'rl-sandbox[digits]'"
            ) from None
        digits = datasets.load_digits()
        gray = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
        order = rng.numpy("digits/split").permutation(len(gray))
        labels = torch.from_numpy(digits.target[order].astype(np.int64))
        generator = rng.torch("digits/binarize", torch.device("cpu"))
        images = binarize(torch.from_numpy(gray[order]), self.binarize, self.threshold, generator)
        binary = self.binarize != "none"
        return DataSet(images[:_NUM_TRAIN], images[_NUM_TRAIN:], binary, labels[:_NUM_TRAIN], labels[_NUM_TRAIN:])
