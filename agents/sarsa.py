"""Tabular Sarsa: on-policy learning of the action values of the exploring policy.

Paper: Rummery and Niranjan 1994, "On-line Q-learning using connectionist systems" ("modified Q-learning"; the name is
    Sutton's, 1996). Here lambda is 0.
Deviations: a table instead of a network; several environments step together, and a pair of state and action that
    occurs in several of them at one step is updated once, by the mean error. With one environment it is Sutton and
    Barto's (2018, section 6.4): the next action is chosen, then the value before it is updated. Values start at zero;
    ties are broken at random. Truncation bootstraps, from an action that the policy chooses but does not take.
"""

from typing import Any, Literal

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
from sandbox.ops.value_learning import sarsa
from sandbox.streams.rollouts import RolloutsConfig


class SarsaConfig(AgentConfig):
    """Options of Sarsa."""

    name: Literal["sarsa"] = "sarsa"
    discount: options.Discount = 0.99
    step_size: StepSize = Field(default=StepSize(), description="step sizes of the values, by visits")
    exploration: options.LinearExploration = Linear(start=1.0, end=0.1, steps=100_000)
    evaluation_epsilon: options.EvaluationEpsilon = 0.0
    stream: RolloutsConfig = Field(default=RolloutsConfig(), description="batches of fresh experience")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "Sarsa":
        """Build the agent.

        Raises:
            UserError: For observations that cannot be one-hot.
        """
        return Sarsa(self, spec, rng)


class PendingStep:
    """The newest step, which is learned from when the action after it is known; None before the first."""

    def __init__(self) -> None:
        self.step: EnvStep | None = None

    def state_dict(self) -> dict[str, Any]:
        """Return the step as a dict."""
        return {"step": None if self.step is None else self.step._asdict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the step."""
        self.step = None if state["step"] is None else EnvStep(**state["step"])


class Sarsa(Agent, Exportable):
    """A Sarsa agent: every step is learned from once, when the next one is made."""

    def __init__(self, config: SarsaConfig, spec: Spec, rng: Rng) -> None:
        self._config, self._table, self._pending = config, QTable(spec, config.name), PendingStep()
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
        """Learn from the step before each step of the batch; `loss` is the mean squared error before, 0 if none."""
        losses = []
        for step in batch:
            if self._pending.step is not None:
                losses.append(self._learn(self._pending.step, torch.from_numpy(step.actions)))
            self._pending.step = step
        loss = torch.stack(losses).mean() if losses else 0.0
        return {"loss": loss, "epsilon": self._policy.mean_epsilon}

    def _learn(self, step: EnvStep, taken: torch.Tensor) -> torch.Tensor:
        """Update the table, and return the mean squared error.

        Args:
            step: The step.
            taken: The actions [N] after it; where its episode ended, they belong to the next one.
        """
        table = self._table
        s_tm1, a_tm1 = table.states(step.observations), torch.from_numpy(step.actions)
        s_t = table.states(step.next_observations)
        r_t = torch.from_numpy(step.rewards).double()
        discount_t = self._config.discount * torch.from_numpy(~step.terminated).double()
        a_t = taken
        if step.truncated.any():
            a_t = torch.where(torch.from_numpy(step.truncated), self._policy.sample(table.q[s_t]), taken)
        errors = sarsa(table.q[s_tm1], a_tm1, r_t, discount_t, table.q[s_t], a_t)
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
        """Return table, policy and the pending step."""
        return {"table": self._table, "policy": self._policy, "pending": self._pending}
