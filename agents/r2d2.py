"""R2D2: recurrent Q-learning from sequences that begin with the memory the agent had when it acted, refreshed first.

Paper: Kapturowski et al. 2019, "Recurrent Experience Replay in Distributed Reinforcement Learning".
Deviations: one process instead of many actors and a learner, so that memories are stale by updates, not by copies of
    weights; Huber loss; gradients are clipped by their norm; a sequence of which an episode leaves less than `length`
    is learnt as far as it goes; near a sequence's end, returns of fewer than `n_step` steps bootstrap from its last
    observation; at an episode's start there is no burn-in; rewards are raw unless `reward_clip=1`, where the last
    reward is clipped for the network, too; lost lives end an episode where the environment says so. Truncation
    bootstraps. `delta_q` is measured at one observation of each sequence: where the next one's memory was stored.
"""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import nn
from torch.nn import functional as F

from sandbox.buffers.sequences import Sequences
from sandbox.config.schedules import ApexEpsilon, EpsilonSchedule
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.interfaces.agent import AgentConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.state import map_state
from sandbox.networks.backbone import Backbone
from sandbox.networks.heads.noisy import SILENCE, PlainLinear
from sandbox.networks.heads.scalar import Scalar
from sandbox.networks.inputs import as_float
from sandbox.networks.nature import Nature
from sandbox.networks.recurrent import LSTM, AnyCore, RecurrentState
from sandbox.ops.policies import epsilon_greedy
from sandbox.ops.returns import n_step_windows, sequence_priorities, value_discrepancy
from sandbox.ops.value_learning import double_q_learning, rescaled_double_q_learning
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.stored_sequences import StoredSequences, StoredSequencesConfig

PRIORITY_SHARE = 0.9  # of the largest error in a sequence's priority; the rest is the mean's


class R2D2Config(AgentConfig):
    """`recurrent`: what it remembers with; `last_action_reward`: whether it sees what it did and got, too.

    `rescale`: values are learnt as h(value) with this epsilon, null: as they are. `double`: the online network chooses
    the next action. `target_period` counts updates, `exploration` agent steps. `reward_clip`: rewards are seen within
    plus and minus this, scores and replay have the raw ones.
    """

    name: Literal["r2d2"] = "r2d2"
    backbone: Backbone = Nature()
    recurrent: AnyCore = LSTM()
    head: Scalar = Scalar()
    last_action_reward: bool = True
    double: bool = True
    discount: float = Field(0.997, ge=0, le=1)
    n_step: PositiveInt = 5
    rescale: PositiveFloat | None = 1e-3
    reward_clip: PositiveFloat | None = None
    target_period: PositiveInt = 2_500
    exploration: EpsilonSchedule = ApexEpsilon(base=0.4)
    evaluation_epsilon: float = Field(0.0, ge=0, le=1)
    optimizer: AnyOptimizer = Adam(lr=1e-4, eps=1e-3, clip_norm=40.0)
    stream: StoredSequencesConfig = StoredSequencesConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "R2D2":
        return R2D2(self, spec, rng, compute)


class R2D2Network(nn.Module):
    """[B, T, C, ...], [B, T, A + 1] last actions and rewards, a memory -> values [B, T, A], the memory after."""

    def __init__(self, config: R2D2Config, spec: Spec) -> None:
        super().__init__()
        self.encoder = config.backbone.make(spec.shape)
        self._num_last = spec.num_actions + 1 if config.last_action_reward else 0
        self.recurrent = config.recurrent.make(self.encoder.out_features + self._num_last)
        self.head = config.head.make(self.recurrent.out_features, spec.num_actions, PlainLinear)

    def forward(
        self, observations: torch.Tensor, last: torch.Tensor, memory: RecurrentState
    ) -> tuple[torch.Tensor, RecurrentState]:
        features = self.encoder(observations.flatten(0, 1)).unflatten(0, observations.shape[:2])
        features = torch.cat([features.float(), last[..., : self._num_last]], 2)
        outputs, memory = self.recurrent(features, memory)
        return self.head(outputs.flatten(0, 1), SILENCE)[..., 0].unflatten(0, observations.shape[:2]), memory


class R2D2:
    """Its carried state: the memory, the last action [N, A] (one-hot) and the last reward [N]; zeros at a start."""

    def __init__(self, config: R2D2Config, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._num_actions, self._compute = config, spec.num_actions, compute
        with rng.initializing("network"):
            self._network = R2D2Network(config, spec).to(compute.device)
        self._target = copy.deepcopy(self._network).to(compute.device).requires_grad_(False)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._explore, self._greedy = rng.torch("explore", compute.device), rng.torch("greedy", compute.device)
        self._steps, self._updates = Counter(), Counter()
        self._error: Callable[..., torch.Tensor] = double_q_learning
        if config.rescale is not None:
            self._error = partial(rescaled_double_q_learning, epsilon=config.rescale)

    def initial_state(self, num_envs: int) -> dict[str, Any]:
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
        """Epsilon-greedy by the schedule while exploring, else with `evaluation_epsilon`."""
        device, config = self._compute.device, self._config
        state = map_state(lambda part: part.to(device), state)
        newest = torch.from_numpy(observations).to(device)[:, None]
        q, memory = self._network(newest, self._last(state)[:, None], state["recurrent"])
        if explore:
            actions = epsilon_greedy(q[:, 0], config.exploration.at(self._steps.value, len(q)), self._explore)
            self._steps.value += len(observations)
        else:
            actions = epsilon_greedy(q[:, 0], config.evaluation_epsilon, self._greedy)
        action = F.one_hot(actions, self._num_actions).float()
        return actions.cpu().numpy(), {
            "recurrent": memory,
            "action": action,
            "reward": torch.zeros_like(state["reward"]),
        }

    def seen(self, observations: np.ndarray, state: dict[str, Any]) -> torch.Tensor:
        """One observation, [N, C, ...]."""
        return as_float(torch.from_numpy(observations).to(self._compute.device))

    def values(self, seen: torch.Tensor, state: dict[str, Any]) -> torch.Tensor:
        """As they are learnt: rescaled, with `rescale`."""
        state = map_state(lambda part: part.to(seen.device), state)
        return self._network(seen[:, None], self._last(state)[:, None], state["recurrent"])[0][:, 0]

    def epsilon(self, *, explore: bool) -> float:
        """How often it now acts at random."""
        rate = self._config.exploration.at(self._steps.value, 1)
        return float(np.mean(rate)) if explore else self._config.evaluation_epsilon

    def update(self, batch: StoredSequences) -> Metrics:
        """One gradient step over whole sequences in one pass, after burn-in, and their priorities."""
        config, data = self._config, batch.learnt
        before = self._followed_by(self._last(batch.burn_in.carried["state"]), batch.burn_in)
        keep = ~batch.starts[:, None]
        last = self._followed_by(before[:, -1] * keep, data)
        with self._compute.autocast():
            memories = [self._burnt_in(network, before, keep, batch) for network in (self._network, self._target)]
            q, _ = self._network(data.observations, last, memories[0])
            with torch.no_grad():
                q_target, _ = self._target(data.observations, last, memories[1])
        r_t, discount_t, follows = n_step_windows(
            self._clipped(data.r_t), data.discount_t, data.mask, config.n_step, config.discount
        )
        there = follows[..., None].expand(-1, -1, self._num_actions)
        choosing = q.detach() if config.double else q_target
        q_t, q_t_selector = (values.gather(1, there) for values in (q_target, choosing))
        error = self._error(q[:, :-1], data.a_tm1, r_t, discount_t, q_t, q_t_selector)
        losses = F.huber_loss(error, torch.zeros_like(error), reduction="none") * data.mask
        delta_q = self._delta_q(q.detach(), last, batch)  # before the step: with the weights that made q
        loss = (batch.weights * losses.sum(1)).sum() / error.shape[1]
        self._optimizer.minimize(loss)
        batch.priorities.copy_(sequence_priorities(error.detach(), data.mask, PRIORITY_SHARE))
        self._updates.value += 1
        if self._updates.value % config.target_period == 0:
            self._target.load_state_dict(self._network.state_dict())
        count = data.mask.sum()
        epsilon = np.mean(config.exploration.at(self._steps.value, config.stream.replay.num_envs))
        return {
            "loss": losses.detach().sum() / count,
            "q_mean": (q[:, :-1].detach().mean(-1) * data.mask).sum() / count,
            "delta_q": delta_q,
            "epsilon": float(epsilon),
        }

    @torch.no_grad()
    def _burnt_in(
        self, network: R2D2Network, before: torch.Tensor, keep: torch.Tensor, batch: StoredSequences
    ) -> RecurrentState:
        """The memory before the first learnt observation: from the stored one on, or none at an episode's start."""
        memory, seen = batch.burn_in.carried["state"]["recurrent"], batch.burn_in.observations[:, :-1]
        if seen.shape[1]:
            _, memory = network(seen, before[:, :-1], memory)
        return tuple(part * keep for part in memory)

    @torch.no_grad()
    def _delta_q(self, q: torch.Tensor, last: torch.Tensor, batch: StoredSequences) -> torch.Tensor:
        """How much values differ between the memory unrolled up to there and the one that was stored, if any."""
        at = self._config.stream.period - self._config.stream.burn_in
        with self._compute.autocast():
            stale, _ = self._network(
                batch.learnt.observations[:, at, None], last[:, at, None], batch.later["recurrent"]
            )
        difference = value_discrepancy(q[:, at], stale[:, 0]) * batch.is_later
        return difference.sum() / batch.is_later.sum().clamp_min(1)

    def _last(self, state: dict[str, Any]) -> torch.Tensor:
        """[B, A + 1]."""
        return torch.cat([state["action"], self._clipped(state["reward"])[:, None]], 1)

    def _followed_by(self, first: torch.Tensor, data: Sequences) -> torch.Tensor:
        """[B, A + 1] of the first observation -> [B, T + 1, A + 1], those of all: what was done and got before each."""
        actions = F.one_hot(data.a_tm1, self._num_actions)
        return torch.cat([first[:, None], torch.cat([actions, self._clipped(data.r_t)[..., None]], 2)], 1)

    def _clipped(self, rewards: torch.Tensor) -> torch.Tensor:
        clip = self._config.reward_clip
        return rewards if clip is None else rewards.clamp(-clip, clip)

    def parts(self) -> dict[str, Stateful]:
        return {
            "network": self._network,
            "target": self._target,
            "optimizer": self._optimizer,
            "steps": self._steps,
            "updates": self._updates,
        }
