"""What a checkpoint holds of an algorithm of Stable-Baselines3: plain trees of tensors, arrays and numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from torch import nn

_LSTMS = "_last_lstm_states"  # of RecurrentPPO, which types it as None


class Weights:
    """A policy's weights and buffers, target networks included; each once, where several names share one."""

    def __init__(self, policy: nn.Module) -> None:
        self._policy = policy

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {**dict(self._policy.named_parameters()), **dict(self._policy.named_buffers())}

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Raises KeyError or RuntimeError for weights of another network."""
        if state.keys() != (own := self.state_dict()).keys():
            raise KeyError(f"weights {sorted(state.keys() ^ own.keys())}")
        self._policy.load_state_dict(state, strict=False)  # the other names are not there


class Progress:
    """How far an algorithm is: the numbers among its attributes that decide what comes next."""

    def __init__(self, model: BaseAlgorithm, *names: str) -> None:
        self._model, self._names = model, names

    def state_dict(self) -> dict[str, Any]:
        attributes = vars(self._model)
        return {name: attributes[name] for name in self._names}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        vars(self._model).update({name: state[name] for name in self._names})


class Carried:
    """What goes from one rollout to the next beside the observations: where episodes start, and the LSTMs' states."""

    def __init__(self, model: OnPolicyAlgorithm) -> None:
        self._model = model

    def state_dict(self) -> dict[str, Any]:
        """The LSTMs' states are copies, because actor and critic may share one."""
        model, memory = self._model, None
        if isinstance(model, RecurrentPPO):
            memory = tuple(tuple(part.clone() for part in lstm) for lstm in vars(model)[_LSTMS])
        return {"episode_starts": model._last_episode_starts, "recurrent": memory}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        model, memory = self._model, state["recurrent"]
        model._last_episode_starts = state["episode_starts"]
        if isinstance(model, RecurrentPPO):
            lstms = (tuple(part.to(model.device) for part in lstm) for lstm in memory)
            vars(model)[_LSTMS] = RNNStates(*lstms)


class Memory:
    """The used rows of a replay buffer."""

    def __init__(self, buffer: ReplayBuffer) -> None:
        self._buffer = buffer

    def newest(self, count: int) -> dict[str, np.ndarray]:
        """The last `count` rows by name, [count, N, ...], the oldest first."""
        rows = np.arange(self._buffer.pos - count, self._buffer.pos) % self._buffer.buffer_size
        return {name: held[rows] for name, held in self._arrays().items()}

    def state_dict(self) -> dict[str, Any]:
        used = {name: held[: self._buffer.size()] for name, held in self._arrays().items()}
        return {"pos": self._buffer.pos, "full": self._buffer.full, "rows": used}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._buffer.pos, self._buffer.full = state["pos"], state["full"]
        for name, held in self._arrays().items():
            held[: self._buffer.size()] = state["rows"][name]

    def _arrays(self) -> dict[str, np.ndarray]:
        return {name: held for name, held in vars(self._buffer).items() if isinstance(held, np.ndarray)}
