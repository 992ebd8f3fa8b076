"""PQN: Q-learning on fresh experience, without replay or target network; layer normalization keeps it stable.

Paper: Gallici et al. 2025, "Simplifying Deep Temporal Difference Learning".
Deviations: Adam, where the authors have RAdam; PyTorch's initial weights, where theirs are He's; fewer environments
    than their 128 of 32 steps unless `stream` says so; rewards are raw unless `reward_clip=1`. Truncation bootstraps
    from the true last observation, where theirs ends the return. As in the authors' code: Peng's Q(lambda), with values
    of the network that acted; half the mean squared error; `norm: layer` before each ReLU, of convolutions over the
    channels; stacks are zero before an episode's start.
"""

from typing import Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator

from sandbox.agents import _options as options
from sandbox.agents._frame_stack import FrameStack
from sandbox.agents._policy import EpsilonGreedyPolicy
from sandbox.agents._q_network import QNetwork
from sandbox.config.numbers import Repeats
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.environments.interaction import EnvStep
from sandbox.interfaces.agent import Agent, AgentConfig, Exportable
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.networks.nature import Nature
from sandbox.ops.returns import q_lambda
from sandbox.ops.value_learning import clip_rewards
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.base import Tensors
from sandbox.streams.rollouts import RolloutsConfig


class PQNConfig(AgentConfig):
    """Options of PQN."""

    name: Literal["pqn"] = "pqn"
    backbone: options.Backbone = Nature(norm="layer")
    frame_stack: options.FrameStackSize = 4
    discount: options.Discount = 0.99
    q_lambda: float = Field(default=0.65, ge=0, le=1, description="lambda of the returns; 0 is one-step Q-learning")
    reward_clip: options.RewardClip = None
    num_epochs: Repeats = Field(default=2, description="passes over each batch")
    num_minibatches: Repeats = Field(default=4, description="gradient steps per pass")
    exploration: options.LinearExploration = Linear(start=1.0, end=0.001, steps=1_000_000)
    evaluation_epsilon: options.EvaluationEpsilon = 0.0
    optimizer: options.Optimizer = Adam(lr=2.5e-4, clip_norm=10.0)
    stream: RolloutsConfig = Field(
        default=RolloutsConfig(num_envs=8, length=16), description="batches of fresh experience"
    )

    @model_validator(mode="after")
    def _check_minibatches(self) -> Self:
        size = self.stream.num_envs * self.stream.length
        if self.num_minibatches > size:
            raise ValueError(
                f"num_minibatches={self.num_minibatches} is more than the {size} steps of a batch "
                "(stream.num_envs * stream.length). Lower it, or collect more"
            )
        return self

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "PQN":
        """Build the agent."""
        return PQN(self, spec, rng, compute)


class PQN(Agent, Exportable):
    """A PQN agent. Its recurrent state holds the older observations of the frame stack."""

    def __init__(self, config: PQNConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._compute = config, compute
        self._frames = FrameStack(spec, config.frame_stack, compute.device)
        with rng.initializing("network"):
            self._network = QNetwork(config.backbone, self._frames.shape, spec.num_actions).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._metrics_and_gradients = self._optimizer.metrics_and_gradients(self._loss)
        self._policy = EpsilonGreedyPolicy(config.exploration, config.evaluation_epsilon, rng, compute.device)
        self._shuffle = rng.torch("shuffle", compute.device)

    def initial_state(self, num_envs: int) -> torch.Tensor:
        """Return the state at an episode's start, [N, (frame_stack - 1) * C, ...] zeros."""
        return self._frames.initial_state(num_envs)

    @torch.no_grad()
    def act(self, observations: np.ndarray, state: torch.Tensor, *, explore: bool) -> tuple[np.ndarray, torch.Tensor]:
        """Choose actions epsilon-greedily."""
        q, state = self.greedy_step(torch.from_numpy(observations), state)
        return self._policy.act(q, explore=explore).cpu().numpy(), state

    def update(self, batch: list[EnvStep]) -> Metrics:
        """Compute returns once, and take `num_epochs` times `num_minibatches` gradient steps towards them."""
        s_tm1, s_t = self._stacks(batch)
        a_tm1 = self._stacked([step.actions for step in batch]).flatten()
        targets = self._returns(batch, s_t).flatten()
        losses, q_means = [], []
        for _ in range(self._config.num_epochs):
            order = torch.randperm(len(targets), generator=self._shuffle, device=targets.device)
            for part in order.tensor_split(self._config.num_minibatches):
                (loss, q_mean), gradients = self._metrics_and_gradients(s_tm1[part], a_tm1[part], targets[part])
                self._optimizer.step(gradients)
                losses.append(loss)
                q_means.append(q_mean)
        return {
            "loss": torch.stack(losses).mean(),
            "q_mean": torch.stack(q_means).mean(),
            "epsilon": self._policy.mean_epsilon,
        }

    def _loss(self, s_tm1: torch.Tensor, a_tm1: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, Tensors]:
        """Return half the mean squared error; and as metrics itself and the mean value."""
        with self._compute.autocast():
            q = self._network(s_tm1)
        error = targets - q.gather(1, a_tm1[:, None])[:, 0]
        loss = error.square().mean() / 2
        return loss, (loss, q.mean())

    @torch.no_grad()
    def _returns(self, batch: list[EnvStep], s_t: torch.Tensor) -> torch.Tensor:
        """Return the lambda-returns [T, N]; the network is called in parts as large as those of a gradient step."""
        config = self._config
        r_t = clip_rewards(self._stacked([step.rewards for step in batch]).float(), config.reward_clip)
        terminated = self._stacked([step.terminated for step in batch])
        ended = self._stacked([step.ended for step in batch])
        with self._compute.autocast():
            q_t = torch.cat([self._network(part) for part in s_t.tensor_split(config.num_minibatches)])
        discount_t = config.discount * (~terminated).float()
        return q_lambda(r_t, discount_t, q_t.view(*r_t.shape, -1), ended, config.q_lambda)

    def _stacks(self, batch: list[EnvStep]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the frame stacks before and after each step, [T * N, frame_stack * C, ...] each."""
        states = torch.cat([step.state for step in batch])
        s_tm1, older = self._frames.push(np.concatenate([step.observations for step in batch]), states)
        s_t, _ = self._frames.push(np.concatenate([step.next_observations for step in batch]), older)
        return s_tm1, s_t

    def _stacked(self, arrays: list[np.ndarray]) -> torch.Tensor:
        """Turn T arrays [N, ...] into a tensor [T, N, ...] on the device."""
        return torch.from_numpy(np.stack(arrays)).to(self._compute.device)

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

    def parts(self) -> dict[str, Stateful]:
        """Return network, optimizer and policy."""
        return {"network": self._network, "optimizer": self._optimizer, "policy": self._policy}
