"""The `Agent` interface, a learner that acts; capabilities: `TransitionLearner`, `Inspectable` and `Exportable`."""

from abc import ABC, abstractmethod
from typing import Protocol

import numpy as np
import torch

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.learner import Learner
from sandbox.interfaces.learner_config import LearnerConfig
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.state import RecurrentState


class Agent(Learner, Protocol):
    """A learner that acts, for N environments at once."""

    @abstractmethod
    def initial_state(self, num_envs: int) -> RecurrentState:
        """Return the initial recurrent state: zeros.

        If it is a dict with an entry `reward` [N], that entry receives the last reward after every step.
        """

    @abstractmethod
    def act(
        self, observations: np.ndarray, state: RecurrentState, *, explore: bool
    ) -> tuple[np.ndarray, RecurrentState]:
        """Choose actions.

        Args:
            observations: [N, *observation].
            state: The recurrent state before these observations.
            explore: Whether the agent explores, as in training, or acts as well as it can.

        Returns:
            Actions [N] int64, or [N, *action] float32 for a Box, and the next recurrent state.
        """


class AgentConfig(LearnerConfig):
    """Options of an agent; a file under `agents/` defines exactly one."""

    @abstractmethod
    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> Agent:
        """Build the agent."""

    def action_kinds(self) -> tuple[str, ...]:
        """Return the kinds of actions that the agent can choose from: `Discrete`, `Box` or both."""
        return ("Discrete",)

    @property
    def label(self) -> str:
        """Name of the agent, and of its algorithm if it has several, for messages."""
        return self.name


class TransitionLearner(Agent, Protocol):
    """An agent that learns from transitions of a replay, which is built as the agent needs it.

    Attributes:
        frame_stack: Number of observations that are stacked to one input of the network.
        n_step: Number of rewards before a return is bootstrapped.
    """

    frame_stack: int
    n_step: int


class Inspectable(ABC):
    """An agent whose network input and action values can be shown. These methods change nothing and draw nothing."""

    @abstractmethod
    def network_input(self, observations: np.ndarray, state: RecurrentState) -> torch.Tensor:
        """Return the input of the network, stacked observations included.

        Args:
            observations: [N, *observation].
            state: The recurrent state before these observations.

        Returns:
            [N, *input] floats; bytes are scaled to [0, 1].
        """

    @abstractmethod
    def q_values(self, network_input: torch.Tensor, state: RecurrentState) -> torch.Tensor:
        """Return the values that `act` compares, [N, A]; gradients reach `network_input` [N, *input].

        They are expected returns, unless the docstring of the agent's module says otherwise.
        """

    @abstractmethod
    def epsilon(self, *, explore: bool) -> float:
        """Return the present probability of a random action of `act` in one environment."""


class Exportable(Inspectable):
    """An agent whose greedy policy is a function of tensors, without random numbers, so that it can be exported."""

    @abstractmethod
    def greedy_step(self, observations: torch.Tensor, state: RecurrentState) -> tuple[torch.Tensor, RecurrentState]:
        """Return the action values, of which acting takes the largest, and the next recurrent state.

        The values are those of `q_values`, and the state is that of `act` without exploration.

        Args:
            observations: [N, *observation], bytes or floats as the environment gives them.
            state: The recurrent state before these observations.

        Returns:
            Action values [N, A] and the next recurrent state.
        """
