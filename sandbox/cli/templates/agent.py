"""Advantage actor-critic: a softmax policy and a state-value function on one network, without a replay buffer.

Paper: Mnih et al. 2016, "Asynchronous Methods for Deep Reinforcement Learning".
Deviations: environments step together in one process; one-step returns; Adam instead of RMSProp.
"""

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.environments.interaction import EnvStep
from sandbox.interfaces.agent import Agent, AgentConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.inputs import in_fp32
from sandbox.networks.mlp import MLP
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.rollouts import RolloutsConfig


class MyAgentConfig(AgentConfig):
    """Options of advantage actor-critic (Mnih et al. 2016)."""

    name: Literal["my_agent"] = "my_agent"
    backbone: AnyBackbone = Field(MLP(hidden=[128]), description="network below the policy and the value function")
    discount: float = Field(0.99, ge=0, le=1, description="discount of one step")
    entropy_weight: float = Field(0.01, ge=0, description="weight of the policy's entropy in the loss")
    optimizer: AnyOptimizer = Field(Adam(lr=3e-3, clip_norm=1.0), description="update rule of all weights")
    stream: RolloutsConfig = Field(RolloutsConfig(num_envs=16, length=4), description="how experience is collected")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "MyAgent":
        """Build the agent."""
        return MyAgent(self, spec, rng, compute)


class Network(nn.Module):
    """Observations [B, ...] -> logits of the actions [B, A] and values [B]."""

    def __init__(self, config: MyAgentConfig, spec: Spec) -> None:
        super().__init__()
        self.encoder = config.backbone.make(spec.shape)
        self.head = nn.Linear(self.encoder.out_features, spec.num_actions + 1)

    def forward(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        outputs = in_fp32(self.head, self.encoder(observations))
        return outputs[:, :-1], outputs[:, -1]


class MyAgent(Agent):
    """Advantage actor-critic agent."""

    def __init__(self, config: MyAgentConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._device = config, compute.device
        with rng.initializing("network"):
            self._network = Network(config, spec).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._explore = rng.torch("explore", compute.device)

    def initial_state(self, num_envs: int) -> None:
        """Return None: the agent has no recurrent state."""
        return None

    @torch.no_grad()
    def act(self, observations: np.ndarray, state: None, *, explore: bool) -> tuple[np.ndarray, None]:
        """Sample from the policy while exploring, else take its most probable action."""
        logits, _ = self._network(self._tensor(observations))
        if explore:
            actions = torch.multinomial(logits.softmax(-1), 1, generator=self._explore)[:, 0]
        else:
            actions = logits.argmax(-1)
        return actions.cpu().numpy(), None

    def update(self, batch: list[EnvStep]) -> Metrics:
        """Take one gradient step on the fresh transitions."""
        s_tm1 = self._tensor(np.concatenate([step.observations for step in batch]))
        a_tm1 = self._tensor(np.concatenate([step.actions for step in batch]))
        r_t = self._tensor(np.concatenate([step.rewards for step in batch]))
        terminated = self._tensor(np.concatenate([step.terminated for step in batch]))
        s_t = self._tensor(np.concatenate([step.next_observations for step in batch]))  # truncation bootstraps from it

        logits, values = self._network(s_tm1)
        with torch.no_grad():
            targets = r_t + self._config.discount * ~terminated * self._network(s_t)[1]
        advantages = (targets - values).detach()
        log_policy = logits.log_softmax(-1)
        entropy = -(log_policy.exp() * log_policy).sum(-1).mean()
        policy_loss = -(log_policy.gather(1, a_tm1[:, None])[:, 0] * advantages).mean()
        value_loss = (targets - values).square().mean() / 2
        self._optimizer.minimize(policy_loss + value_loss - self._config.entropy_weight * entropy)
        return {"policy_loss": policy_loss.detach(), "value_loss": value_loss.detach(), "entropy": entropy.detach()}

    def parts(self) -> dict[str, Stateful]:
        """Return the network and the optimizer; the run saves the random streams."""
        return {"network": self._network, "optimizer": self._optimizer}

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device)
