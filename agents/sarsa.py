"""Sarsa with a table: the values of the policy that plays, exploration included.

Paper: Rummery and Niranjan 1994, "On-line Q-learning using connectionist systems" ("modified Q-learning"; the name is
    Sutton's, 1996). Here lambda is 0.
Deviations: a table instead of a network; several environments step together, and a pair of state and action that is
    met in several of them at one step moves once, by their mean error. With one environment it is Sutton and Barto's
    (2018, section 6.4): the next action is chosen, then the value before it moves. Values start at zero; ties are
    broken at random. Truncation bootstraps, from an action that the policy chooses and nobody takes.
"""

from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field

from sandbox.agents._q_table import StepSize, Table
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.interfaces.agent import AgentConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.ops.policies import epsilon_greedy
from sandbox.ops.value_learning import sarsa
from sandbox.streams.actor import Step
from sandbox.streams.rollouts import RolloutsConfig


class SarsaConfig(AgentConfig):
    """`exploration` counts agent steps; `evaluation_epsilon`: 0 is greedy, which is not the policy being valued."""

    name: Literal["sarsa"] = "sarsa"
    discount: float = Field(0.99, ge=0, le=1)
    step_size: StepSize = StepSize()
    exploration: Linear = Linear(start=1.0, end=0.1, steps=100_000)
    evaluation_epsilon: float = Field(0.0, ge=0, le=1)
    stream: RolloutsConfig = RolloutsConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "Sarsa":
        """Raises UserError for observations that cannot be one-hot."""
        return Sarsa(self, spec, rng)


class Waiting:
    """The newest step, which nothing has been learnt from: the action after it is not known yet."""

    def __init__(self) -> None:
        self.step: Step | None = None

    def state_dict(self) -> dict[str, Any]:
        return {"step": None if self.step is None else self.step._asdict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.step = None if state["step"] is None else Step(**state["step"])


class Sarsa:
    """Learns from every step once, when the next one is made."""

    def __init__(self, config: SarsaConfig, spec: Spec, rng: Rng) -> None:
        self._config, self._table, self._steps = config, Table(spec, config.name), Counter()
        self._waiting = Waiting()
        cpu = torch.device("cpu")
        self._explore, self._greedy = rng.torch("explore", cpu), rng.torch("greedy", cpu)

    def initial_state(self, num_envs: int) -> None:
        return None

    def act(self, observations: np.ndarray, state: None, *, explore: bool) -> tuple[np.ndarray, None]:
        """Epsilon-greedy by the schedule while exploring, else with `evaluation_epsilon`.

        Raises:
            UserError: for observations that are not one-hot.
        """
        q = self._table.q[self._table.states(observations)]
        if not explore:
            return epsilon_greedy(q, self._config.evaluation_epsilon, self._greedy).numpy(), None
        actions = epsilon_greedy(q, self._epsilon(), self._explore)
        self._steps.value += len(observations)
        return actions.numpy(), None

    def seen(self, observations: np.ndarray, state: None) -> torch.Tensor:
        """The state, one-hot [N, S]."""
        return torch.from_numpy(observations)

    def values(self, seen: torch.Tensor, state: None) -> torch.Tensor:
        """The rows of the table, which no gradient passes."""
        return self._table.q[seen.argmax(1)]

    def epsilon(self, *, explore: bool) -> float:
        """How often it now acts at random."""
        return self._epsilon() if explore else self._config.evaluation_epsilon

    def update(self, batch: list[Step]) -> Metrics:
        """One move a step of the batch, in order; `loss` is the mean squared error before it, 0 if there was none."""
        losses = []
        for step in batch:
            if self._waiting.step is not None:
                losses.append(self._learn(self._waiting.step, torch.from_numpy(step.actions)))
            self._waiting.step = step
        return {"loss": torch.stack(losses).mean() if losses else 0.0, "epsilon": self._epsilon()}

    def parts(self) -> dict[str, Stateful]:
        return {"table": self._table, "steps": self._steps, "waiting": self._waiting}

    def _epsilon(self) -> float:
        return self._config.exploration.at(self._steps.value)

    def _learn(self, step: Step, taken: torch.Tensor) -> torch.Tensor:
        """From `step` and the actions [N] `taken` after it, which where an episode ended belong to the next one."""
        table = self._table
        s_tm1, a_tm1, s_t = table.states(step.observations), torch.from_numpy(step.actions), table.states(step.last)
        r_t = torch.from_numpy(step.rewards).double()
        discount_t = self._config.discount * torch.from_numpy(~step.terminated).double()
        a_t = taken
        if step.truncated.any():
            chosen = epsilon_greedy(table.q[s_t], self._epsilon(), self._explore)
            a_t = torch.where(torch.from_numpy(step.truncated), chosen, taken)
        errors = sarsa(table.q[s_tm1], a_tm1, r_t, discount_t, table.q[s_t], a_t)
        table.move(s_tm1, a_tm1, errors, self._config.step_size)
        return errors.square().mean()
