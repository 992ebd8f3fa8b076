"""The two phases of Stable-Baselines3's `learn`, collecting and training, for on-policy and off-policy algorithms.

Stable-Baselines3 alternates between them itself; here the training loop of the sandbox calls them.
"""

from collections.abc import Mapping

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.type_aliases import TrainFreq, TrainFrequencyUnit

from sandbox.agents._sb3.checkpointing import Progress, ReplayRows, RolloutState
from sandbox.agents._sb3.model import warnings_as_notes
from sandbox.agents._sb3.vec_env import EnvAdapter
from sandbox.core.compute import memory
from sandbox.core.errors import UserError
from sandbox.core.stateful import Stateful

_COUNTERS = ("_n_calls", "exploration_rate")  # of DQN and its kin
Batch = Mapping[str, np.ndarray]  # collected arrays [T, N, ...] by name


class OnPolicy:
    """On-policy algorithms such as A2C and PPO: a batch is a rollout of `n_steps`."""

    def __init__(self, model: OnPolicyAlgorithm, env: EnvAdapter) -> None:
        self._model, self._env = model, env
        self.progress = Progress(model, "num_timesteps", "_n_updates", "_current_progress_remaining")

    def begin(self) -> dict[str, Stateful]:
        """Prepare for training, and return what a checkpoint must hold."""
        return {"rollout": RolloutState(self._model)}

    def collect(self, callback: BaseCallback) -> Batch:
        """Collect a batch."""
        model = self._model
        model._last_obs = self._env.actor.observations
        assert model.env is not None
        model.collect_rollouts(model.env, callback, model.rollout_buffer, n_rollout_steps=model.n_steps)
        model._update_current_progress_remaining(model.num_timesteps, model._total_timesteps)
        return {name: held for name, held in vars(model.rollout_buffer).items() if isinstance(held, np.ndarray)}

    def train(self, batch: Batch) -> None:
        """Train on the batch."""
        self._model.train()


class OffPolicy:
    """Off-policy algorithms such as DQN: a batch is the newest `train_freq` steps; training draws from a replay."""

    def __init__(self, model: OffPolicyAlgorithm, env: EnvAdapter, buffer_size: int, where: str) -> None:
        """Wrap an algorithm.

        Args:
            model: The algorithm.
            env: Its environments.
            buffer_size: Capacity of the replay buffer, in transitions.
            where: Section of the config with that option, for messages.
        """
        self._model, self._env, self._buffer_size, self._where = model, env, buffer_size, where
        names = ["num_timesteps", "_n_updates", "_current_progress_remaining", "_episode_num"]
        names += [name for name in _COUNTERS if name in vars(model)]
        self.progress = Progress(model, *names)

    def begin(self) -> dict[str, Stateful]:
        """Allocate the replay buffer, which only training needs, and return what a checkpoint must hold.

        Raises:
            UserError: If it exceeds the machine's memory, or if `train_freq` counts episodes of several environments.
        """
        model = self._model
        assert isinstance(model.train_freq, TrainFreq)
        if model.train_freq.unit == TrainFrequencyUnit.EPISODE and model.n_envs > 1:
            raise UserError(
                f"{self._where}.train_freq counts episodes, which goes with one environment only; "
                f"here are {model.n_envs}. Set agent.stream.num_envs=1, or count steps."
            )
        each, room = self._env.transition_bytes, memory(torch.device("cpu"))  # their buffer is never on a GPU
        if room is not None and (size := self._buffer_size * each) > room:
            raise UserError(
                f"{self._where}.buffer_size={self._buffer_size} takes {size / 1e9:.1f} GB, and this machine has "
                f"{room / 1e9:.1f} GB of memory. Set it to at most {room // each}."
            )
        assert model.replay_buffer_class is not None  # the constructor has set it
        with warnings_as_notes():
            model.replay_buffer = model.replay_buffer_class(
                self._buffer_size,
                model.observation_space,
                model.action_space,
                model.device,
                model.n_envs,
                **model.replay_buffer_kwargs,
            )
        self._replay = ReplayRows(model.replay_buffer)
        return {"replay": self._replay}

    def collect(self, callback: BaseCallback) -> Batch:
        """Collect a batch; before the first one, and while the replay is refilled, `learning_starts` steps."""
        model, frequency = self._model, self._model.train_freq
        assert isinstance(frequency, TrainFreq)
        assert model.env is not None
        assert model.replay_buffer is not None
        model._last_obs = self._env.actor.observations
        while True:
            made = model.collect_rollouts(
                model.env, callback, frequency, model.replay_buffer, learning_starts=model.learning_starts
            )
            filled = self._replay.count > model.learning_starts or model.replay_buffer.full
            if model.num_timesteps > model.learning_starts and filled:
                return self._replay.newest(made.episode_timesteps // model.n_envs)

    def train(self, batch: Batch) -> None:
        """Train on draws from the replay buffer."""
        model = self._model
        steps = batch["rewards"].size if model.gradient_steps < 0 else model.gradient_steps
        model.train(steps, model.batch_size)
