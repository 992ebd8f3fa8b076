"""Sequences from replay, for agents that remember; none crosses an episode."""

from typing import NamedTuple

import numpy as np
import torch

from sandbox.buffers.replay import Replay


class Sequences(NamedTuple):
    """[B, T + 1, ...] observations and [B, T] of what followed; `mask` is 0 past an episode's end or the newest row."""

    observations: torch.Tensor
    a_tm1: torch.Tensor
    r_t: torch.Tensor
    discount_t: torch.Tensor
    mask: torch.Tensor


def draw_sequences(replay: Replay, batch_size: int, length: int) -> Sequences:
    """Windows of `length` transitions around uniformly drawn ones, none reaching back beyond its episode's start.

    A transition of age >= length - 1 ends its window; a younger one's window runs from the episode's start.
    """
    env, place = replay.draw(batch_size)
    oldest, newest = replay.span()
    back = np.minimum(replay.age(env, place), length - 1)
    start = np.maximum(place - back, oldest[env])
    steps = np.arange(length + 1)
    places = np.minimum(start[:, None] + steps, newest[env][:, None])
    ages = replay.age(env[:, None], places)
    # Ages count up within an episode and start again at 0, so the count breaks at its end, and at the newest row.
    mask = torch.from_numpy((ages == ages[:, :1] + steps)[:, 1:].astype(np.float32))
    observations = replay.gather(env, places)
    return Sequences(observations, *replay.followed(env[:, None], places[:, :-1]), mask.to(observations.device))
