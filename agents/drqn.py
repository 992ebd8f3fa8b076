"""DRQN: a Q-network with a memory, for what one observation does not show.

Paper: Hausknecht & Stone 2015, "Deep Recurrent Q-Learning for Partially Observable MDPs".
Deviations: Adam instead of Adadelta; of the paper's bootstrapped random updates, windows near an episode's start begin
    there; a GRU, a plain RNN or nothing can take the LSTM's place; of the `nature` backbone, `hidden: null` (the
    default) has the LSTM in place of the first fully connected layer as in the paper, and other backbones have it on
    top; several environments step together. Truncation bootstraps.
"""

import copy
from typing import Literal

import numpy as np
import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import nn
from torch.nn import functional as F

from sandbox.buffers.sequences import Sequences
from sandbox.config.schedules import EpsilonSchedule, Linear
from sandbox.core.compute import Compute
from sandbox.core.cuda_graph import Tensors
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.interfaces.agent import AgentConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.state import map_state
from sandbox.networks.backbone import Backbone
from sandbox.networks.inputs import as_float, in_fp32
from sandbox.networks.nature import Nature
from sandbox.networks.recurrent import LSTM, AnyCore, RecurrentState
from sandbox.ops.policies import epsilon_greedy
from sandbox.ops.value_learning import q_learning
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.sequences import SequencesConfig


class DRQNConfig(AgentConfig):
    """`recurrent`: what it remembers with; `target_period` counts updates; `exploration` counts agent steps.

    `reward_clip`: updates see rewards within plus and minus this, scores and replay the raw ones; null: updates too.
    `error_clip`: the largest gradient of an error; the Huber loss squares smaller ones. Returns far above 1 want a
    larger one, for of errors beyond it the median is learnt, not the mean.
    """

    name: Literal["drqn"] = "drqn"
    backbone: Backbone = Nature(hidden=None)
    recurrent: AnyCore = LSTM()
    discount: float = Field(0.99, ge=0, le=1)
    reward_clip: PositiveFloat | None = None
    error_clip: PositiveFloat = 1.0
    target_period: PositiveInt = 2_500
    exploration: EpsilonSchedule = Linear(start=1.0, end=0.1, steps=1_000_000)
    evaluation_epsilon: float = Field(0.0, ge=0, le=1)
    optimizer: AnyOptimizer = Adam(lr=2.5e-4, clip_norm=10.0)
    stream: SequencesConfig = SequencesConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "DRQN":
        return DRQN(self, spec, rng, compute)


class RecurrentQNetwork(nn.Module):
    """[B, T, C, ...] and the memory before -> values [B, T, A] and the memory after the last observation."""

    def __init__(self, config: DRQNConfig, spec: Spec) -> None:
        super().__init__()
        self.encoder = config.backbone.make(spec.shape)
        self.recurrent = config.recurrent.make(self.encoder.out_features)
        self.head = nn.Linear(self.recurrent.out_features, spec.num_actions)

    def forward(self, observations: torch.Tensor, memory: RecurrentState) -> tuple[torch.Tensor, RecurrentState]:
        features = self.encoder(observations.flatten(0, 1)).unflatten(0, observations.shape[:2])
        outputs, memory = self.recurrent(features, memory)
        return in_fp32(self.head, outputs), memory


class DRQN:
    """Its carried state is the memory, zeros at an episode's start."""

    def __init__(self, config: DRQNConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._compute = config, compute
        with rng.initializing("network"):
            self._network = RecurrentQNetwork(config, spec).to(compute.device)
        self._target = copy.deepcopy(self._network).to(compute.device).requires_grad_(False)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._explore, self._greedy = rng.torch("explore", compute.device), rng.torch("greedy", compute.device)
        self._steps, self._updates = Counter(), Counter()
        self._captured = compute.capture(self._loss_and_gradients)

    def initial_state(self, num_envs: int) -> RecurrentState:
        return self._network.recurrent.initial(num_envs, self._compute.device)

    @torch.no_grad()
    def act(
        self, observations: np.ndarray, state: RecurrentState, *, explore: bool
    ) -> tuple[np.ndarray, RecurrentState]:
        """Epsilon-greedy by the schedule while exploring, else with `evaluation_epsilon`."""
        device = self._compute.device
        newest = torch.from_numpy(observations).to(device)[:, None]
        q, memory = self._network(newest, tuple(part.to(device) for part in state))
        if explore:
            epsilon = self._config.exploration.at(self._steps.value, len(observations))
            actions = epsilon_greedy(q[:, 0], epsilon, self._explore)
            self._steps.value += len(observations)
        else:
            actions = epsilon_greedy(q[:, 0], self._config.evaluation_epsilon, self._greedy)
        return actions.cpu().numpy(), memory

    def seen(self, observations: np.ndarray, state: RecurrentState) -> torch.Tensor:
        """One observation, [N, C, ...]."""
        return as_float(torch.from_numpy(observations).to(self._compute.device))

    def values(self, seen: torch.Tensor, state: RecurrentState) -> torch.Tensor:
        return self._network(seen[:, None], map_state(lambda part: part.to(seen.device), state))[0][:, 0]

    def epsilon(self, *, explore: bool) -> float:
        """How often it now acts at random."""
        rate = self._config.exploration.at(self._steps.value, 1)
        return float(np.mean(rate)) if explore else self._config.evaluation_epsilon

    def update(self, batch: Sequences) -> Metrics:
        """One gradient step over whole windows in one pass; the memory is carried in `batch.carried`."""
        *windows, carried = batch
        (loss, q_mean, *after), gradients = self._captured(*windows, *carried["state"])
        carried["state"] = tuple(after)
        self._optimizer.step(gradients)
        self._updates.value += 1
        if self._updates.value % self._config.target_period == 0:
            self._target.load_state_dict(self._network.state_dict())
        epsilon = np.mean(self._config.exploration.at(self._steps.value, self._config.stream.replay.num_envs))
        return {"loss": loss, "q_mean": q_mean, "epsilon": float(epsilon)}

    def _loss_and_gradients(
        self,
        observations: torch.Tensor,
        a_tm1: torch.Tensor,
        r_t: torch.Tensor,
        discount_t: torch.Tensor,
        mask: torch.Tensor,
        *memory: torch.Tensor,
    ) -> tuple[Tensors, Tensors]:
        """The loss a transition, the mean value, the memory after the windows, and the gradient of the summed loss."""
        config = self._config
        with self._compute.autocast():
            q_tm1, after = self._network(observations[:, :-1], memory)
            with torch.no_grad():
                q_t = self._target(observations, memory)[0][:, 1:]
        r_t = r_t if config.reward_clip is None else r_t.clamp(-config.reward_clip, config.reward_clip)
        error = q_learning(q_tm1, a_tm1, r_t, config.discount * discount_t, q_t)
        losses = F.huber_loss(error, torch.zeros_like(error), reduction="none", delta=config.error_clip) * mask
        gradients = self._optimizer.gradients(losses.sum() / error.shape[1])
        count = mask.sum()
        q_mean = (q_tm1.detach().mean(-1) * mask).sum() / count
        return (losses.detach().sum() / count, q_mean, *(part.detach() for part in after)), gradients

    def parts(self) -> dict[str, Stateful]:
        return {
            "network": self._network,
            "target": self._target,
            "optimizer": self._optimizer,
            "steps": self._steps,
            "updates": self._updates,
        }
