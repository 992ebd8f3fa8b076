"""IQN: an implicit quantile network estimates the quantile of the return for any fraction tau.

Paper: Dabney et al. 2018, "Implicit Quantile Networks for Distributional Reinforcement Learning".
Deviations: the fractions' embedding multiplies the features of the backbone, here above its hidden layer, in the paper
    below it (`backbone={name: nature, hidden: null}` is the paper's network); rewards are raw unless `reward_clip=1`,
    evaluation is greedy unless `evaluation_epsilon=0.001`; the exploration's default is DQN's (the paper's:
    `exploration.end=0.01`), and epsilon falls from the first step unless `exploration.delay` is the warm-up; several
    environments step together. Truncation bootstraps. As in the paper: fractions are uniform (a neutral attitude to
    risk) and drawn anew for every state and use; the target network selects the next action and evaluates it; the loss
    is summed over the learned quantiles, and averaged over the targets and the batch.
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
from sandbox.buffers.replay import Transitions
from sandbox.config.numbers import Positive, Units
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
from sandbox.networks.inputs import as_float, in_fp32
from sandbox.networks.nature import Nature
from sandbox.networks.target import TargetNetwork
from sandbox.ops.distributional import cosines, quantile_huber, quantile_targets
from sandbox.ops.value_learning import clip_rewards, n_step_return
from sandbox.optimizers.adam import Adam
from sandbox.streams.experience import ExperienceConfig


class IQNConfig(AgentConfig):
    """Options of IQN."""

    name: Literal["iqn"] = "iqn"
    backbone: options.Backbone = Nature()
    num_taus: Units = Field(default=64, description="learned quantiles per transition (N in the paper)")
    num_target_taus: Units = Field(default=64, description="quantiles of the target per transition (N')")
    num_policy_taus: Units = Field(default=32, description="quantiles whose mean is the value of an action (K)")
    kappa: Positive = Field(default=1.0, description="threshold of the Huber loss; smaller errors are squared")
    embedding_size: Units = Field(default=64, description="cosines that represent a fraction")
    hidden_size: Units = Field(
        default=512, description="width of the layer above the product of features and embedding"
    )
    frame_stack: options.FrameStackSize = 4
    n_step: options.NStep = 1
    discount: options.Discount = 0.99
    reward_clip: options.RewardClip = None
    target_period: options.TargetPeriod = 2_500
    exploration: options.Exploration = Linear(start=1.0, end=0.1, steps=1_000_000)
    evaluation_epsilon: options.EvaluationEpsilon = 0.0
    optimizer: options.Optimizer = Adam(lr=5e-5, eps=3.125e-4)
    stream: ExperienceConfig = Field(default=ExperienceConfig(), description="batches of transitions from a replay")

    def split(self) -> Split:
        """Divide the transitions of a batch; the loss is their mean."""
        return Split("mean", {"agent.stream.batch_size": self.stream.batch_size})

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "IQN":
        """Build the agent."""
        return IQN(self, spec, rng, compute)


class QuantileNetwork(nn.Module):
    """Observations [B, *input_shape] and fractions [B, N] -> quantiles of the return of every action, [B, N, A]."""

    def __init__(self, config: IQNConfig, input_shape: tuple[int, ...], num_actions: int) -> None:
        super().__init__()
        self.encoder = config.backbone.make(input_shape)
        self.embedding = nn.Linear(config.embedding_size, self.encoder.out_features)
        self.hidden = nn.Linear(self.encoder.out_features, config.hidden_size)
        self.head = nn.Linear(config.hidden_size, num_actions)

    def forward(self, observations: torch.Tensor, taus: torch.Tensor) -> torch.Tensor:
        """Return the quantiles."""
        embedded = F.relu(self.embedding(cosines(taus, self.embedding.in_features)))
        features = self.encoder(observations)[:, None] * embedded
        return in_fp32(self.head, F.relu(self.hidden(features)))


class IQN(TransitionLearner, Exportable, RemoteAgent):
    """An IQN agent. Its recurrent state holds the older observations of the frame stack.

    Fractions are drawn from the generators `taus` (learned quantiles) and `target_taus`, and in acting from the
    generators of the policy.
    """

    def __init__(self, config: IQNConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self.frame_stack, self.n_step = config.frame_stack, config.n_step
        self._config, self._compute = config, compute
        self._frames = FrameStack(spec, config.frame_stack, compute.device)
        with rng.initializing("network"):
            self._network = QuantileNetwork(config, self._frames.shape, spec.num_actions).to(compute.device)
        self._target = TargetNetwork(self._network, config.target_period)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._policy = EpsilonGreedyPolicy(config.exploration, config.evaluation_epsilon, rng, compute.device)
        self._taus, self._target_taus = rng.torch("taus", compute.device), rng.torch("target_taus", compute.device)

    def initial_state(self, num_envs: int) -> torch.Tensor:
        """Return the state at an episode's start, [N, (frame_stack - 1) * C, ...] zeros."""
        return self._frames.initial_state(num_envs)

    @torch.no_grad()
    def act(self, observations: np.ndarray, state: torch.Tensor, *, explore: bool) -> tuple[np.ndarray, torch.Tensor]:
        """Choose actions epsilon-greedily."""
        stack, state = self._frames.push(observations, state)
        generator = self._policy.generator(explore=explore)
        q = self._network(stack, self._fractions(generator, len(stack), self._config.num_policy_taus)).mean(1)
        return self._policy.act(q, explore=explore).cpu().numpy(), state

    def update(self, batch: Transitions) -> Metrics:
        """Take one gradient step; the target network follows every `target_period` updates."""
        config, size = self._config, len(batch.a_tm1)
        taus = self._drawn_fractions(self._taus, size, config.num_taus)
        counts = (config.num_policy_taus, config.num_target_taus)
        target_taus = self._drawn_fractions(self._target_taus, size, sum(counts))
        with self._compute.autocast():
            z_tm1 = self._network(batch.s_tm1, taus)
            with torch.no_grad():  # one pass for both: the values that select the next action, and its quantiles
                z_t_selector, z_t = self._target(batch.s_t, target_taus).split(counts, 1)
        r_t = clip_rewards(batch.r_t, config.reward_clip)
        r_t, discount_t = n_step_return(r_t, batch.discount_t, batch.num_steps, config.discount)
        targets = quantile_targets(r_t, discount_t, z_t, z_t_selector.mean(1))
        chosen = z_tm1.take_along_dim(batch.a_tm1[:, None, None], 2)[..., 0]
        loss = quantile_huber(chosen, taus, targets, config.kappa).mean()
        self._optimizer.minimize(loss)
        self._target.follow(self._network)
        return {"loss": loss.detach(), "q_mean": z_tm1.detach().mean(), "epsilon": self._policy.mean_epsilon}

    def _drawn_fractions(self, generator: torch.Generator, size: int, count: int) -> torch.Tensor:
        """Draw fractions [size, count] for an update of this process's rows."""
        return self._compute.processes.drawn(lambda shape: self._fractions(generator, *shape), (size, count))

    def _fractions(self, generator: torch.Generator, size: int, count: int) -> torch.Tensor:
        """Draw fractions [size, count], uniform in [0, 1)."""
        return torch.rand(size, count, generator=generator, device=self._compute.device)

    def network_input(self, observations: np.ndarray, state: torch.Tensor) -> torch.Tensor:
        """Return the stack, [N, frame_stack * C, ...]."""
        return as_float(self._frames.push(observations, state)[0])

    def q_values(self, network_input: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """Return action values [N, A]: means over evenly spaced fractions, where `act` draws its fractions."""
        count = self._config.num_policy_taus
        taus = (torch.arange(count, device=network_input.device) + 0.5) / count
        return self._network(network_input, taus.expand(network_input.shape[0], -1)).mean(1)

    def greedy_step(self, observations: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return action values [N, A] as `q_values` does, from evenly spaced fractions, and the next state."""
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
        return {
            "network": self._network,
            "target": self._target,
            "optimizer": self._optimizer,
            "policy": self._policy,
        }
