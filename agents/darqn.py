"""DARQN: a recurrent Q-network that chooses where to look, by what it sees and what it remembers.

Paper: Sorokin et al. 2015, "Deep Attention Recurrent Q-Network".
Deviations: Adam instead of RMSProp; no layer between a glimpse and the memory; values of the target network come from
    glimpses of its own; windows near an episode's start begin there; several environments step together. Those of
    attention: `sandbox/networks/attention.py`. Truncation bootstraps.
"""

import copy
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import nn
from torch.nn import functional as F

from sandbox.buffers.sequences import Sequences
from sandbox.config.schedules import EpsilonSchedule, Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.interfaces.agent import AgentConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.state import map_state
from sandbox.networks.attention import Attention, AttentionOutput, Soft
from sandbox.networks.inputs import as_float, in_fp32
from sandbox.networks.nature import Nature
from sandbox.networks.recurrent import LSTM, AnyRecurrentCore, RecurrentState
from sandbox.ops.policies import epsilon_greedy
from sandbox.ops.value_learning import q_learning
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.sequences import SequencesConfig


class DARQNConfig(AgentConfig):
    """`attention`: soft or hard; `recurrent`: what it remembers with; `target_period` counts updates.

    `exploration` counts agent steps. `reward_clip`: updates see
    rewards within plus and minus this, scores and replay the raw ones; null: updates too.
    """

    name: Literal["darqn"] = "darqn"
    backbone: Nature = Nature(channels=(32, 64, 256), hidden=None)
    attention: Attention = Soft()
    recurrent: AnyRecurrentCore = LSTM(size=256)
    discount: float = Field(0.99, ge=0, le=1)
    reward_clip: PositiveFloat | None = None
    target_period: PositiveInt = 2_500
    exploration: EpsilonSchedule = Linear(start=1.0, end=0.1, steps=1_000_000)
    evaluation_epsilon: float = Field(0.0, ge=0, le=1)
    optimizer: AnyOptimizer = Adam(lr=2.5e-4, clip_norm=10.0)
    stream: SequencesConfig = SequencesConfig(length=4)

    @model_validator(mode="after")
    def _looks_at_a_map(self) -> Self:
        if self.backbone.hidden is not None:
            raise ValueError(f"it looks at the convolutions' map: backbone.hidden={self.backbone.hidden} must be null")
        return self

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "DARQN":
        return DARQN(self, spec, rng, compute)


class Seen(NamedTuple):
    """[B, T, A] values, the memory after the last observation, and all glimpses, [B, T, ...] each."""

    q: torch.Tensor
    memory: RecurrentState
    glimpses: AttentionOutput


class AttentiveQNetwork(nn.Module):
    """[B, T, C, H, W] and the memory before -> `Seen`; step by step, for what it remembers decides where it looks."""

    def __init__(self, config: DARQNConfig, spec: Spec) -> None:
        super().__init__()
        self.encoder = config.backbone.make(spec.shape)
        self.map = self.encoder.map_shape
        self.recurrent = config.recurrent.make(self.map[0])
        self.attention = config.attention.make(self.map[0], self.recurrent.out_features)
        self.head = nn.Linear(self.recurrent.out_features, spec.num_actions)

    def forward(self, observations: torch.Tensor, memory: RecurrentState, generator: torch.Generator) -> Seen:
        maps = self.encoder.convolutions(as_float(observations.flatten(0, 1)))
        with torch.autocast(observations.device.type, enabled=False):
            places = maps.float().flatten(2).transpose(1, 2).unflatten(0, observations.shape[:2])  # [B, T, L, D]
            keys = self.attention.keys(places)
            outputs, glimpses = [], []
            for t in range(observations.shape[1]):
                glimpses.append(self.attention(places[:, t], keys[:, t], memory[0], generator))
                output, memory = self.recurrent(glimpses[-1].context[:, None], memory)
                outputs.append(output)
            together = AttentionOutput(*(torch.stack(part, 1) for part in zip(*glimpses, strict=True)))
        return Seen(in_fp32(self.head, torch.cat(outputs, 1)), memory, together)


class DARQN:
    """Its carried state: the memory, and where it looked last (`attention`, [N, h, w] weights); zeros at a start."""

    def __init__(self, config: DARQNConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._compute = config, compute
        with rng.initializing("network"):
            self._network = AttentiveQNetwork(config, spec).to(compute.device)
        self._target = copy.deepcopy(self._network).to(compute.device).requires_grad_(False)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._explore, self._greedy = rng.torch("explore", compute.device), rng.torch("greedy", compute.device)
        self._glimpses = rng.torch("glimpses", compute.device)  # of updates; those of acting come from the others
        self._steps, self._updates = Counter(), Counter()

    def initial_state(self, num_envs: int) -> dict[str, Any]:
        device = self._compute.device
        looked = torch.zeros(num_envs, *self._network.map[1:], device=device)
        return {"recurrent": self._network.recurrent.initial(num_envs, device), "attention": looked}

    @torch.no_grad()
    def act(
        self, observations: np.ndarray, state: dict[str, Any], *, explore: bool
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Epsilon-greedy by the schedule while exploring, else with `evaluation_epsilon`."""
        device, config = self._compute.device, self._config
        generator = self._explore if explore else self._greedy
        memory = map_state(lambda part: part.to(device), state["recurrent"])
        seen = self._network(torch.from_numpy(observations).to(device)[:, None], memory, generator)
        if explore:
            actions = epsilon_greedy(seen.q[:, 0], config.exploration.at(self._steps.value, len(seen.q)), generator)
            self._steps.value += len(observations)
        else:
            actions = epsilon_greedy(seen.q[:, 0], config.evaluation_epsilon, generator)
        looked = seen.glimpses.weights[:, 0].unflatten(1, self._network.map[1:])
        return actions.cpu().numpy(), {"recurrent": seen.memory, "attention": looked}

    def seen(self, observations: np.ndarray, state: dict[str, Any]) -> torch.Tensor:
        """One observation, [N, C, ...]."""
        return as_float(torch.from_numpy(observations).to(self._compute.device))

    def values(self, seen: torch.Tensor, state: dict[str, Any]) -> torch.Tensor:
        """Of a hard glimpse, one that is drawn anew, always alike."""
        memory = map_state(lambda part: part.to(seen.device), state["recurrent"])
        return self._network(seen[:, None], memory, torch.Generator(seen.device).manual_seed(0)).q[:, 0]

    def epsilon(self, *, explore: bool) -> float:
        """How often it now acts at random."""
        rate = self._config.exploration.at(self._steps.value, 1)
        return float(np.mean(rate)) if explore else self._config.evaluation_epsilon

    def update(self, batch: Sequences) -> Metrics:
        """One gradient step over whole windows; the memory is carried along."""
        config, memory = self._config, batch.carried["state"]["recurrent"]
        with self._compute.autocast():
            seen = self._network(batch.observations[:, :-1], memory, self._glimpses)
            with torch.no_grad():
                q_t = self._target(batch.observations, memory, self._glimpses).q[:, 1:]
        batch.carried["state"] = batch.carried["state"] | {"recurrent": map_state(torch.Tensor.detach, seen.memory)}
        r_t, clip = batch.r_t, config.reward_clip
        r_t = r_t if clip is None else r_t.clamp(-clip, clip)
        error = q_learning(seen.q, batch.a_tm1, r_t, config.discount * batch.discount_t, q_t)
        chosen = seen.q.detach().gather(-1, batch.a_tm1[..., None])[..., 0]
        losses = F.huber_loss(error, torch.zeros_like(error), reduction="none")
        looking = config.attention.loss(seen.glimpses, chosen + error.detach())
        loss = ((losses + looking) * batch.mask).sum() / error.shape[1]
        self._optimizer.minimize(loss)
        self._updates.value += 1
        if self._updates.value % config.target_period == 0:
            self._target.load_state_dict(self._network.state_dict())
        share, weights = batch.mask / batch.mask.sum(), seen.glimpses.weights.detach()
        epsilon = np.mean(config.exploration.at(self._steps.value, config.stream.replay.num_envs))
        return {
            "loss": ((losses + looking).detach() * share).sum(),
            "q_mean": (seen.q.detach().mean(-1) * share).sum(),
            "attention_entropy": (torch.special.entr(weights).sum(-1) * share).sum(),
            "epsilon": float(epsilon),
        }

    def parts(self) -> dict[str, Stateful]:
        return {
            "network": self._network,
            "target": self._target,
            "optimizer": self._optimizer,
            "steps": self._steps,
            "updates": self._updates,
        }
