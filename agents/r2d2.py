"""R2D2: recurrent Q-learning from sequences with stored recurrent states, refreshed by a burn-in.

Paper: Kapturowski et al. 2019, "Recurrent Experience Replay in Distributed Reinforcement Learning".
Deviations: one process instead of many actors and a learner, so that stored states are stale by updates, not by copies
    of weights; Huber loss; gradients are clipped by their norm; a sequence of which an episode leaves less than
    `length` is learned as far as it goes; near a sequence's end, returns of fewer than `n_step` steps bootstrap from
    its last observation; at an episode's start there is no burn-in; rewards are raw unless `reward_clip=1`, where the
    last reward is clipped for the network, too; lost lives end an episode where the environment says so. Truncation
    bootstraps. `delta_q` is measured at one observation of each sequence: where the next one's state was stored.
"""

from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from sandbox.agents import _options as options
from sandbox.agents._policy import EpsilonGreedyPolicy
from sandbox.buffers.sequences import Sequences
from sandbox.config.numbers import Positive
from sandbox.config.schedules import ApexEpsilon
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.agent import Agent, AgentConfig, Exportable
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.state import map_state
from sandbox.networks.heads.noisy import NO_NOISE, PlainLinear
from sandbox.networks.heads.scalar import Scalar
from sandbox.networks.inputs import as_float
from sandbox.networks.nature import Nature
from sandbox.networks.recurrent import LSTM, AnyCore, RecurrentState
from sandbox.networks.target import TargetNetwork
from sandbox.ops.returns import n_step_windows, sequence_priorities, value_discrepancy
from sandbox.ops.value_learning import clip_rewards, double_q_learning, rescaled_double_q_learning
from sandbox.optimizers.adam import Adam
from sandbox.streams.stored_sequences import StoredSequences, StoredSequencesConfig

PRIORITY_SHARE = 0.9  # share of the largest error in a sequence's priority; the rest is that of the mean error


class R2D2Config(AgentConfig):
    """Options of R2D2."""

    name: Literal["r2d2"] = "r2d2"
    backbone: options.Backbone = Nature()
    recurrent: AnyCore = Field(default=LSTM(), description="recurrent core between the backbone and the head")
    head: Scalar = Field(default=Scalar(), description="layers from the recurrent core to the action values")
    last_action_reward: bool = Field(
        default=True, description="the recurrent core also sees the last action and reward"
    )
    double: bool = Field(
        default=True, description="the online network selects the next action, else the target network"
    )
    n_step: options.NStep = 5
    discount: options.Discount = 0.997
    rescale: Positive | None = Field(
        default=1e-3,
        description="values are learned on the scale of h(x) = sign(x)(sqrt(|x| + 1) - 1) + rescale x; null: raw",
    )
    reward_clip: options.RewardClip = None
    target_period: options.TargetPeriod = 2_500
    exploration: options.Exploration = ApexEpsilon(base=0.4)
    evaluation_epsilon: options.EvaluationEpsilon = 0.0
    optimizer: options.Optimizer = Adam(lr=1e-4, eps=1e-3, clip_norm=40.0)
    stream: StoredSequencesConfig = Field(
        default=StoredSequencesConfig(), description="batches of sequences with stored states, by their priorities"
    )

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "R2D2":
        """Build the agent."""
        return R2D2(self, spec, rng, compute)


class R2D2Network(nn.Module):
    """Observations [B, T, C, ...], last actions and rewards [B, T, A + 1] and a recurrent state -> values [B, T, A]."""

    def __init__(self, config: R2D2Config, spec: Spec) -> None:
        super().__init__()
        self.encoder = config.backbone.make(spec.shape)
        self._num_last = spec.num_actions + 1 if config.last_action_reward else 0
        self.recurrent = config.recurrent.make(self.encoder.out_features + self._num_last)
        self.head = config.head.make(self.recurrent.out_features, spec.num_actions, PlainLinear)

    def forward(
        self, observations: torch.Tensor, last: torch.Tensor, state: RecurrentState
    ) -> tuple[torch.Tensor, RecurrentState]:
        """Go through all T steps; return the values and the next recurrent state."""
        features = self.encoder(observations.flatten(0, 1)).unflatten(0, observations.shape[:2])
        features = torch.cat([features.float(), last[..., : self._num_last]], 2)
        outputs, state = self.recurrent(features, state)
        return self.head(outputs.flatten(0, 1), NO_NOISE)[..., 0].unflatten(0, observations.shape[:2]), state


class R2D2(Agent, Exportable):
    """An R2D2 agent. Its recurrent state holds that of the core, the last action (one-hot) and the last reward."""

    def __init__(self, config: R2D2Config, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._num_actions, self._compute = config, spec.num_actions, compute
        with rng.initializing("network"):
            self._network = R2D2Network(config, spec).to(compute.device)
        self._target = TargetNetwork(self._network, config.target_period)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._policy = EpsilonGreedyPolicy(config.exploration, config.evaluation_epsilon, rng, compute.device)
        self._error = double_q_learning
        if config.rescale is not None:
            self._error = partial(rescaled_double_q_learning, epsilon=config.rescale)

    def initial_state(self, num_envs: int) -> dict[str, Any]:
        """Return the state at an episode's start: zeros; `action` is [N, A] and `reward` [N]."""
        device = self._compute.device
        return {
            "recurrent": self._network.recurrent.initial(num_envs, device),
            "action": torch.zeros(num_envs, self._num_actions, device=device),
            "reward": torch.zeros(num_envs, device=device),
        }

    @torch.no_grad()
    def act(
        self, observations: np.ndarray, state: dict[str, Any], *, explore: bool
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Choose actions epsilon-greedily."""
        device = self._compute.device
        state = map_state(lambda part: part.to(device), state)
        newest = torch.from_numpy(observations).to(device)[:, None]
        q, recurrent = self._network(newest, self._last(state)[:, None], state["recurrent"])
        actions = self._policy.act(q[:, 0], explore=explore)
        next_state = {
            "recurrent": recurrent,
            "action": F.one_hot(actions, self._num_actions).float(),
            "reward": torch.zeros_like(state["reward"]),  # filled in after the step
        }
        return actions.cpu().numpy(), next_state

    def update(self, batch: StoredSequences) -> Metrics:
        """Take one gradient step on whole sequences, after their burn-in, and set their priorities."""
        data = batch.sequences
        last_burn_in = self._followed_by(self._last(batch.state), batch.burn_in)
        last = self._followed_by(last_burn_in[:, -1] * ~batch.starts[:, None], data)
        with self._compute.autocast():
            state = self._refreshed_state(self._network, last_burn_in, batch)
            target_state = self._refreshed_state(self._target, last_burn_in, batch)
            q, _ = self._network(data.observations, last, state)
            with torch.no_grad():
                q_target, _ = self._target(data.observations, last, target_state)
        error = self._errors(q, q_target, data)
        losses = F.huber_loss(error, torch.zeros_like(error), reduction="none") * data.mask
        delta_q = self._delta_q(q.detach(), last, batch)  # before the step: with the weights that made q
        self._optimizer.minimize((batch.weights * losses.sum(1)).sum() / error.shape[1])
        batch.set_priorities(sequence_priorities(error.detach(), data.mask, PRIORITY_SHARE))
        self._target.follow(self._network)
        count = data.mask.sum()
        return {
            "loss": losses.detach().sum() / count,
            "q_mean": (q[:, :-1].detach().mean(-1) * data.mask).sum() / count,
            "delta_q": delta_q,
            "epsilon": self._policy.mean_epsilon,
        }

    def _errors(self, q: torch.Tensor, q_target: torch.Tensor, data: Sequences) -> torch.Tensor:
        """Return the n-step errors [B, T] of the values [B, T + 1, A] of both networks."""
        config = self._config
        r_t = clip_rewards(data.r_t, config.reward_clip)
        r_t, discount_t, follows = n_step_windows(r_t, data.discount_t, data.mask, config.n_step, config.discount)
        there = follows[..., None].expand(-1, -1, self._num_actions)
        q_t = q_target.gather(1, there)
        q_t_selector = q.detach().gather(1, there) if config.double else q_t
        return self._error(q[:, :-1], data.a_tm1, r_t, discount_t, q_t, q_t_selector)

    @torch.no_grad()
    def _refreshed_state(self, network: nn.Module, last: torch.Tensor, batch: StoredSequences) -> RecurrentState:
        """Return the recurrent state after the burn-in from the stored state; zeros at an episode's start."""
        state, observations = batch.state["recurrent"], batch.burn_in.observations[:, :-1]
        if observations.shape[1]:
            _, state = network(observations, last[:, :-1], state)
        return tuple(part * ~batch.starts[:, None] for part in state)

    @torch.no_grad()
    def _delta_q(self, q: torch.Tensor, last: torch.Tensor, batch: StoredSequences) -> torch.Tensor:
        """Return how much the values differ between the unrolled and the stored state, where there is one."""
        at = batch.later_at
        with self._compute.autocast():
            stale, _ = self._network(
                batch.sequences.observations[:, at, None], last[:, at, None], batch.later_state["recurrent"]
            )
        difference = value_discrepancy(q[:, at], stale[:, 0]) * batch.is_later
        return difference.sum() / batch.is_later.sum().clamp_min(1)

    def _last(self, state: dict[str, Any]) -> torch.Tensor:
        """Return the last action and the clipped last reward of a state, [B, A + 1]."""
        return torch.cat([state["action"], clip_rewards(state["reward"], self._config.reward_clip)[:, None]], 1)

    def _followed_by(self, first: torch.Tensor, data: Sequences) -> torch.Tensor:
        """Return the last action and reward before each observation, [B, T + 1, A + 1]; `first` [B, A + 1] is given."""
        rewards = clip_rewards(data.r_t, self._config.reward_clip)[..., None]
        actions = F.one_hot(data.a_tm1, self._num_actions)
        return torch.cat([first[:, None], torch.cat([actions, rewards], 2)], 1)

    def network_input(self, observations: np.ndarray, state: dict[str, Any]) -> torch.Tensor:
        """Return one observation of each environment, [N, C, ...]."""
        return as_float(torch.from_numpy(observations).to(self._compute.device))

    def q_values(self, network_input: torch.Tensor, state: dict[str, Any]) -> torch.Tensor:
        """Return action values [N, A] on the scale on which they are learned (see `rescale`)."""
        state = map_state(lambda part: part.to(network_input.device), state)
        return self._network(network_input[:, None], self._last(state)[:, None], state["recurrent"])[0][:, 0]

    def greedy_step(self, observations: torch.Tensor, state: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
        """Return action values [N, A] as `q_values` does, and the next state, whose reward is 0 until it is known."""
        q, recurrent = self._network(observations[:, None], self._last(state)[:, None], state["recurrent"])
        action = F.one_hot(q[:, 0].argmax(1), self._num_actions).float()
        return q[:, 0], {"recurrent": recurrent, "action": action, "reward": torch.zeros_like(state["reward"])}

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
