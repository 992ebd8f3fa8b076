"""Frames of any environment with pixels, seen by any agent at play: the two halves of the sandbox meet here."""

from typing import Any, Literal

import torch
from pydantic import Field

from sandbox.core.rng import Rng
from sandbox.data._binarize import Binarize, Threshold, binarize
from sandbox.data._frames import played, split
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns


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

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Play and split.

        Raises:
            UserError: if the environment's observations are not images of bytes.
        """
        frames = played("frames", self.env, self.agent, self.count, rng, runs)
        generator = rng.torch("frames/binarize", torch.device("cpu"))
        train, test = split(binarize(frames, self.binarize, self.threshold, generator), self.test_fraction)
        return DataSet(train, test, binary=self.binarize != "none")
