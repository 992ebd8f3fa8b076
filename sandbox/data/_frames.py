"""Observations that an agent collects, for the data sets that consist of them."""

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch.nn import functional as F

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.runs import OtherRuns

_CHUNK = 512  # images that are converted to floats at once

Env = Annotated[dict[str, Any], Field(description="config of the environment whose observations are collected")]
Agent = Annotated[str, Field(description="agent that plays: `random`, or a run")]
TestFraction = Annotated[
    float,
    Field(gt=0.0, lt=1.0, description="share of the images in the test set: the last ones, as neighbors are alike"),
]
Shrink = Annotated[int, Field(ge=1, le=8, description="factor by which images are made smaller, by averaging")]


def collect(
    name: str, env: dict[str, Any], agent: str, count: int, rng: Rng, runs: OtherRuns, stack: int = 1
) -> torch.Tensor:
    """Let an agent play, and return its observations in their order, [count, stack * C, H, W] uint8.

    Args:
        name: Name of the data set, for the message.
        env: Config of the environment.
        agent: Name of an agent, or a run.
        count: Number of observations.
        rng: Random streams of the run.
        runs: Makes the environment and the agent.
        stack: Number of consecutive observations that are joined, the oldest first.

    Raises:
        UserError: If the observations are not images of bytes.
    """
    frames = runs.frames(env, agent, count, rng, stack)
    if frames.ndim != 4 or frames.dtype != np.uint8:
        raise UserError(
            f"data.env gives observations {frames.shape[1:]} of {frames.dtype}, but data.name={name} needs images "
            "[C, H, W] of uint8. Choose an environment or an option with pixels, e.g. data.env.observe=pixels."
        )
    return torch.from_numpy(frames)


def split(images: torch.Tensor, test_fraction: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the training images and the test images, which are the last ones; each part has at least one."""
    num_test = min(max(round(test_fraction * len(images)), 1), len(images) - 1)
    return images[:-num_test], images[-num_test:]


def shrink(images: torch.Tensor, factor: int) -> torch.Tensor:
    """Average squares of factor x factor pixels: [N, C, H, W] uint8 becomes [N, C, H // factor, W // factor]."""
    if factor == 1:
        return images
    return in_chunks(lambda chunk: F.avg_pool2d(chunk.float(), factor).round().to(torch.uint8), images)


def in_chunks(function: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """Apply a function to `_CHUNK` images at a time, so that few are held as floats at once."""
    return torch.cat([function(chunk) for chunk in torch.split(images, _CHUNK)])
