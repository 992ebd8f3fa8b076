"""Advantage learning: Q-learning that lowers the values of all actions but the best one.

Paper: Bellemare et al. 2016, "Increasing the Action Gap: New Operators for Reinforcement Learning".
Deviations: the losses are summed over the batch, and Adam replaces RMSProp, as in `dqn`.
"""

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch.nn import functional as F

from sandbox.agents import _options as options
from sandbox.agents._frame_stack import FrameStack
from sandbox.agents._policy import EpsilonGreedyPolicy
from sandbox.agents._q_network import QNetwork
from sandbox.buffers.replay import Transitions
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.agent import AgentConfig, TransitionLearner
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.mlp import MLP
from sandbox.networks.target import TargetNetwork
from sandbox.ops.value_learning import n_step_return, q_learning
from sandbox.optimizers.adam import Adam
from sandbox.streams.experience import ExperienceConfig


class AdvantageLearningConfig(AgentConfig):
    """Options of advantage learning."""

    name: Literal["advantage_learning"] = "advantage_learning"
    alpha: float = Field(0.9, ge=0, lt=1, description="share of the action gap that is added; 0 is DQN")
    backbone: options.Backbone = MLP(hidden=[64])
    frame_stack: options.FrameStackSize = 1
    discount: options.Discount = 0.99
    target_period: options.TargetPeriod = 100
    exploration: options.Exploration = Linear(start=1.0, end=0.05, steps=10_000)
    evaluation_epsilon: options.EvaluationEpsilon = 0.0
    optimizer: options.Optimizer = Adam(lr=1e-3)
    stream: ExperienceConfig = Field(default=ExperienceConfig(), description="batches of transitions from a replay")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "AdvantageLearning":
        """Build the agent."""
        return AdvantageLearning(self, spec, rng, compute)


class AdvantageLearning(TransitionLearner):
    """An agent that learns action values with a larger gap between the best action and the others."""

    n_step = 1

    def __init__(self, config: AdvantageLearningConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self.frame_stack, self._config = config.frame_stack, config
        self._frames = FrameStack(spec, config.frame_stack, compute.device)
        with rng.initializing("network"):
            self._network = QNetwork(config.backbone, self._frames.shape, spec.num_actions).to(compute.device)
        self._target = TargetNetwork(self._network, config.target_period)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._policy = EpsilonGreedyPolicy(config.exploration, config.evaluation_epsilon, rng, compute.device)

    def initial_state(self, num_envs: int) -> torch.Tensor:
        """Return the state at an episode's start, [N, (frame_stack - 1) * C, ...] zeros."""
        return self._frames.initial_state(num_envs)

    @torch.no_grad()
    def act(self, observations: np.ndarray, state: torch.Tensor, *, explore: bool) -> tuple[np.ndarray, torch.Tensor]:
        """Choose actions epsilon-greedily."""
        stack, state = self._frames.push(observations, state)
        return self._policy.act(self._network(stack), explore=explore).cpu().numpy(), state

    def update(self, batch: Transitions) -> Metrics:
        """Take one gradient step; the target network follows every `target_period` updates."""
        q_tm1 = self._network(batch.s_tm1)
        r_t, discount_t = n_step_return(batch.r_t, batch.discount_t, batch.num_steps, self._config.discount)
        with torch.no_grad():
            q_t, before = self._target(batch.s_t), self._target(batch.s_tm1)
        gap = before.amax(1) - before.gather(1, batch.a_tm1[:, None])[:, 0]
        error = q_learning(q_tm1, batch.a_tm1, r_t - self._config.alpha * gap, discount_t, q_t)
        loss = F.huber_loss(error, torch.zeros_like(error), reduction="sum")
        self._optimizer.minimize(loss)
        self._target.follow(self._network)
        return {"loss": loss.detach() / len(error), "q_mean": q_tm1.mean().detach(), "action_gap": gap.mean()}

    def parts(self) -> dict[str, Stateful]:
        """Return networks, optimizer and policy."""
        return {
            "network": self._network,
            "target": self._target,
            "optimizer": self._optimizer,
            "policy": self._policy,
        }
