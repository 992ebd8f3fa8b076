"""Rainbow: six improvements of DQN in one agent; each can be left out.

Paper: Hessel et al. 2018, "Rainbow: Combining Improvements in Deep Reinforcement Learning".
Improvements, and the option that leaves one out: double Q-learning (`double=false`), dueling heads
    (`head.dueling=false`), prioritized replay (`stream.priority_exponent=0`), n-step returns (`n_step=1`),
    distributional values (`head.name=scalar`) and noisy layers (`exploration.name=epsilon_greedy`). Without all of
    them, and with `head.hidden=null`, the update is DQN's.
Deviations: losses are summed over the batch as DQN's, so that Adam's `eps` is 32 times the paper's 1.5e-4; the head's
    hidden layers stand above the backbone's, in the paper in its place (`backbone={name: nature, hidden: null}` is
    the paper's network); each environment acts with noise of its own, drawn at every step; an update draws noise once
    each for the learned, the selecting and the target values; evaluation acts without noise; rewards are raw unless
    `reward_clip=1`; several environments step together. Truncation bootstraps.
"""

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn

from sandbox.agents import _options as options
from sandbox.agents._frame_stack import FrameStack
from sandbox.agents._policy import EpsilonGreedyPolicy
from sandbox.buffers.priorities import Prioritized
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.acting import Explorer, RemoteAgent
from sandbox.interfaces.agent import AgentConfig, Exportable, TransitionLearner
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.split import Split
from sandbox.networks.heads.categorical import Categorical
from sandbox.networks.heads.exploration import Noisy, NoisyOrEpsilonGreedy
from sandbox.networks.heads.head import Head
from sandbox.networks.heads.noisy import NO_NOISE, LayerNoise, sample_noise
from sandbox.networks.inputs import as_float
from sandbox.networks.nature import Nature
from sandbox.networks.target import TargetNetwork
from sandbox.ops.value_learning import clip_rewards, n_step_return
from sandbox.optimizers.adam import Adam
from sandbox.streams.prioritized import PrioritizedConfig


class RainbowConfig(AgentConfig):
    """Options of Rainbow."""

    name: Literal["rainbow"] = "rainbow"
    backbone: options.Backbone = Nature()
    head: Head = Field(
        default=Categorical(), description="what is learned from the features: distributions or mean returns"
    )
    exploration: NoisyOrEpsilonGreedy = Field(default=Noisy(), description="noisy layers, or random actions")
    double: bool = Field(
        default=True, description="the online network selects the next action, else the target network"
    )
    frame_stack: options.FrameStackSize = 4
    n_step: options.NStep = 3
    discount: options.Discount = 0.99
    reward_clip: options.RewardClip = None
    target_period: options.TargetPeriod = 2_000
    evaluation_epsilon: options.EvaluationEpsilon = 0.0
    optimizer: options.Optimizer = Adam(lr=6.25e-5, eps=4.8e-3)
    stream: PrioritizedConfig = Field(
        default=PrioritizedConfig(), description="batches of transitions from a replay, by their priorities"
    )

    def split(self) -> Split:
        """Divide the transitions of a batch; the loss is their sum."""
        return Split("sum", {"agent.stream.batch_size": self.stream.batch_size})

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "Rainbow":
        """Build the agent."""
        return Rainbow(self, spec, rng, compute)


class RainbowNetwork(nn.Module):
    """Observations [B, *input_shape] and the noise of noisy layers -> the head's outputs [B, A, K]."""

    def __init__(self, config: RainbowConfig, input_shape: tuple[int, ...], num_actions: int) -> None:
        super().__init__()
        self.encoder = config.backbone.make(input_shape)
        self.head = config.head.make(self.encoder.out_features, num_actions, config.exploration.layer)

    def forward(self, observations: torch.Tensor, noise: LayerNoise) -> torch.Tensor:
        """Return the outputs."""
        return self.head(self.encoder(observations), noise)


class Rainbow(TransitionLearner, Exportable, RemoteAgent):
    """A Rainbow agent. Its recurrent state holds the older observations of the frame stack."""

    def __init__(self, config: RainbowConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self.frame_stack, self.n_step = config.frame_stack, config.n_step
        self._config, self._compute = config, compute
        self._frames = FrameStack(spec, config.frame_stack, compute.device)
        with rng.initializing("network"):
            self._network = RainbowNetwork(config, self._frames.shape, spec.num_actions).to(compute.device)
        self._target = TargetNetwork(self._network, config.target_period)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        schedule = config.exploration.schedule()
        self._policy = EpsilonGreedyPolicy(schedule, config.evaluation_epsilon, rng, compute.device)
        self._noise = rng.torch("noise", compute.device)  # in updates; acting draws from the policy's generator

    def initial_state(self, num_envs: int) -> torch.Tensor:
        """Return the state at an episode's start, [N, (frame_stack - 1) * C, ...] zeros."""
        return self._frames.initial_state(num_envs)

    @torch.no_grad()
    def act(self, observations: np.ndarray, state: torch.Tensor, *, explore: bool) -> tuple[np.ndarray, torch.Tensor]:
        """Choose actions greedily under new noise, or epsilon-greedily; in evaluation without noise."""
        stack, state = self._frames.push(observations, state)
        noise = NO_NOISE
        if explore:
            noise = sample_noise(self._network, self._policy.generator(explore=True), len(stack))
        q = self._config.head.values(self._network(stack, noise))
        return self._policy.act(q, explore=explore).cpu().numpy(), state

    def update(self, batch: Prioritized) -> Metrics:
        """Take one gradient step and set the priorities; the target network follows every `target_period` updates."""
        data, config, head = batch.transitions, self._config, self._config.head
        outputs_tm1 = self._outputs(self._network, data.s_tm1)
        with torch.no_grad():
            outputs_t = self._outputs(self._target, data.s_t)
            selector = self._outputs(self._network, data.s_t) if config.double else outputs_t
        r_t = clip_rewards(data.r_t, config.reward_clip)
        r_t, discount_t = n_step_return(r_t, data.discount_t, data.num_steps, config.discount)
        losses, priorities = head.learn(outputs_tm1, data.a_tm1, r_t, discount_t, outputs_t, head.values(selector))
        loss = (batch.weights * losses).sum()
        self._optimizer.minimize(loss)
        batch.set_priorities(priorities)
        self._target.follow(self._network)
        q_mean = head.values(outputs_tm1.detach()).mean()
        return {"loss": loss.detach() / len(losses), "q_mean": q_mean, "epsilon": self._policy.mean_epsilon}

    def _outputs(self, network: nn.Module, observations: torch.Tensor) -> torch.Tensor:
        """Return the head's outputs under new noise, the same for the whole batch."""
        with self._compute.autocast():
            return network(observations, sample_noise(network, self._noise))

    def network_input(self, observations: np.ndarray, state: torch.Tensor) -> torch.Tensor:
        """Return the stack, [N, frame_stack * C, ...]."""
        return as_float(self._frames.push(observations, state)[0])

    def q_values(self, network_input: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """Return the action values [N, A] without noise."""
        return self._config.head.values(self._network(network_input, NO_NOISE))

    def greedy_step(self, observations: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the action values [N, A] of the stack, and the next state."""
        stack, state = self._frames.push(observations, state)
        return self.q_values(stack, state), state

    def epsilon(self, *, explore: bool) -> float:
        """Return the present probability of a random action."""
        return self._policy.epsilon(explore=explore)

    def acting(self) -> tuple[nn.Module, Explorer]:
        """Return the network and the exploration."""
        return self._network, self._policy

    def parts(self) -> dict[str, Stateful]:
        """Return networks, optimizer and policy."""
        return {
            "network": self._network,
            "target": self._target,
            "optimizer": self._optimizer,
            "policy": self._policy,
        }
