"""Frames of play and the maps of their edges: pairs, of which an image is to be told from its outline."""

from typing import Any, Literal

from pydantic import Field

from sandbox.core.rng import Rng
from sandbox.data._binarize import Threshold
from sandbox.data._frames import in_parts, played, shrunk, split
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns
from sandbox.ops.images import edges

_PONG = {"name": "pong"}


class EdgesConfig(DataConfig):
    """`env`, `agent`, `count` and `test_fraction` as data.name=frames has them; `threshold`: an edge's least step.

    `shrink`: frames are made so many times smaller, by averaging.
    """

    name: Literal["edges"] = "edges"
    env: dict[str, Any] = Field(default_factory=_PONG.copy)
    agent: str = "random"
    count: int = Field(5_000, ge=2)
    test_fraction: float = Field(0.1, gt=0.0, lt=1.0)
    shrink: int = Field(1, ge=1, le=8)
    threshold: Threshold = 32

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Frames [N, C, H, W]; sources [N, 1, H, W], 255 where there is an edge and 0 elsewhere.

        Raises:
            UserError: if the environment's observations are not images of bytes.
        """
        frames = shrunk(played("edges", self.env, self.agent, self.count, rng, runs), self.shrink)
        sources = in_parts(lambda part: edges(part, self.threshold), frames)
        (train, test), (train_sources, test_sources) = (split(x, self.test_fraction) for x in (frames, sources))
        return DataSet(train, test, train_sources=train_sources, test_sources=test_sources)
