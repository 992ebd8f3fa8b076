"""Rainbow: six improvements of DQN in one agent; each can be left out, to see what it was good for.

Paper: Hessel et al. 2018, "Rainbow: Combining Improvements in Deep Reinforcement Learning".
Parts, and what leaves one out: double Q-learning (`double=false`), dueling (`head.dueling=false`), prioritised replay
    (`stream.priority_exponent=0`), n-step returns (`stream.n_step=1`), distributional (`head.name=scalar`) and noisy
    layers
    (`exploration.name=epsilon_greedy`). Without all of them, and with `head.hidden=null`, its update is DQN's.
Deviations: losses are summed over the batch as DQN's, so that Adam's `eps` is 32 times the paper's 1.5e-4; the head's
    hidden layers stand above the backbone's, in the paper in its place (`backbone={name: nature, hidden: null}` is
    the paper's network); each environment acts with noise of its own, drawn at every step; learning draws noise once
    for the learnt, the chosen and the target values each; evaluation acts with the means, without noise; rewards are
    raw unless `reward_clip=1`; several environments step together. Truncation bootstraps.
"""

import copy
from typing import Literal

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import nn

from sandbox.buffers.priorities import Prioritized
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.interfaces.agent import AgentConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import Backbone
from sandbox.networks.heads.categorical import Categorical
from sandbox.networks.heads.exploration import Exploration, Noisy
from sandbox.networks.heads.head import Head
from sandbox.networks.heads.noisy import SILENCE, Noise, draw_noise
from sandbox.networks.inputs import as_float
from sandbox.networks.nature import Nature
from sandbox.ops.policies import epsilon_greedy
from sandbox.ops.value_learning import n_step
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.prioritized import PrioritizedConfig


class RainbowConfig(AgentConfig):
    """`double`: the online network chooses the next action, else the target network; `target_period` counts updates.

    `evaluation_epsilon`: 0 is greedy. `reward_clip`: updates see rewards within plus and minus this, scores and replay
    the raw ones; null: updates too.
    """

    name: Literal["rainbow"] = "rainbow"
    backbone: Backbone = Nature()
    head: Head = Categorical()
    exploration: Exploration = Noisy()
    double: bool = True
    discount: float = Field(0.99, ge=0, le=1)
    reward_clip: PositiveFloat | None = None
    target_period: PositiveInt = 2_000
    evaluation_epsilon: float = Field(0.0, ge=0, le=1)
    optimizer: AnyOptimizer = Adam(lr=6.25e-5, eps=4.8e-3)
    stream: PrioritizedConfig = PrioritizedConfig(n_step=3)

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "Rainbow":
        return Rainbow(self, spec, rng, compute)


class RainbowNetwork(nn.Module):
    """[B, stack * C, ...] and noise -> the head's outputs, [B, A, K]."""

    def __init__(self, config: RainbowConfig, spec: Spec) -> None:
        super().__init__()
        self.encoder = config.backbone.make((spec.shape[0] * config.stream.stack, *spec.shape[1:]))
        self.head = config.head.make(self.encoder.out_features, spec.num_actions, config.exploration.layer)

    def forward(self, observations: torch.Tensor, noise: Noise) -> torch.Tensor:
        return self.head(self.encoder(observations), noise)


class Rainbow:
    """Its carried state is the stack: the observations before this one, zeros at an episode's start."""

    def __init__(self, config: RainbowConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._spec, self._compute = config, spec, compute
        with rng.initializing("network"):
            self._network = RainbowNetwork(config, spec).to(compute.device)
        self._target = copy.deepcopy(self._network).requires_grad_(False)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._explore, self._greedy = rng.torch("explore", compute.device), rng.torch("greedy", compute.device)
        self._noise = rng.torch("noise", compute.device)  # of updates; that of acting comes from `explore`
        self._steps, self._updates = Counter(), Counter()

    def initial_state(self, num_envs: int) -> torch.Tensor:
        """[N, (stack - 1) * C, ...] zeros."""
        dtype = torch.uint8 if self._spec.is_bytes else torch.float32
        shape = (num_envs, (self._config.stream.stack - 1) * self._spec.shape[0], *self._spec.shape[1:])
        return torch.zeros(shape, dtype=dtype, device=self._compute.device)

    @torch.no_grad()
    def act(self, observations: np.ndarray, state: torch.Tensor, *, explore: bool) -> tuple[np.ndarray, torch.Tensor]:
        """Greedy under new noise, or epsilon-greedy, while exploring; else without noise, by `evaluation_epsilon`."""
        stack = self._stacked(observations, state)
        if explore:
            noise = draw_noise(self._network, self._explore, len(observations))
            epsilon, generator = self._config.exploration.at(self._steps.value), self._explore
            self._steps.value += len(observations)
        else:
            noise, epsilon, generator = SILENCE, self._config.evaluation_epsilon, self._greedy
        actions = epsilon_greedy(self._config.head.values(self._network(stack, noise)), epsilon, generator)
        return actions.cpu().numpy(), stack[:, self._spec.shape[0] :]

    def seen(self, observations: np.ndarray, state: torch.Tensor) -> torch.Tensor:
        """The stack, [N, stack * C, ...]."""
        return as_float(self._stacked(observations, state))

    def values(self, seen: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """Without noise."""
        return self._config.head.values(self._network(seen, SILENCE))

    def epsilon(self, *, explore: bool) -> float:
        """How often it now acts at random."""
        rate = self._config.exploration.at(self._steps.value)
        return float(np.mean(rate)) if explore else self._config.evaluation_epsilon

    def update(self, batch: Prioritized) -> Metrics:
        """One gradient step, priorities for the batch, and a copy into the target network every `target_period`."""
        data, head = batch.transitions, self._config.head
        outputs_tm1 = self._outputs(self._network, data.s_tm1)
        with torch.no_grad():
            outputs_t = self._outputs(self._target, data.s_t)
            q_t_selector = head.values(self._outputs(self._network, data.s_t) if self._config.double else outputs_t)
        r_t, clip = data.r_t, self._config.reward_clip
        r_t = r_t if clip is None else r_t.clamp(-clip, clip)
        r_t, discount_t = n_step(r_t, data.discount_t, data.num_steps, self._config.discount)
        losses, priorities = head.learn(outputs_tm1, data.a_tm1, r_t, discount_t, outputs_t, q_t_selector)
        loss = (batch.weights * losses).sum()
        self._optimizer.minimize(loss)
        batch.priorities.copy_(priorities)
        self._updates.value += 1
        if self._updates.value % self._config.target_period == 0:
            self._target.load_state_dict(self._network.state_dict())
        epsilon = self._config.exploration.at(self._steps.value)
        q_mean = head.values(outputs_tm1.detach()).mean()
        return {"loss": loss.detach() / len(losses), "q_mean": q_mean, "epsilon": epsilon}

    def _outputs(self, network: RainbowNetwork, observations: torch.Tensor) -> torch.Tensor:
        """The head's outputs under new noise, the same for the whole batch."""
        with self._compute.autocast():
            return network(observations, draw_noise(network, self._noise))

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
