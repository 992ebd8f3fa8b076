"""The two ways in which Stable-Baselines3's `learn` goes: use a rollout up, or keep a replay memory.

`collect` and `train` are the two halves of one turn of that loop, so that our loop can stand around them.
"""

from collections.abc import Mapping

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.type_aliases import TrainFreq, TrainFrequencyUnit

from sandbox.agents._sb3.checkpointing import Carried, Memory, Progress
from sandbox.agents._sb3.model import warnings_as_notes
from sandbox.agents._sb3.vec_env import EnvAdapter
from sandbox.core.compute import memory
from sandbox.core.errors import UserError
from sandbox.core.stateful import Stateful

Batch = Mapping[str, np.ndarray]  # what was collected: [T, N, ...] by name


class OnPolicy:
    """A batch is a rollout of `n_steps`: A2C, PPO and their kin."""

    def __init__(self, model: OnPolicyAlgorithm, world: EnvAdapter) -> None:
        self._model, self._world = model, world
        self.progress = Progress(model, "num_timesteps", "_n_updates", "_current_progress_remaining")

    def begin(self) -> dict[str, Stateful]:
        return {"carried": Carried(self._model)}

    def collect(self, nothing: BaseCallback) -> Batch:
        model = self._model
        model._last_obs = self._world.actor.observations
        assert model.env is not None
        model.collect_rollouts(model.env, nothing, model.rollout_buffer, n_rollout_steps=model.n_steps)
        model._update_current_progress_remaining(model.num_timesteps, model._total_timesteps)
        return {name: held for name, held in vars(model.rollout_buffer).items() if isinstance(held, np.ndarray)}

    def train(self, batch: Batch) -> None:
        self._model.train()


class OffPolicy:
    """A batch is the newest `train_freq` steps, on the way into a replay memory that `train` draws from: DQN's kin."""

    def __init__(self, model: OffPolicyAlgorithm, world: EnvAdapter, buffer_size: int, where: str) -> None:
        """`buffer_size`: transitions that the memory will hold; `where` its option is set."""
        self._model, self._world, self._buffer_size, self._where = model, world, buffer_size, where
        names = ("num_timesteps", "_n_updates", "_current_progress_remaining", "_n_calls", "_episode_num")
        self.progress = Progress(model, *names, "exploration_rate")

    def begin(self) -> dict[str, Stateful]:
        """Only who trains needs the memory.

        Raises:
            UserError: if it is larger than the machine's, or if several environments are to be counted by episodes.
        """
        model = self._model
        assert isinstance(model.train_freq, TrainFreq)
        if model.train_freq.unit == TrainFrequencyUnit.EPISODE and model.n_envs > 1:
            raise UserError(
                f"{self._where}.train_freq counts episodes, which goes with one environment only; "
                f"here are {model.n_envs}. Set agent.stream.num_envs=1, or count steps."
            )
        each, room = self._world.transition_bytes, memory(torch.device("cpu"))  # theirs is never on a GPU
        if room is not None and (size := self._buffer_size * each) > room:
            raise UserError(
                f"{self._where}.buffer_size={self._buffer_size} takes {size / 1e9:.1f} GB, and this machine has "
                f"{room / 1e9:.1f} GB of memory. Set it to at most {room // each}."
            )
        assert model.replay_buffer_class is not None  # or `model` had no buffer at all
        with warnings_as_notes():
            model.replay_buffer = model.replay_buffer_class(
                self._buffer_size,
                model.observation_space,
                model.action_space,
                model.device,
                model.n_envs,
                **model.replay_buffer_kwargs,
            )
        self._memory = Memory(model.replay_buffer)
        return {"replay": self._memory}

    def collect(self, nothing: BaseCallback) -> Batch:
        """Goes on until `learning_starts` is over."""
        model, frequency = self._model, self._model.train_freq
        assert isinstance(frequency, TrainFreq)
        assert model.env is not None
        assert model.replay_buffer is not None
        model._last_obs = self._world.actor.observations
        while True:
            made = model.collect_rollouts(
                model.env, nothing, frequency, model.replay_buffer, learning_starts=model.learning_starts
            )
            if model.num_timesteps > model.learning_starts:
                return self._memory.newest(made.episode_timesteps // model.n_envs)

    def train(self, batch: Batch) -> None:
        model = self._model
        steps = batch["rewards"].size if model.gradient_steps < 0 else model.gradient_steps
        model.train(steps, model.batch_size)
