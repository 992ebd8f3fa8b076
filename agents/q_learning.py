"""Tabular Q-learning: off-policy learning of the optimal action values.

Paper: Watkins 1989, "Learning from Delayed Rewards"; Watkins and Dayan 1992, "Q-learning" (with step sizes that sum to
    infinity, and whose squares do not, the table becomes Q* with probability 1).
Deviations: several environments step together, and a pair of state and action that occurs in several of them at one
    step is updated once, by the mean error. With one environment it is the paper's. Values start at zero; ties are
    broken at random. Truncation bootstraps.
"""

from typing import Literal

import numpy as np
import torch
from pydantic import Field

from sandbox.agents import _options as options
from sandbox.agents._policy import EpsilonGreedyPolicy
from sandbox.agents._q_table import QTable, StepSize
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.environments.interaction import EnvStep
from sandbox.interfaces.agent import Agent, AgentConfig, Exportable
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.ops.value_learning import q_learning
from sandbox.streams.rollouts import RolloutsConfig


class QLearningConfig(AgentConfig):
    """Options of Q-learning."""

    name: Literal["q_learning"] = "q_learning"
    discount: options.Discount = 0.99
    step_size: StepSize = Field(default=StepSize(), description="step sizes of the values, by visits")
    exploration: options.LinearExploration = Linear(start=1.0, end=0.1, steps=100_000)
    evaluation_epsilon: options.EvaluationEpsilon = 0.0
    stream: RolloutsConfig = Field(default=RolloutsConfig(), description="batches of fresh experience")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "QLearning":
        """Build the agent.

        Raises:
            UserError: For observations that cannot be one-hot.
        """
        return QLearning(self, spec, rng)


class QLearning(Agent, Exportable):
    """A Q-learning agent: every step is learned from once, when it is made."""

    def __init__(self, config: QLearningConfig, spec: Spec, rng: Rng) -> None:
        self._config, self._table = config, QTable(spec, config.name)
        self._policy = EpsilonGreedyPolicy(
            config.exploration, config.evaluation_epsilon, rng, device=torch.device("cpu")
        )

    def initial_state(self, num_envs: int) -> None:
        """Return None: the agent has no recurrent state."""

    def act(self, observations: np.ndarray, state: None, *, explore: bool) -> tuple[np.ndarray, None]:
        """Choose actions epsilon-greedily.

        Raises:
            UserError: For observations that are not one-hot.
        """
        q = self._table.q[self._table.states(observations)]
        return self._policy.act(q, explore=explore).numpy(), None

    def update(self, batch: list[EnvStep]) -> Metrics:
        """Learn from each step of the batch, in order; `loss` is the mean squared error before."""
        losses = [self._learn(step) for step in batch]
        return {"loss": torch.stack(losses).mean(), "epsilon": self._policy.mean_epsilon}

    def _learn(self, step: EnvStep) -> torch.Tensor:
        """Update the table, and return the mean squared error."""
        table = self._table
        s_tm1, a_tm1 = table.states(step.observations), torch.from_numpy(step.actions)
        s_t = table.states(step.next_observations)
        r_t = torch.from_numpy(step.rewards).double()
        discount_t = self._config.discount * torch.from_numpy(~step.terminated).double()
        errors = q_learning(table.q[s_tm1], a_tm1, r_t, discount_t, table.q[s_t])
        table.update(s_tm1, a_tm1, errors, self._config.step_size)
        return errors.square().mean()

    def network_input(self, observations: np.ndarray, state: None) -> torch.Tensor:
        """Return the one-hot states, [N, S]."""
        return torch.from_numpy(observations)

    def q_values(self, network_input: torch.Tensor, state: None) -> torch.Tensor:
        """Return rows of the table, which pass no gradient."""
        return self._table.q[network_input.argmax(1)]

    def greedy_step(self, observations: torch.Tensor, state: None) -> tuple[torch.Tensor, None]:
        """Return rows of the table, [N, A] float64."""
        return self.q_values(observations, state), None

    def epsilon(self, *, explore: bool) -> float:
        """Return the present probability of a random action."""
        return self._policy.epsilon(explore=explore)

    def parts(self) -> dict[str, Stateful]:
        """Return table and policy."""
        return {"table": self._table, "policy": self._policy}
