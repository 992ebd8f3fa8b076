"""Sequences from a replay, for recurrent agents; none crosses the start of an episode."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from sandbox.buffers.replay import Replay
from sandbox.core.errors import UserError
from sandbox.core.stateful import ReplayPart
from sandbox.interfaces.state import RecurrentState, map_state, reset_where

_TRIES = 1_000


class Sequences(NamedTuple):
    """B windows of T transitions: [B, T + 1, ...] observations, and [B, T] of what followed each but the last.

    `mask` [B, T] is 1 for transitions and 0 after an episode's end or the newest row.
    """

    observations: torch.Tensor
    a_tm1: torch.Tensor
    r_t: torch.Tensor
    discount_t: torch.Tensor
    mask: torch.Tensor


@dataclass
class SequenceBatch:
    """Sequences, and the recurrent state [B, ...] before them; `keep_state` replaces it by the one after them."""

    sequences: Sequences
    state: RecurrentState

    def keep_state(self, state: RecurrentState) -> None:
        """Hand back the recurrent state after the sequences; sequences that continue them begin with it."""
        self.state = state


def sequences_at(replay: Replay, env: np.ndarray, place: np.ndarray, length: int) -> Sequences:
    """Return the windows of `length` transitions that begin at these places [B]."""
    steps = np.arange(length + 1)
    places = np.minimum(place[:, None] + steps, replay.span()[1][env][:, None])
    ages = replay.age(env[:, None], places)
    # Ages count up within an episode and start again at 0, so the count breaks at its end, and at the newest row.
    mask = replay.send((ages == ages[:, :1] + steps)[:, 1:].astype(np.float32))
    return Sequences(replay.gather(env, places), *replay.followed(env[:, None], places[:, :-1]), mask)


def draw_sequences(replay: Replay, batch_size: int, length: int) -> Sequences:
    """Draw windows around uniformly drawn transitions; none reaches back beyond the start of its episode.

    A transition of age >= length - 1 ends its window; the window of a younger one begins with the episode.
    """
    env, place = replay.draw(batch_size)
    back = np.minimum(replay.age(env, place), length - 1)
    return sequences_at(replay, env, np.maximum(place - back, replay.span()[0][env]), length)


class Episodes(ReplayPart):
    """Episodes from their first step to their last, a window at a time; B of them go on side by side.

    These are the bootstrapped sequential updates of Hausknecht & Stone 2015: each window begins with the recurrent
    state that the learner kept of the one before. Where an episode ends, or is overwritten, another one begins; each
    stored episode is equally likely.
    """

    def __init__(self, batch_size: int, state: RecurrentState) -> None:
        """Begin with the initial recurrent state [batch_size, ...]."""
        self._env, self._place = np.zeros(batch_size, np.int64), np.zeros(batch_size, np.int64)
        self._over, self._state = np.ones(batch_size, bool), state
        self._batch: SequenceBatch | None = None  # the last one, with the state that the learner keeps

    def draw(self, replay: Replay, length: int) -> SequenceBatch:
        """Return the next window of every episode.

        Raises:
            UserError: If the replay holds no first step of an episode.
        """
        self._over |= ~replay.drawable(self._env, self._place)
        state = reset_where(self._kept_state(), self._over)
        self._env[self._over], self._place[self._over] = _draw_starts(replay, int(self._over.sum()))
        self._batch = SequenceBatch(sequences_at(replay, self._env, self._place, length), state)
        self._place = self._place + length
        self._over = ~self._batch.sequences.mask.bool().all(1).cpu().numpy()
        return self._batch

    def _kept_state(self) -> RecurrentState:
        return self._state if self._batch is None else self._batch.state

    def state_dict(self) -> dict[str, Any]:
        """Return the places of the next windows, and their recurrent states."""
        return {"env": self._env, "place": self._place, "over": self._over, "state": self._kept_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._env, self._place, self._over = (state[name].copy() for name in ("env", "place", "over"))
        self._state = map_state(lambda mine, saved: saved.to(mine.device), self._kept_state(), state["state"])
        self._batch = None


def _draw_starts(replay: Replay, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw `count` first steps of episodes, as (environment, place), by rejection from uniform draws."""
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
