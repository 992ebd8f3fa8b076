"""DARQN: a recurrent Q-network with visual attention, which depends on the image and the recurrent state.

Paper: Sorokin et al. 2015, "Deep Attention Recurrent Q-Network".
Deviations: Adam instead of RMSProp; no layer between a glimpse and the recurrent core; values of the target network
    come from glimpses of its own; windows near an episode's start begin there; several environments step together.
    Deviations of the attention: `sandbox/networks/attention.py`. Truncation bootstraps.
"""

from typing import Any, Literal, NamedTuple, Self

import numpy as np
import torch
from pydantic import Field, model_validator
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
from sandbox.interfaces.learner import Metrics, RefusesExport
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.state import map_state
from sandbox.networks.attention import Attention, AttentionOutput, Hard, Soft
from sandbox.networks.inputs import as_float, in_fp32
from sandbox.networks.nature import Nature
from sandbox.networks.recurrent import LSTM, AnyRecurrentCore, RecurrentState
from sandbox.networks.target import TargetNetwork
from sandbox.ops.value_learning import clip_rewards, q_learning
from sandbox.optimizers.adam import Adam
from sandbox.streams.sequences import SequencesConfig


class DARQNConfig(AgentConfig):
    """Options of DARQN."""

    name: Literal["darqn"] = "darqn"
    backbone: Nature = Field(
        default=Nature(channels=(32, 64, 256), hidden=None), description="convolutions whose map the attention weights"
    )
    attention: Attention = Field(default=Soft(), description="soft attention, or hard attention on one place at a time")
    recurrent: AnyRecurrentCore = Field(default=LSTM(size=256), description="recurrent core between attention and head")
    discount: options.Discount = 0.99
    reward_clip: options.RewardClip = None
    target_period: options.TargetPeriod = 2_500
    exploration: options.Exploration = Linear(start=1.0, end=0.1, steps=1_000_000)
    evaluation_epsilon: options.EvaluationEpsilon = 0.0
    optimizer: options.Optimizer = Adam(lr=2.5e-4, clip_norm=10.0)
    stream: SequencesConfig = Field(default=SequencesConfig(length=4), description="batches of sequences from a replay")

    @model_validator(mode="after")
    def _check_map(self) -> Self:
        if self.backbone.hidden is not None:
            raise ValueError(
                f"attention needs the map of the convolutions: backbone.hidden={self.backbone.hidden} must be null"
            )
        return self

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "DARQN":
        """Build the agent."""
        return DARQN(self, spec, rng, compute)


class AttentiveQOutput(NamedTuple):
    """Action values [B, T, A], the recurrent state after the last observation, and all glimpses, [B, T, ...] each."""

    q: torch.Tensor
    state: RecurrentState
    glimpses: AttentionOutput


class AttentiveQNetwork(nn.Module):
    """Observations [B, T, C, H, W] and a recurrent state -> `AttentiveQOutput`.

    It goes step by step, because the attention depends on the recurrent state before each step.
    """

    def __init__(self, config: DARQNConfig, spec: Spec) -> None:
        super().__init__()
        self.encoder = config.backbone.make(spec.shape)
        self.map_shape = self.encoder.map_shape
        self.recurrent = config.recurrent.make(self.map_shape[0])
        self.attention = config.attention.make(self.map_shape[0], self.recurrent.out_features)
        self.head = nn.Linear(self.recurrent.out_features, spec.num_actions)

    def forward(
        self, observations: torch.Tensor, state: RecurrentState, generator: torch.Generator
    ) -> AttentiveQOutput:
        """Go through all T steps; `generator` draws the places of hard attention."""
        maps = self.encoder.convolutions(as_float(observations.flatten(0, 1)))
        with torch.autocast(observations.device.type, enabled=False):
            places = maps.float().flatten(2).transpose(1, 2).unflatten(0, observations.shape[:2])  # [B, T, L, D]
            keys = self.attention.keys(places)
            outputs, glimpses = [], []
            for t in range(observations.shape[1]):
                glimpses.append(self.attention(places[:, t], keys[:, t], state[0], generator))
                output, state = self.recurrent(glimpses[-1].context[:, None], state)
                outputs.append(output)
            together = AttentionOutput(*(torch.stack(part, 1) for part in zip(*glimpses, strict=True)))
        return AttentiveQOutput(in_fp32(self.head, torch.cat(outputs, 1)), state, together)


class DARQN(Agent, Exportable, RefusesExport):
    """A DARQN agent. Its recurrent state holds that of the core, and the last attention weights [N, h, w]."""

    def __init__(self, config: DARQNConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self.no_export = (
            "hard attention (attention.name=hard) draws places at random" if isinstance(config.attention, Hard) else ""
        )
        self._config, self._compute = config, compute
        with rng.initializing("network"):
            self._network = AttentiveQNetwork(config, spec).to(compute.device)
        self._target = TargetNetwork(self._network, config.target_period)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._policy = EpsilonGreedyPolicy(config.exploration, config.evaluation_epsilon, rng, compute.device)
        self._glimpses = rng.torch("glimpses", compute.device)  # in updates; acting draws from the policy's generators

    def initial_state(self, num_envs: int) -> dict[str, Any]:
        """Return the state at an episode's start, zeros."""
        device = self._compute.device
        weights = torch.zeros(num_envs, *self._network.map_shape[1:], device=device)
        return {"recurrent": self._network.recurrent.initial(num_envs, device), "attention": weights}

    @torch.no_grad()
    def act(
        self, observations: np.ndarray, state: dict[str, Any], *, explore: bool
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Choose actions epsilon-greedily."""
        device = self._compute.device
        newest = torch.from_numpy(observations).to(device)[:, None]
        recurrent = map_state(lambda part: part.to(device), state["recurrent"])
        output = self._network(newest, recurrent, self._policy.generator(explore=explore))
        actions = self._policy.act(output.q[:, 0], explore=explore)
        weights = output.glimpses.weights[:, 0].unflatten(1, self._network.map_shape[1:])
        return actions.cpu().numpy(), {"recurrent": output.state, "attention": weights}

    def update(self, batch: SequenceBatch) -> Metrics:
        """Take one gradient step on whole sequences; the target network follows every `target_period` updates."""
        config, data, state = self._config, batch.sequences, batch.state["recurrent"]
        with self._compute.autocast():
            q_tm1, next_state, glimpses = self._network(data.observations[:, :-1], state, self._glimpses)
            with torch.no_grad():
                q_t = self._target(data.observations, state, self._glimpses).q[:, 1:]
        batch.keep_state(batch.state | {"recurrent": map_state(torch.Tensor.detach, next_state)})
        r_t = clip_rewards(data.r_t, config.reward_clip)
        error = q_learning(q_tm1, data.a_tm1, r_t, config.discount * data.discount_t, q_t)
        returns = q_tm1.detach().gather(-1, data.a_tm1[..., None])[..., 0] + error.detach()
        losses = F.huber_loss(error, torch.zeros_like(error), reduction="none")
        losses = losses + config.attention.loss(glimpses, returns)
        self._optimizer.minimize((losses * data.mask).sum() / error.shape[1])
        self._target.follow(self._network)
        share = data.mask / data.mask.sum()
        entropy = torch.special.entr(glimpses.weights.detach()).sum(-1)
        return {
            "loss": (losses.detach() * share).sum(),
            "q_mean": (q_tm1.detach().mean(-1) * share).sum(),
            "attention_entropy": (entropy * share).sum(),
            "epsilon": self._policy.mean_epsilon,
        }

    def network_input(self, observations: np.ndarray, state: dict[str, Any]) -> torch.Tensor:
        """Return one observation of each environment, [N, C, H, W]."""
        return as_float(torch.from_numpy(observations).to(self._compute.device))

    def q_values(self, network_input: torch.Tensor, state: dict[str, Any]) -> torch.Tensor:
        """Return the action values [N, A]; the glimpses of hard attention are drawn from a fixed seed."""
        device = network_input.device
        recurrent = map_state(lambda part: part.to(device), state["recurrent"])
        return self._network(network_input[:, None], recurrent, torch.Generator(device).manual_seed(0)).q[:, 0]

    def greedy_step(self, observations: torch.Tensor, state: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
        """Return the action values [N, A] of the network, and the next state; for soft attention only."""
        output = self._network(observations[:, None], state["recurrent"], self._policy.generator(explore=False))
        weights = output.glimpses.weights[:, 0].unflatten(1, self._network.map_shape[1:])
        return output.q[:, 0], {"recurrent": output.state, "attention": weights}

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
