"""Double DQN: the online network chooses the next action, the target network says what it is worth.

Paper: van Hasselt, Guez & Silver 2016, "Deep Reinforcement Learning with Double Q-learning".
Deviations: Adam unless `optimizer.name=centered_rmsprop`; rewards are raw unless `reward_clip=1`; evaluation is greedy
    unless `evaluation_epsilon=0.05`; the defaults are DQN's (the paper's tuned version: `target_period=7_500`,
    `exploration.end=0.01`, `evaluation_epsilon=0.001`, one bias shared by all actions); epsilon falls from the first
    step unless `exploration.delay` is the warm-up; several environments step together. Truncation bootstraps.
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
from sandbox.core.cuda_graph import Tensors
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.interfaces.agent import AgentConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import Backbone
from sandbox.networks.inputs import as_float, in_fp32
from sandbox.networks.nature import Nature
from sandbox.ops.policies import epsilon_greedy
from sandbox.ops.value_learning import double_q_learning, n_step
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.experience import ExperienceConfig


class DoubleDQNConfig(AgentConfig):
    """`target_period` counts updates; `exploration` counts agent steps; `evaluation_epsilon`: 0 is greedy.

    `reward_clip`: updates see rewards within plus and minus this, scores and replay the raw ones; null: updates too.
    `error_clip`: the largest gradient of an error; the Huber loss squares smaller ones. Returns in the hundreds want a
    larger one, for of errors beyond it the median is learnt, not the mean.
    """

    name: Literal["double_dqn"] = "double_dqn"
    backbone: Backbone = Nature()
    discount: float = Field(0.99, ge=0, le=1)
    reward_clip: PositiveFloat | None = None
    error_clip: PositiveFloat = 1.0
    target_period: PositiveInt = 2_500
    exploration: EpsilonSchedule = Linear(start=1.0, end=0.1, steps=1_000_000)
    evaluation_epsilon: float = Field(0.0, ge=0, le=1)
    optimizer: AnyOptimizer = Adam(lr=2.5e-4)
    stream: ExperienceConfig = ExperienceConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "DoubleDQN":
        return DoubleDQN(self, spec, rng, compute)


class QNetwork(nn.Module):
    """[B, stack * C, ...] -> one value an action, [B, A]."""

    def __init__(self, config: DoubleDQNConfig, spec: Spec) -> None:
        super().__init__()
        self.encoder = config.backbone.make((spec.shape[0] * config.stream.stack, *spec.shape[1:]))
        self.head = nn.Linear(self.encoder.out_features, spec.num_actions)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return in_fp32(self.head, self.encoder(observations))


class DoubleDQN:
    """Its carried state is the stack: the observations before this one, zeros at an episode's start."""

    def __init__(self, config: DoubleDQNConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._spec, self._compute = config, spec, compute
        with rng.initializing("network"):
            self._network = QNetwork(config, spec).to(compute.device)
        self._target = copy.deepcopy(self._network).requires_grad_(False)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._explore, self._greedy = rng.torch("explore", compute.device), rng.torch("greedy", compute.device)
        self._steps, self._updates = Counter(), Counter()
        self._captured = compute.capture(self._loss_and_gradients)

    def initial_state(self, num_envs: int) -> torch.Tensor:
        """[N, (stack - 1) * C, ...] zeros."""
        dtype = torch.uint8 if self._spec.is_bytes else torch.float32
        shape = (num_envs, (self._config.stream.stack - 1) * self._spec.shape[0], *self._spec.shape[1:])
        return torch.zeros(shape, dtype=dtype, device=self._compute.device)

    @torch.no_grad()
    def act(self, observations: np.ndarray, state: torch.Tensor, *, explore: bool) -> tuple[np.ndarray, torch.Tensor]:
        """Epsilon-greedy by the schedule while exploring, else with `evaluation_epsilon`."""
        stack = self._stacked(observations, state)
        q = self._network(stack)
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
        return self._network(seen)

    def epsilon(self, *, explore: bool) -> float:
        """How often it now acts at random."""
        rate = self._config.exploration.at(self._steps.value, 1)
        return float(np.mean(rate)) if explore else self._config.evaluation_epsilon

    def update(self, batch: Transitions) -> Metrics:
        """One gradient step, and a copy into the target network every `target_period` of them."""
        (loss, q_mean), gradients = self._captured(*batch)
        self._optimizer.step(gradients)
        self._updates.value += 1
        if self._updates.value % self._config.target_period == 0:
            self._target.load_state_dict(self._network.state_dict())
        epsilon = np.mean(self._config.exploration.at(self._steps.value, self._config.stream.replay.num_envs))
        return {"loss": loss, "q_mean": q_mean, "epsilon": float(epsilon)}

    def _loss_and_gradients(self, *batch_parts: torch.Tensor) -> tuple[Tensors, Tensors]:
        """The loss a transition, the mean value, and the gradient of the summed loss."""
        batch = Transitions(*batch_parts)
        with self._compute.autocast():
            q_tm1 = self._network(batch.s_tm1)
            with torch.no_grad():
                q_t, q_t_selector = self._target(batch.s_t), self._network(batch.s_t)
        r_t, clip = batch.r_t, self._config.reward_clip
        r_t = r_t if clip is None else r_t.clamp(-clip, clip)
        r_t, discount_t = n_step(r_t, batch.discount_t, batch.num_steps, self._config.discount)
        error = double_q_learning(q_tm1, batch.a_tm1, r_t, discount_t, q_t, q_t_selector)
        loss = F.huber_loss(error, torch.zeros_like(error), reduction="sum", delta=self._config.error_clip)
        return (loss.detach() / len(error), q_tm1.detach().mean()), self._optimizer.gradients(loss)

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
