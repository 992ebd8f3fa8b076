"""Frames of any environment with pixels, seen by any agent at play: the two halves of the sandbox meet here."""

from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field

from sandbox.data._binarize import Binarize, Threshold, binarize
from sandbox.dataset import Collect, DataConfig, DataSet
from sandbox.errors import UserError
from sandbox.seeding import Rng


class FramesConfig(DataConfig):
    """`env`: an environment's config; `agent`: an agent's name or a run; `count`: frames, in the order of play.

    The last `test_fraction` of the frames are the test set: neighbours in time look alike, so a random split would
    test on what was trained on. `binarize`: none, threshold (white from `threshold` of 255 on), or sample.
    """

    name: Literal["frames"] = "frames"
    env: dict[str, Any]
    agent: str = "random"
    count: int = Field(5_000, ge=2)
    test_fraction: float = Field(0.1, gt=0.0, lt=1.0)
    binarize: Binarize = "none"
    threshold: Threshold = 128

    def make(self, rng: Rng, collect: Collect) -> DataSet:
        """Play and split.

        Raises:
            UserError: if the environment's observations are not images of bytes.
        """
        frames = collect(self.env, self.agent, self.count, rng)
        if frames.ndim != 4 or frames.dtype != np.uint8:
            raise UserError(
                f"data.env gives observations {frames.shape[1:]} of {frames.dtype}, but data.name=frames needs images "
                "[C, H, W] of uint8. Choose an environment or an option with pixels, e.g. data.env.observe=pixels."
            )
        generator = rng.torch("frames/binarize", torch.device("cpu"))
        images = binarize(torch.from_numpy(frames), self.binarize, self.threshold, generator)
        num_test = min(max(round(self.test_fraction * len(images)), 1), len(images) - 1)
        return DataSet(images[:-num_test], images[-num_test:], binary=self.binarize != "none")
