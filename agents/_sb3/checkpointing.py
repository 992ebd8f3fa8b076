"""The parts of a Stable-Baselines3 algorithm in a checkpoint: plain trees of tensors, arrays and numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from torch import nn

from sandbox.core.stateful import ReplayPart
from sandbox.networks.base import HoldsNetwork

_LSTMS = "_last_lstm_states"  # attribute of RecurrentPPO, which annotates it as None


class Weights(HoldsNetwork):
    """Weights and buffers of a policy, target networks included; shared ones are stored once."""

    def __init__(self, policy: nn.Module) -> None:
        self.network = policy

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return weights and buffers by name."""
        return {**dict(self.network.named_parameters()), **dict(self.network.named_buffers())}

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Restore weights and buffers.

        Raises:
            KeyError: For other names.
            RuntimeError: For other shapes.
        """
        if state.keys() != (own := self.state_dict()).keys():
            raise KeyError(f"weights {sorted(state.keys() ^ own.keys())}")
        self.network.load_state_dict(state, strict=False)  # names of shared weights are missing


class Tensors:
    """Tensors of an algorithm outside its policy, such as the entropy coefficient of SAC."""

    def __init__(self, model: BaseAlgorithm, names: Sequence[str]) -> None:
        self._model, self._names = model, names

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return copies of the tensors by name."""
        return {name: vars(self._model)[name].detach().clone() for name in self._names}

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Write the tensors in place, because an optimizer holds them."""
        for name in self._names:
            with torch.no_grad():
                vars(self._model)[name].copy_(state[name])


class Progress:
    """Counters of an algorithm and other numbers among its attributes that change during training."""

    def __init__(self, model: BaseAlgorithm, *names: str) -> None:
        self._model, self._names = model, names

    def state_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        attributes = vars(self._model)
        return {name: attributes[name] for name in self._names}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the numbers."""
        vars(self._model).update({name: state[name] for name in self._names})


class RolloutState:
    """State between two rollouts, besides the observations: episode starts and recurrent states."""

    def __init__(self, model: OnPolicyAlgorithm) -> None:
        self._model = model

    def state_dict(self) -> dict[str, Any]:
        """Return the state; recurrent states are copies, because actor and critic may share one."""
        model, recurrent = self._model, None
        if isinstance(model, RecurrentPPO):
            recurrent = tuple(tuple(part.clone() for part in lstm) for lstm in vars(model)[_LSTMS])
        return {"episode_starts": model._last_episode_starts, "recurrent": recurrent}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state."""
        model = self._model
        model._last_episode_starts = state["episode_starts"]
        if isinstance(model, RecurrentPPO):
            lstms = (tuple(part.to(model.device) for part in lstm) for lstm in state["recurrent"])
            vars(model)[_LSTMS] = RNNStates(*lstms)


class ReplayRows(ReplayPart):
    """The used rows of a replay buffer."""

    def __init__(self, buffer: ReplayBuffer) -> None:
        self._buffer = buffer

    @property
    def count(self) -> int:
        """Number of transitions in the buffer, all environments together."""
        return self._buffer.size() * self._buffer.n_envs

    def newest(self, count: int) -> dict[str, np.ndarray]:
        """Return the last `count` rows by name, [count, N, ...], the oldest first."""
        rows = np.arange(self._buffer.pos - count, self._buffer.pos) % self._buffer.buffer_size
        return {name: held[rows] for name, held in self._arrays().items()}

    def state_dict(self) -> dict[str, Any]:
        """Return the used rows and the position of the next one."""
        used = {name: held[: self._buffer.size()] for name, held in self._arrays().items()}
        return {"pos": self._buffer.pos, "full": self._buffer.full, "rows": used}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore rows and position."""
        self._buffer.pos, self._buffer.full = state["pos"], state["full"]
        for name, held in self._arrays().items():
            held[: self._buffer.size()] = state["rows"][name]

    def _arrays(self) -> dict[str, np.ndarray]:
        return {name: held for name, held in vars(self._buffer).items() if isinstance(held, np.ndarray)}
