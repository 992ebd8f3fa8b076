"""Frames seen at play, for the sets that are made of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.runs import OtherRuns

_TOGETHER = 512


def played(name: str, env: dict[str, Any], agent: str, count: int, rng: Rng, runs: OtherRuns) -> torch.Tensor:
    """`count` frames [count, C, H, W] uint8, in the order of play, for the data set called `name`.

    Raises:
        UserError: if the environment's observations are not images of bytes.
    """
    frames = runs.frames(env, agent, count, rng)
    if frames.ndim != 4 or frames.dtype != np.uint8:
        raise UserError(
            f"data.env gives observations {frames.shape[1:]} of {frames.dtype}, but data.name={name} needs images "
            "[C, H, W] of uint8. Choose an environment or an option with pixels, e.g. data.env.observe=pixels."
        )
    return torch.from_numpy(frames)


def split(frames: torch.Tensor, test_fraction: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The frames to train on, and the last `test_fraction`, at least one, to test; each has one at least."""
    num_test = min(max(round(test_fraction * len(frames)), 1), len(frames) - 1)
    return frames[:-num_test], frames[-num_test:]


def shrunk(frames: torch.Tensor, times: int) -> torch.Tensor:
    """[N, C, H, W] uint8 -> [N, C, H // times, W // times], the means of squares of pixels."""
    if times == 1:
        return frames
    return in_parts(lambda part: F.avg_pool2d(part.float(), times).round().to(torch.uint8), frames)


def in_parts(change: Callable[[torch.Tensor], torch.Tensor], frames: torch.Tensor) -> torch.Tensor:
    """`change` of all the frames, some at a time: it may need them as floats."""
    return torch.cat([change(part) for part in torch.split(frames, _TOGETHER)])
