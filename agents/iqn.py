"""IQN: a network that answers, for any fraction tau, with that quantile of the return; its values are their means.

Paper: Dabney et al. 2018, "Implicit Quantile Networks for Distributional Reinforcement Learning".
Deviations: the fractions' embedding multiplies what the backbone gives, here above its hidden layer, in the paper below
    it (`backbone={name: nature, hidden: null}` is the paper's network); rewards are raw unless `reward_clip=1`,
    evaluation is greedy unless `evaluation_epsilon=0.001`; the exploration's default is DQN's (the paper's:
    `exploration.end=0.01`), and epsilon falls from the first step unless `exploration.delay` is the warm-up; several
    environments step together. Truncation bootstraps. As in the paper: fractions are uniform (a neutral attitude to
    risk), drawn anew for every state and use; the target network chooses the next action that it values; the loss is
    summed over the learnt quantiles, and averaged over the targets and the batch.
"""

import copy
from typing import Literal

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import nn
from torch.nn import functional as F

from sandbox.buffers.replay import Transitions
from sandbox.config.schedules import EpsilonSchedule, Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.interfaces.agent import AgentConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import Backbone
from sandbox.networks.inputs import as_float, in_fp32
from sandbox.networks.nature import Nature
from sandbox.ops.distributional import cosines, quantile_huber, quantile_targets
from sandbox.ops.policies import epsilon_greedy
from sandbox.ops.value_learning import n_step
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.experience import ExperienceConfig


class IQNConfig(AgentConfig):
    """`num_taus`, `num_target_taus`: quantiles a transition on both sides of the error (N and N' in the paper).

    `num_policy_taus`: quantiles whose mean is an action's value (K); `kappa`: errors up to this are squared;
    `embedding_size`: cosines a fraction; `hidden_size`: the layer above the product of features and embedding.
    `target_period` counts updates; `exploration` counts agent steps; `evaluation_epsilon`: 0 is greedy.
    `reward_clip`: updates see rewards within plus and minus this, scores and replay the raw ones; null: updates too.
    """

    name: Literal["iqn"] = "iqn"
    backbone: Backbone = Nature()
    num_taus: PositiveInt = 64
    num_target_taus: PositiveInt = 64
    num_policy_taus: PositiveInt = 32
    kappa: PositiveFloat = 1.0
    embedding_size: PositiveInt = 64
    hidden_size: PositiveInt = 512
    discount: float = Field(0.99, ge=0, le=1)
    reward_clip: PositiveFloat | None = None
    target_period: PositiveInt = 2_500
    exploration: EpsilonSchedule = Linear(start=1.0, end=0.1, steps=1_000_000)
    evaluation_epsilon: float = Field(0.0, ge=0, le=1)
    optimizer: AnyOptimizer = Adam(lr=5e-5, eps=3.125e-4)
    stream: ExperienceConfig = ExperienceConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "IQN":
        return IQN(self, spec, rng, compute)


class QuantileNetwork(nn.Module):
    """[B, stack * C, ...] and fractions [B, N] -> quantiles of the return of every action, [B, N, A]."""

    def __init__(self, config: IQNConfig, spec: Spec) -> None:
        super().__init__()
        self.encoder = config.backbone.make((spec.shape[0] * config.stream.stack, *spec.shape[1:]))
        self.embedding = nn.Linear(config.embedding_size, self.encoder.out_features)
        self.hidden = nn.Linear(self.encoder.out_features, config.hidden_size)
        self.head = nn.Linear(config.hidden_size, spec.num_actions)

    def forward(self, observations: torch.Tensor, taus: torch.Tensor) -> torch.Tensor:
        embedded = F.relu(self.embedding(cosines(taus, self.embedding.in_features)))
        features = self.encoder(observations)[:, None] * embedded
        return in_fp32(self.head, F.relu(self.hidden(features)))


class IQN:
    """Its carried state is the stack: the observations before this one, zeros at an episode's start.

    Fractions come from the generators `taus` (learnt quantiles) and `target_taus`, and, while it plays, from those that
    also decide when to explore.
    """

    def __init__(self, config: IQNConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._spec, self._compute = config, spec, compute
        with rng.initializing("network"):
            self._network = QuantileNetwork(config, spec).to(compute.device)
        self._target = copy.deepcopy(self._network).requires_grad_(False)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._explore, self._greedy = rng.torch("explore", compute.device), rng.torch("greedy", compute.device)
        self._taus, self._target_taus = rng.torch("taus", compute.device), rng.torch("target_taus", compute.device)
        self._steps, self._updates = Counter(), Counter()

    def initial_state(self, num_envs: int) -> torch.Tensor:
        """[N, (stack - 1) * C, ...] zeros."""
        dtype = torch.uint8 if self._spec.is_bytes else torch.float32
        shape = (num_envs, (self._config.stream.stack - 1) * self._spec.shape[0], *self._spec.shape[1:])
        return torch.zeros(shape, dtype=dtype, device=self._compute.device)

    @torch.no_grad()
    def act(self, observations: np.ndarray, state: torch.Tensor, *, explore: bool) -> tuple[np.ndarray, torch.Tensor]:
        """Epsilon-greedy by the schedule while exploring, else with `evaluation_epsilon`."""
        stack = self._stacked(observations, state)
        taus = self._fractions(self._explore if explore else self._greedy, len(stack), self._config.num_policy_taus)
        q = self._network(stack, taus).mean(1)
        if explore:
            actions = epsilon_greedy(q, self._config.exploration.at(self._steps.value, len(q)), self._explore)
            self._steps.value += len(observations)
        else:
            actions = epsilon_greedy(q, self._config.evaluation_epsilon, self._greedy)
        return actions.cpu().numpy(), stack[:, self._spec.shape[0] :]

    def seen(self, observations: np.ndarray, state: torch.Tensor) -> torch.Tensor:
        """The stack, [N, stack * C, ...]."""
        return as_float(self._stacked(observations, state))

    def values(self, seen: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """Means over evenly spaced fractions, which need no draws; `act` draws its own."""
        count = self._config.num_policy_taus
        taus = (torch.arange(count, device=seen.device) + 0.5) / count
        return self._network(seen, taus.expand(len(seen), -1)).mean(1)

    def epsilon(self, *, explore: bool) -> float:
        """How often it now acts at random."""
        rate = self._config.exploration.at(self._steps.value, 1)
        return float(np.mean(rate)) if explore else self._config.evaluation_epsilon

    def update(self, batch: Transitions) -> Metrics:
        """One gradient step, and a copy into the target network every `target_period` of them."""
        size, counts = len(batch.a_tm1), (self._config.num_policy_taus, self._config.num_target_taus)
        taus = self._fractions(self._taus, size, self._config.num_taus)
        target_taus = self._fractions(self._target_taus, size, sum(counts))
        with self._compute.autocast():
            z_tm1 = self._network(batch.s_tm1, taus)
            with torch.no_grad():  # one pass for both: the values that choose the next action, and its quantiles
                z_t_selector, z_t = self._target(batch.s_t, target_taus).split(counts, 1)
        r_t, clip = batch.r_t, self._config.reward_clip
        r_t = r_t if clip is None else r_t.clamp(-clip, clip)
        r_t, discount_t = n_step(r_t, batch.discount_t, batch.num_steps, self._config.discount)
        targets = quantile_targets(r_t, discount_t, z_t, z_t_selector.mean(1))
        chosen = z_tm1.take_along_dim(batch.a_tm1[:, None, None], 2)[..., 0]
        loss = quantile_huber(chosen, taus, targets, self._config.kappa).mean()
        self._optimizer.minimize(loss)
        self._updates.value += 1
        if self._updates.value % self._config.target_period == 0:
            self._target.load_state_dict(self._network.state_dict())
        epsilon = np.mean(self._config.exploration.at(self._steps.value, self._config.stream.replay.num_envs))
        return {"loss": loss.detach(), "q_mean": z_tm1.detach().mean(), "epsilon": float(epsilon)}

    def _fractions(self, generator: torch.Generator, size: int, count: int) -> torch.Tensor:
        """[size, count] uniform in [0, 1)."""
        return torch.rand(size, count, generator=generator, device=self._compute.device)

    def _stacked(self, observations: np.ndarray, state: torch.Tensor) -> torch.Tensor:
        return torch.cat([part.to(self._compute.device) for part in (state, torch.from_numpy(observations))], dim=1)

    def parts(self) -> dict[str, Stateful]:
        return {
            "network": self._network,
            "target": self._target,
            "optimizer": self._optimizer,
            "steps": self._steps,
            "updates": self._updates,
        }
