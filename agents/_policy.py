"""The epsilon-greedy policy of Q-learning agents."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from sandbox.config.schedules import EpsilonSchedule
from sandbox.core.compute import send
from sandbox.core.rng import Rng
from sandbox.ops.policies import epsilon_greedy


class EpsilonGreedyPolicy:
    """Epsilon-greedy by a schedule while exploring, and with a constant epsilon in evaluation.

    It counts the agent steps that the schedule depends on. Exploration and evaluation draw from generators of their
    own, so that an evaluation does not change the training.
    """

    def __init__(self, schedule: EpsilonSchedule, evaluation_epsilon: float, rng: Rng, device: torch.device) -> None:
        self._schedule, self._evaluation_epsilon, self._device = schedule, evaluation_epsilon, device
        self._exploration_rng, self._evaluation_rng = rng.torch("explore", device), rng.torch("greedy", device)
        self._steps = 0  # exploring ones since the start, with the warm-up, all environments together
        self._num_envs = 1  # that explored last
        self._first, self._total = 0, 0  # environments before those that explore here, and of all; 0: these alone

    def act(self, q_values: torch.Tensor, *, explore: bool) -> torch.Tensor:
        """Choose actions [N] by their values [N, A]; exploring steps are counted."""
        return self.act_by(lambda: q_values, q_values.shape, explore=explore)

    def act_by(self, values: Callable[[], torch.Tensor], shape: Sequence[int], *, explore: bool) -> torch.Tensor:
        """Choose actions as `act` does by the values of this shape that a function returns.

        On the CPU the function is not called if all actions are random.
        """
        if not explore:
            epsilons = np.full(shape[0], self._evaluation_epsilon)
            return epsilon_greedy(values, shape, send(epsilons, self._device), self._evaluation_rng)
        epsilons = self._epsilons(shape[0])
        self._steps, self._num_envs = self._steps + shape[0], shape[0]
        return epsilon_greedy(values, shape, send(epsilons, self._device), self._exploration_rng)

    def sample(self, q_values: torch.Tensor) -> torch.Tensor:
        """Draw exploring actions [N] by their values [N, A] that are not taken, so that no step is counted."""
        epsilons = send(self._epsilons(len(q_values)), self._device)
        return epsilon_greedy(lambda: q_values, q_values.shape, epsilons, self._exploration_rng)

    def _epsilons(self, count: int) -> np.ndarray:
        """Return the epsilons of the `count` environments that explore here."""
        return self._schedule.epsilons(self._steps, self._total or count)[self._first : self._first + count]

    def begin_at(self, steps: int, first: int, total: int) -> None:
        """Explore as in environments number `first` and following of `total`, after `steps` agent steps of all."""
        self._steps, self._first, self._total = steps, first, total

    def generator(self, *, explore: bool) -> torch.Generator:
        """Return the generator that actions are drawn from, for networks that act at random themselves."""
        return self._exploration_rng if explore else self._evaluation_rng

    def epsilon(self, *, explore: bool) -> float:
        """Return the present probability of a random action in one environment, for viewers."""
        return float(self._schedule.epsilons(self._steps, 1)[0]) if explore else self._evaluation_epsilon

    @property
    def mean_epsilon(self) -> float:
        """The present probability of a random action, averaged over the exploring environments, for the log."""
        return float(self._schedule.epsilons(self._steps, self._total or self._num_envs).mean())

    def state_dict(self) -> dict[str, Any]:
        """Return the counters; the generators belong to the run's random streams."""
        return {"steps": self._steps, "num_envs": self._num_envs}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the counters."""
        self._steps, self._num_envs = state["steps"], state["num_envs"]
