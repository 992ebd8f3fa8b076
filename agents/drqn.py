"""DRQN: a recurrent Q-network, for environments of which one observation does not show the state.

Paper: Hausknecht & Stone 2015, "Deep Recurrent Q-Learning for Partially Observable MDPs".
Deviations: Adam instead of Adadelta; of the paper's bootstrapped random updates, windows near an episode's start begin
    there; a GRU, a plain RNN or nothing can take the LSTM's place; of the `nature` backbone, `hidden: null` (the
    default) has the LSTM in place of the first fully connected layer as in the paper, and other backbones have it on
    top; several environments step together. Truncation bootstraps.
"""

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from sandbox.agents import _options as options
from sandbox.agents._policy import EpsilonGreedyPolicy
from sandbox.buffers.sequences import SequenceBatch
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.agent import Agent, AgentConfig, Exportable
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.state import map_state
from sandbox.networks.inputs import as_float, in_fp32
from sandbox.networks.nature import Nature
from sandbox.networks.recurrent import LSTM, AnyCore, RecurrentState
from sandbox.networks.target import TargetNetwork
from sandbox.ops.value_learning import clip_rewards, q_learning
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.base import Tensors
from sandbox.streams.sequences import SequencesConfig


class DRQNConfig(AgentConfig):
    """Options of DRQN."""

    name: Literal["drqn"] = "drqn"
    backbone: options.Backbone = Nature(hidden=None)
    recurrent: AnyCore = Field(default=LSTM(), description="recurrent core between the backbone and the head")
    discount: options.Discount = 0.99
    reward_clip: options.RewardClip = None
    error_clip: options.ErrorClip = 1.0
    target_period: options.TargetPeriod = 2_500
    exploration: options.Exploration = Linear(start=1.0, end=0.1, steps=1_000_000)
    evaluation_epsilon: options.EvaluationEpsilon = 0.0
    optimizer: options.Optimizer = Adam(lr=2.5e-4, clip_norm=10.0)
    stream: SequencesConfig = Field(default=SequencesConfig(), description="batches of sequences from a replay")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "DRQN":
        """Build the agent."""
        return DRQN(self, spec, rng, compute)


class RecurrentQNetwork(nn.Module):
    """Observations [B, T, C, ...] and a recurrent state -> action values [B, T, A] and the next recurrent state."""

    def __init__(self, config: DRQNConfig, spec: Spec) -> None:
        super().__init__()
        self.encoder = config.backbone.make(spec.shape)
        self.recurrent = config.recurrent.make(self.encoder.out_features)
        self.head = nn.Linear(self.recurrent.out_features, spec.num_actions)

    def forward(self, observations: torch.Tensor, state: RecurrentState) -> tuple[torch.Tensor, RecurrentState]:
        """Go through all T steps."""
        features = self.encoder(observations.flatten(0, 1)).unflatten(0, observations.shape[:2])
        outputs, state = self.recurrent(features, state)
        return in_fp32(self.head, outputs), state


class DRQN(Agent, Exportable):
    """A DRQN agent. Its recurrent state is that of the network's core."""

    def __init__(self, config: DRQNConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._compute = config, compute
        with rng.initializing("network"):
            self._network = RecurrentQNetwork(config, spec).to(compute.device)
        self._target = TargetNetwork(self._network, config.target_period)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._metrics_and_gradients = self._optimizer.metrics_and_gradients(self._loss)
        self._policy = EpsilonGreedyPolicy(config.exploration, config.evaluation_epsilon, rng, compute.device)

    def initial_state(self, num_envs: int) -> RecurrentState:
        """Return the state at an episode's start, zeros."""
        return self._network.recurrent.initial(num_envs, self._compute.device)

    @torch.no_grad()
    def act(
        self, observations: np.ndarray, state: RecurrentState, *, explore: bool
    ) -> tuple[np.ndarray, RecurrentState]:
        """Choose actions epsilon-greedily."""
        device = self._compute.device
        newest = torch.from_numpy(observations).to(device)[:, None]
        q, state = self._network(newest, map_state(lambda part: part.to(device), state))
        return self._policy.act(q[:, 0], explore=explore).cpu().numpy(), state

    def update(self, batch: SequenceBatch) -> Metrics:
        """Take one gradient step on whole sequences; the target network follows every `target_period` updates."""
        (loss, q_mean, *state), gradients = self._metrics_and_gradients(*batch.sequences, *batch.state)
        batch.keep_state(tuple(state))
        self._optimizer.step(gradients)
        self._target.follow(self._network)
        return {"loss": loss, "q_mean": q_mean, "epsilon": self._policy.mean_epsilon}

    def _loss(
        self,
        observations: torch.Tensor,
        a_tm1: torch.Tensor,
        r_t: torch.Tensor,
        discount_t: torch.Tensor,
        mask: torch.Tensor,
        *state: torch.Tensor,
    ) -> tuple[torch.Tensor, Tensors]:
        """Return the Huber loss summed over the batch; the loss per transition, the mean value and the next state."""
        config = self._config
        with self._compute.autocast():
            q_tm1, next_state = self._network(observations[:, :-1], state)
            with torch.no_grad():
                q_t = self._target(observations, state)[0][:, 1:]
        r_t = clip_rewards(r_t, config.reward_clip)
        error = q_learning(q_tm1, a_tm1, r_t, config.discount * discount_t, q_t)
        losses = F.huber_loss(error, torch.zeros_like(error), reduction="none", delta=config.error_clip) * mask
        count = mask.sum()
        q_mean = (q_tm1.mean(-1) * mask).sum() / count
        return losses.sum() / error.shape[1], (losses.sum() / count, q_mean, *next_state)

    def network_input(self, observations: np.ndarray, state: RecurrentState) -> torch.Tensor:
        """Return one observation of each environment, [N, C, ...]."""
        return as_float(torch.from_numpy(observations).to(self._compute.device))

    def q_values(self, network_input: torch.Tensor, state: RecurrentState) -> torch.Tensor:
        """Return the action values [N, A] of the network."""
        state = map_state(lambda part: part.to(network_input.device), state)
        return self._network(network_input[:, None], state)[0][:, 0]

    def greedy_step(self, observations: torch.Tensor, state: RecurrentState) -> tuple[torch.Tensor, RecurrentState]:
        """Return the action values [N, A] of the network, and the next state."""
        q, state = self._network(observations[:, None], state)
        return q[:, 0], state

    def epsilon(self, *, explore: bool) -> float:
        """Return the present probability of a random action."""
        return self._policy.epsilon(explore=explore)

    def parts(self) -> dict[str, Stateful]:
        """Return networks, optimizer and policy."""
        return {
            "network": self._network,
            "target": self._target,
            "optimizer": self._optimizer,
            "policy": self._policy,
        }
