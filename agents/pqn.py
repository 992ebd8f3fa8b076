"""PQN: Q-learning from what has just been played, without replay or target network; LayerNorm keeps it stable.

Paper: Gallici et al. 2025, "Simplifying Deep Temporal Difference Learning".
Deviations: Adam, where the authors have RAdam; PyTorch's initial weights, where theirs are He's; fewer environments
    than their 128 of 32 steps unless `stream` says so; rewards are raw unless `reward_clip=1`. Truncation bootstraps
    from the true last observation, where theirs ends the return. As in the authors' code: Peng's Q(lambda), with values
    of the network that played; half the mean squared error; `layer_norm` before each ReLU, of convolutions over the
    channels; stacks are zero before an episode's start.
"""

from typing import Literal, Self

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import nn

from sandbox.config.schedules import Linear, LinearProbability
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
from sandbox.ops.returns import q_lambda
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.actor import Step
from sandbox.streams.rollouts import RolloutsConfig


class PQNConfig(AgentConfig):
    """`q_lambda`: 0 is one-step; each batch is learnt from `num_epochs` times, in `num_minibatches` parts.

    `stack`: observations that are seen at once; `exploration` counts agent steps; `evaluation_epsilon`: 0 is greedy.
    `reward_clip`: updates see rewards within plus and minus this, scores the raw ones; null: updates too.
    """

    name: Literal["pqn"] = "pqn"
    backbone: Backbone = Nature(layer_norm=True)
    stack: PositiveInt = 4
    discount: float = Field(0.99, ge=0, le=1)
    q_lambda: float = Field(0.65, ge=0, le=1)
    reward_clip: PositiveFloat | None = None
    num_epochs: PositiveInt = 2
    num_minibatches: PositiveInt = 4
    exploration: LinearProbability = Linear(start=1.0, end=0.001, steps=1_000_000)
    evaluation_epsilon: float = Field(0.0, ge=0, le=1)
    optimizer: AnyOptimizer = Adam(lr=2.5e-4, clip_norm=10.0)
    stream: RolloutsConfig = RolloutsConfig(num_envs=8, length=16)

    @model_validator(mode="after")
    def _something_in_each_part(self) -> Self:
        size = self.stream.num_envs * self.stream.length
        if self.num_minibatches > size:
            raise ValueError(
                f"num_minibatches={self.num_minibatches} is more than the {size} steps of a batch "
                "(stream.num_envs * stream.length). Lower it, or collect more"
            )
        return self

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "PQN":
        return PQN(self, spec, rng, compute)


class QNetwork(nn.Module):
    """[B, stack * C, ...] -> one value an action, [B, A]."""

    def __init__(self, config: PQNConfig, spec: Spec) -> None:
        super().__init__()
        self.encoder = config.backbone.make((spec.shape[0] * config.stack, *spec.shape[1:]))
        self.head = nn.Linear(self.encoder.out_features, spec.num_actions)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return in_fp32(self.head, self.encoder(observations))


class PQN:
    """Its carried state is the stack: the observations before this one, zeros at an episode's start."""

    def __init__(self, config: PQNConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._spec, self._compute = config, spec, compute
        with rng.initializing("network"):
            self._network = QNetwork(config, spec).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._explore, self._greedy = rng.torch("explore", compute.device), rng.torch("greedy", compute.device)
        self._shuffle = rng.torch("shuffle", compute.device)
        self._steps = Counter()
        self._captured = compute.capture(self._loss_and_gradients)

    def initial_state(self, num_envs: int) -> torch.Tensor:
        """[N, (stack - 1) * C, ...] zeros."""
        before = self._config.stack - 1
        dtype = torch.uint8 if self._spec.is_bytes else torch.float32
        shape = (num_envs, before * self._spec.shape[0], *self._spec.shape[1:])
        return torch.zeros(shape, dtype=dtype, device=self._compute.device)

    @torch.no_grad()
    def act(self, observations: np.ndarray, state: torch.Tensor, *, explore: bool) -> tuple[np.ndarray, torch.Tensor]:
        """Epsilon-greedy by the schedule while exploring, else with `evaluation_epsilon`."""
        stack = self._stacked(observations, state)
        q = self._network(stack)
        if explore:
            actions = epsilon_greedy(q, self._config.exploration.at(self._steps.value), self._explore)
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
        rate = self._config.exploration.at(self._steps.value)
        return float(np.mean(rate)) if explore else self._config.evaluation_epsilon

    def update(self, batch: list[Step]) -> Metrics:
        """`num_epochs` times `num_minibatches` gradient steps towards returns that are computed once."""
        config = self._config
        s_tm1, s_t = self._stacks(batch)
        a_tm1, targets = self._together([step.actions for step in batch]).flatten(), self._targets(batch, s_t).flatten()
        losses, q_means = [], []
        for _ in range(config.num_epochs):
            order = torch.randperm(len(targets), generator=self._shuffle, device=targets.device)
            for part in order.tensor_split(config.num_minibatches):
                (loss, q_mean), gradients = self._captured(s_tm1[part], a_tm1[part], targets[part])
                self._optimizer.step(gradients)
                losses.append(loss)
                q_means.append(q_mean)
        epsilon = config.exploration.at(self._steps.value)
        return {"loss": torch.stack(losses).mean(), "q_mean": torch.stack(q_means).mean(), "epsilon": epsilon}

    def _loss_and_gradients(
        self, s_tm1: torch.Tensor, a_tm1: torch.Tensor, targets: torch.Tensor
    ) -> tuple[Tensors, Tensors]:
        """The loss, the mean value and the gradient."""
        with self._compute.autocast():
            q = self._network(s_tm1)
        error = targets - q.gather(1, a_tm1[:, None])[:, 0]
        loss = error.square().mean() / 2
        return (loss.detach(), q.detach().mean()), self._optimizer.gradients(loss)

    def _stacked(self, observations: np.ndarray, state: torch.Tensor) -> torch.Tensor:
        return torch.cat([part.to(self._compute.device) for part in (state, torch.from_numpy(observations))], dim=1)

    def parts(self) -> dict[str, Stateful]:
        return {"network": self._network, "optimizer": self._optimizer, "steps": self._steps}

    def _together(self, arrays: list[np.ndarray]) -> torch.Tensor:
        """T arrays [N, ...] -> [T, N, ...] on the device."""
        return torch.from_numpy(np.stack(arrays)).to(self._compute.device)

    def _stacks(self, batch: list[Step]) -> tuple[torch.Tensor, torch.Tensor]:
        """What was seen before and after each step, [T * N, stack * C, ...] each."""
        device, channels = self._compute.device, self._spec.shape[0]
        states = torch.stack([step.state.to(device) for step in batch])
        s_tm1 = torch.cat([states, self._together([step.observations for step in batch])], 2).flatten(0, 1)
        last = self._together([step.last for step in batch]).flatten(0, 1)
        return s_tm1, torch.cat([s_tm1[:, channels:], last], 1)

    @torch.no_grad()
    def _targets(self, batch: list[Step], s_t: torch.Tensor) -> torch.Tensor:
        """Returns [T, N]; the network is asked in parts, which need no more memory than its gradient steps."""
        r_t, clip = self._together([step.rewards for step in batch]).float(), self._config.reward_clip
        r_t = r_t if clip is None else r_t.clamp(-clip, clip)
        terminated = self._together([step.terminated for step in batch])
        ended = self._together([step.ended for step in batch])
        with self._compute.autocast():
            q_t = torch.cat([self._network(part) for part in s_t.tensor_split(self._config.num_minibatches)])
        discount_t = self._config.discount * (~terminated).float()
        return q_lambda(r_t, discount_t, q_t.view(*r_t.shape, -1), ended, self._config.q_lambda)
