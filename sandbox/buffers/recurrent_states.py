"""Recurrent states of an acting agent, stored where sequences from a replay begin.

Paper: Kapturowski et al. 2019, "Recurrent Experience Replay in Distributed Reinforcement Learning" (stored state).
"""

from typing import Any

import numpy as np
import torch

from sandbox.buffers.replay import Replay
from sandbox.core.stateful import ReplayPart
from sandbox.interfaces.state import RecurrentState, map_state, reset_where


class RecurrentStates(ReplayPart):
    """States before the observations number `first`, `first` + `period`, ... of each episode; `first` is in 1..period.

    The state before an episode's first observation is zero and need not be stored. Each environment has a ring of
    states, as it has a ring of rows in the replay.
    """

    def __init__(self, num_envs: int, length: int, first: int, period: int, example: RecurrentState) -> None:
        """Reserve the rings.

        Args:
            num_envs: Rings of the replay.
            length: Rows of each of the replay's rings.
            first: Age of the first observation before which a state is stored.
            period: Steps from there to the next one.
            example: Any state [N, ...].
        """
        self._first, self._period = first, period
        self._slots = length // min(first + 1, period) + 2  # per environment: two states are never nearer than that
        self._kept = map_state(lambda part: part.new_zeros(num_envs * self._slots, *part.shape[1:]), example)
        self._slot = np.zeros(num_envs * length, np.int64)  # slot of each of the replay's rows that has a state
        self._count = np.zeros(num_envs, np.int64)  # states stored per environment since the start

    def add(self, replay: Replay, state: RecurrentState) -> None:
        """Store `state` [N, ...], which precedes the replay's newest observations, where it is due."""
        env, place = np.arange(len(self._count)), replay.span()[1]
        due = np.flatnonzero(self._is_due(replay.age(env, place)))
        slots = due * self._slots + self._count[due] % self._slots
        self._slot[replay.row(due, place[due])] = slots
        self._count[due] += 1

        def keep(kept: torch.Tensor, part: torch.Tensor) -> None:
            kept[torch.from_numpy(slots)] = part[torch.from_numpy(due)].to(kept.device)

        map_state(keep, self._kept, state)

    def at(self, replay: Replay, env: np.ndarray, place: np.ndarray) -> RecurrentState:
        """Return the stored states [B, ...] before the observations at these places; zeros at an episode's start."""
        slots = replay.send(self._slot[replay.row(env, place)])
        return reset_where(map_state(lambda kept: kept[slots], self._kept), ~self._is_due(replay.age(env, place)))

    def _is_due(self, age: np.ndarray) -> np.ndarray:
        return (age >= self._first) & ((age - self._first) % self._period == 0)

    def state_dict(self) -> dict[str, Any]:
        return {"kept": self._kept, "slot": self._slot, "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        map_state(torch.Tensor.copy_, self._kept, state["kept"])
        self._slot[:], self._count[:] = state["slot"], state["count"]
