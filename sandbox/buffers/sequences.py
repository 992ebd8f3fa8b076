"""Sequences from replay, for agents that remember; none crosses an episode."""

from typing import Any, NamedTuple

import numpy as np
import torch

from sandbox.buffers.replay import Replay
from sandbox.core.errors import UserError
from sandbox.interfaces.state import RecurrentState, map_state, reset_where

_TRIES = 1_000


class Sequences(NamedTuple):
    """[B, T + 1, ...] observations and [B, T] of what followed; `mask` is 0 past an episode's end or the newest row.

    `carried["state"]` [B, ...] is what an agent carries before a window; the learner puts what comes after it there.
    """

    observations: torch.Tensor
    a_tm1: torch.Tensor
    r_t: torch.Tensor
    discount_t: torch.Tensor
    mask: torch.Tensor
    carried: dict[str, RecurrentState]


def sequences_at(replay: Replay, env: np.ndarray, place: np.ndarray, length: int, state: RecurrentState) -> Sequences:
    """The windows of `length` transitions that begin at these places [B]."""
    steps = np.arange(length + 1)
    places = np.minimum(place[:, None] + steps, replay.span()[1][env][:, None])
    ages = replay.age(env[:, None], places)
    # Ages count up within an episode and start again at 0, so the count breaks at its end, and at the newest row.
    mask = replay.send((ages == ages[:, :1] + steps)[:, 1:].astype(np.float32))
    followed = replay.followed(env[:, None], places[:, :-1])
    return Sequences(replay.gather(env, places), *followed, mask, {"state": state})


def draw_sequences(replay: Replay, batch_size: int, length: int, state: RecurrentState) -> Sequences:
    """Windows around uniformly drawn transitions, none reaching back beyond its episode's start.

    A transition of age >= length - 1 ends its window; a younger one's window runs from the episode's start.
    """
    env, place = replay.draw(batch_size)
    back = np.minimum(replay.age(env, place), length - 1)
    return sequences_at(replay, env, np.maximum(place - back, replay.span()[0][env]), length, state)


class Episodes:
    """Episodes from their first step to their last, a window at a time, in `count` lanes side by side.

    Hausknecht & Stone's bootstrapped sequential updates: each window begins with what the learner carried out of the
    one before. Where an episode is over, or lost to newer ones, another one begins, each held one as likely as another.
    """

    def __init__(self, count: int, state: RecurrentState) -> None:
        """`state` [count, ...] is an episode's start."""
        self._env, self._place = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self._over, self._carried = np.ones(count, bool), {"state": state}

    def draw(self, replay: Replay, length: int) -> Sequences:
        """The next window of every lane.

        Raises:
            UserError: if no episode's first step is held.
        """
        self._over |= ~replay.drawable(self._env, self._place)
        state = reset_where(self._carried["state"], self._over)
        self._env[self._over], self._place[self._over] = _draw_starts(replay, int(self._over.sum()))
        batch = sequences_at(replay, self._env, self._place, length, state)
        self._carried, self._place = batch.carried, self._place + length
        self._over = ~batch.mask.bool().all(1).cpu().numpy()
        return batch

    def state_dict(self) -> dict[str, Any]:
        return {"env": self._env, "place": self._place, "over": self._over, "state": self._carried["state"]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._env, self._place, self._over = (state[name].copy() for name in ("env", "place", "over"))
        there = map_state(lambda mine, saved: saved.to(mine.device), self._carried["state"], state["state"])
        self._carried = {"state": there}


def _draw_starts(replay: Replay, count: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` first steps of episodes, as (environment, place): what of uniform draws is one."""
    found = np.empty((2, 0), np.int64)
    for _ in range(_TRIES):
        if found.shape[1] >= count:
            return found[0, :count], found[1, :count]
        env, place = replay.draw(1_024)
        found = np.concatenate([found, np.stack([env, place])[:, replay.age(env, place) == 0]], axis=1)
    raise UserError(
        "updates=sequential begins at an episode's first step, and the replay holds hardly any: episodes are too long "
        "for it. Set agent.stream.replay.capacity higher, or agent.stream.updates=random."
    )
