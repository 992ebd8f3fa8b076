"""Observations of any agent in any environment with pixels, as images for generative models."""

from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field

from sandbox.core.rng import Rng
from sandbox.data._binarize import Binarize, Threshold, binarize
from sandbox.data._frames import Agent, Env, TestFraction, collect, split
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns


class FramesConfig(DataConfig):
    """Options of observations as images.

    The test set is the end of the play: consecutive observations look alike, so a random split would test a model on
    what it was trained on.
    """

    name: Literal["frames"] = "frames"
    env: Env
    agent: Agent = "random"
    count: int = Field(5_000, ge=2, le=30_000, description="number of observations, in the order of play")
    stack: int = Field(
        1,
        ge=1,
        le=8,
        description="number of consecutive observations that one image joins as channels, the oldest first, as "
        "agent.frame_stack does; before the start of an episode they are zeros",
    )
    numbers: bool = Field(
        False,
        description="keep the environment's features, such as positions of objects, with each image, as numbers to "
        "predict (generator.targets=numbers)",
    )
    test_fraction: TestFraction = 0.1
    binarize: Binarize = "none"
    threshold: Threshold = 128

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Let an agent play, and split its observations [N, stack * C, H, W] in time.

        Raises:
            UserError: If the environment's observations are not images of bytes.
        """
        frames = collect("frames", self.env, self.agent, self.count, rng, runs, self.stack)
        generator = rng.torch("frames/binarize", torch.device("cpu"))
        train, test = split(binarize(frames, self.binarize, self.threshold, generator), self.test_fraction)
        data = DataSet(train, test, binary=self.binarize != "none")
        if not self.numbers:
            return data
        numbers = torch.from_numpy(runs.numbers(self.env, self.agent, self.count, rng))
        return replace(data, train_numbers=numbers[: len(train)], test_numbers=numbers[len(train) :])
