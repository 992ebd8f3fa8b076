"""DQN: Q-learning with a deep network, a replay and a target network.

Paper: Mnih et al. 2015, "Human-level control through deep reinforcement learning".
Deviations: the paper has centered RMSProp (here `optimizer.name=centered_rmsprop`, else Adam), rewards clipped to
    [-1, 1] in training (here `reward_clip=1`, else raw) and an evaluation epsilon of 0.05 (here
    `evaluation_epsilon=0.05`, else greedy); epsilon falls from the first step unless `exploration.delay` is the
    warm-up; several environments step together, and act by the weights from before the latest update. Truncation
    bootstraps. As in the paper's code: the loss is summed over the batch, error clipping is the Huber loss, ties are
    broken at random, stacks are zero before an episode's start, and the target is copied every 2,500 updates (10,000
    agent steps at four steps per update).
"""

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn
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
from sandbox.interfaces.acting import Explorer, RemoteAgent
from sandbox.interfaces.agent import AgentConfig, Exportable, TransitionLearner
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.split import Split
from sandbox.networks.inputs import as_float
from sandbox.networks.nature import Nature
from sandbox.networks.target import TargetNetwork
from sandbox.ops.value_learning import clip_rewards, n_step_return, q_learning
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.base import Tensors
from sandbox.streams.experience import ExperienceConfig


class DQNConfig(AgentConfig):
    """Options of DQN."""

    name: Literal["dqn"] = "dqn"
    backbone: options.Backbone = Nature()
    frame_stack: options.FrameStackSize = 4
    n_step: options.NStep = 1
    discount: options.Discount = 0.99
    reward_clip: options.RewardClip = None
    error_clip: options.ErrorClip = 1.0
    target_period: options.TargetPeriod = 2_500
    exploration: options.Exploration = Linear(start=1.0, end=0.1, steps=1_000_000)
    evaluation_epsilon: options.EvaluationEpsilon = 0.0
    optimizer: options.Optimizer = Adam(lr=2.5e-4)
    stream: ExperienceConfig = Field(default=ExperienceConfig(), description="batches of transitions from a replay")

    def split(self) -> Split:
        """Divide the transitions of a batch; the loss is their sum."""
        return Split("sum", {"agent.stream.batch_size": self.stream.batch_size})

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "DQN":
        """Build the agent."""
        return DQN(self, spec, rng, compute)


class DQN(TransitionLearner, Exportable, RemoteAgent):
    """A DQN agent. Its recurrent state holds the older observations of the frame stack."""

    def __init__(self, config: DQNConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self.frame_stack, self.n_step = config.frame_stack, config.n_step
        self._config, self._compute, self._num_actions = config, compute, spec.num_actions
        self._frames = FrameStack(spec, config.frame_stack, compute.device)
        with rng.initializing("network"):
            self._network = QNetwork(config.backbone, self._frames.shape, spec.num_actions).to(compute.device)
        self._target = TargetNetwork(self._network, config.target_period)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._metrics_and_gradients = self._optimizer.metrics_and_gradients(self._loss)
        self._policy = EpsilonGreedyPolicy(config.exploration, config.evaluation_epsilon, rng, compute.device)

    def initial_state(self, num_envs: int) -> torch.Tensor:
        """Return the state at an episode's start, [N, (frame_stack - 1) * C, ...] zeros."""
        return self._frames.initial_state(num_envs)

    @torch.no_grad()
    def act(self, observations: np.ndarray, state: torch.Tensor, *, explore: bool) -> tuple[np.ndarray, torch.Tensor]:
        """Choose actions epsilon-greedily."""
        stack, state = self._frames.push(observations, state)
        shape = (len(stack), self._num_actions)
        actions = self._policy.act_by(lambda: self._network(stack), shape, explore=explore)
        return actions.cpu().numpy(), state

    def update(self, batch: Transitions) -> Metrics:
        """Take one gradient step; the target network follows every `target_period` updates."""
        (loss, q_mean), gradients = self._metrics_and_gradients(*batch)
        self._optimizer.step(gradients)
        self._target.follow(self._network)
        return {"loss": loss, "q_mean": q_mean, "epsilon": self._policy.mean_epsilon}

    def _loss(self, *batch_parts: torch.Tensor) -> tuple[torch.Tensor, Tensors]:
        """Return the summed Huber loss; and as metrics the loss per transition and the mean value."""
        batch, config = Transitions(*batch_parts), self._config
        with self._compute.autocast():
            q_tm1 = self._network(batch.s_tm1)
            with torch.no_grad():
                q_t = self._target(batch.s_t)
        r_t = clip_rewards(batch.r_t, config.reward_clip)
        r_t, discount_t = n_step_return(r_t, batch.discount_t, batch.num_steps, config.discount)
        error = q_learning(q_tm1, batch.a_tm1, r_t, discount_t, q_t)
        loss = F.huber_loss(error, torch.zeros_like(error), reduction="sum", delta=config.error_clip)
        return loss, (loss / len(error), q_tm1.mean())

    def network_input(self, observations: np.ndarray, state: torch.Tensor) -> torch.Tensor:
        """Return the stack, [N, frame_stack * C, ...]."""
        return as_float(self._frames.push(observations, state)[0])

    def q_values(self, network_input: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """Return the action values [N, A] of the network."""
        return self._network(network_input)

    def greedy_step(self, observations: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the action values [N, A] of the stack, and the next state."""
        stack, state = self._frames.push(observations, state)
        return self.q_values(stack, state), state

    def epsilon(self, *, explore: bool) -> float:
        """Return the present probability of a random action."""
        return self._policy.epsilon(explore=explore)

    def acting(self) -> tuple[nn.Module, Explorer]:
        """Return the network and the exploration."""
        return self._network, self._policy

    def parts(self) -> dict[str, Stateful]:
        """Return networks, optimizer and policy."""
        return {"network": self._network, "target": self._target, "optimizer": self._optimizer, "policy": self._policy}
