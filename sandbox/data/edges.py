"""Observations of an agent and the maps of their edges: paired image translation, from the edges to the observation."""

from typing import Literal

from pydantic import Field

from sandbox.core.rng import Rng
from sandbox.data._frames import Agent, Env, Shrink, TestFraction, collect, in_chunks, shrink, split
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns
from sandbox.ops.images import edge_map

_PONG = {"name": "pong"}


class EdgesConfig(DataConfig):
    """Options of observations with edge maps."""

    name: Literal["edges"] = "edges"
    env: Env = Field(default_factory=_PONG.copy)
    agent: Agent = "random"
    count: int = Field(5_000, ge=2, le=10_000, description="number of observations")
    test_fraction: TestFraction = 0.1
    shrink: Shrink = 1
    threshold: int = Field(32, ge=1, le=255, description="smallest difference of gray values that makes an edge")

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Let an agent play, and find the edges in its observations.

        Returns:
            Observations [N, C, H, W] as images; edge maps [N, 1, H, W] as source images, 255 at edges and 0 elsewhere.

        Raises:
            UserError: If the environment's observations are not images of bytes.
        """
        images = shrink(collect("edges", self.env, self.agent, self.count, rng, runs), self.shrink)
        sources = in_chunks(lambda chunk: edge_map(chunk, self.threshold), images)
        train, test = split(images, self.test_fraction)
        train_sources, test_sources = split(sources, self.test_fraction)
        return DataSet(train, test, train_sources=train_sources, test_sources=test_sources)
