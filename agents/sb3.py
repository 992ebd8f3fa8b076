"""Stable-Baselines3: its algorithms by name, trained in the environments and run folders of the sandbox.

Paper: Raffin et al. 2021, "Stable-Baselines3: Reliable Reinforcement Learning Implementations" (JMLR 22); those
    of sb3-contrib (crossq, qrdqn, recurrent_ppo, tqc, trpo) by the same authors. The equations, networks, optimizers,
    buffers and defaults are theirs, unchanged; the training loop calls the two phases of their `learn` in turn, with
    equal results.
Deviations: environments, returns, checkpoints and evaluation are the sandbox's, so that a run resumes bit for bit on
    the CPU; draws from global generators come from the run's own; the last observation of an episode is the true one,
    and a lost life ends an episode but not the game; evaluation takes the likeliest action. Schedules end after
    `total_steps`, not after `steps`. Networks compute in fp32 whatever `precision` is, and every update synchronizes
    with the device. Stacks of frames: `env.wrappers: [{frame_stack: {count: 4}}]`. Noise of ddpg and td3:
    `action_noise`, its standard deviation. Masks of actions are not supported.
"""

import math
from operator import attrgetter
from typing import Any, Literal, cast

import numpy as np
import torch
from gymnasium import spaces
from pydantic import Field, field_validator
from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from sandbox.agents import _options as options
from sandbox.agents._sb3.checkpointing import Tensors, Weights
from sandbox.agents._sb3.global_rng import Generators
from sandbox.agents._sb3.model import make_model, policy_for
from sandbox.agents._sb3.options import ACTION_KINDS, ALGORITHMS, REFUSED, Options, keywords
from sandbox.agents._sb3.phases import Batch, OffPolicy, OnPolicy
from sandbox.agents._sb3.stream import Collection, SB3StreamConfig
from sandbox.agents._sb3.vec_env import EnvAdapter
from sandbox.config.numbers import Steps
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.agent import Agent, AgentConfig
from sandbox.interfaces.environment import Environment
from sandbox.interfaces.learner import Metrics, RefusesExport
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.optimizers.rule_state import RuleState


class SB3Config(AgentConfig):
    """Options of Stable-Baselines3."""

    name: Literal["sb3"] = "sb3"
    algorithm: Literal["a2c", "crossq", "ddpg", "dqn", "ppo", "qrdqn", "recurrent_ppo", "sac", "td3", "tqc", "trpo"] = (
        Field(
            default="a2c",
            description="algorithm of Stable-Baselines3 or sb3-contrib; crossq, ddpg, sac, td3 and tqc need a Box of "
            "actions, dqn and qrdqn Discrete ones, the others take both",
        )
    )
    policy: Literal["auto", "CnnPolicy", "MlpPolicy"] = Field(
        default="auto",
        description="network: `auto` is CnnPolicy for images of bytes of at least 36x36, else MlpPolicy; recurrent_ppo "
        "adds LSTMs",
    )
    total_steps: Steps = Field(
        default=100_000, description="agent steps that schedules run over (`total_timesteps` of Stable-Baselines3)"
    )
    reward_clip: options.RewardClip = None
    options: Options = Field(default=Options(), description="keyword arguments of each algorithm")
    stream: SB3StreamConfig = Field(default=SB3StreamConfig(), description="environments that the algorithm acts in")

    @field_validator("algorithm", mode="before")
    @classmethod
    def _not_refused(cls, name: Any) -> Any:
        if isinstance(name, str) and name in REFUSED:
            raise ValueError(f"{name} cannot be trained here: {REFUSED[name]}. Known: {', '.join(ALGORITHMS)}")
        return name

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "SB3":
        """Build the agent.

        Raises:
            UserError: For a policy that does not fit the observations, or options that the algorithm refuses.
        """
        return SB3(self, spec, rng, compute)

    def action_kinds(self) -> tuple[str, ...]:
        """Return the kinds of actions that the algorithm can choose from."""
        return ACTION_KINDS.get(self.algorithm, ("Discrete", "Box"))

    @property
    def label(self) -> str:
        """Name of the agent and its algorithm."""
        return f"sb3 (agent.algorithm={self.algorithm})"


class SB3(Agent, RefusesExport):
    """A Stable-Baselines3 agent. Its recurrent state is the LSTM's, [N, layers, size] each, or None without one."""

    no_export = 'its policy belongs to Stable-Baselines3, whose documentation exports it ("Exporting models")'

    def __init__(self, config: SB3Config, spec: Spec, rng: Rng, compute: Compute) -> None:
        algorithm, section = ALGORITHMS[config.algorithm], dict(config.options)[config.algorithm]
        where = f"agent.options.{config.algorithm}"
        policy = policy_for(spec, config.policy, recurrent=algorithm is RecurrentPPO)
        given = keywords(section, config.total_steps, math.prod(_box_of(spec, config.algorithm)))
        if issubclass(algorithm, OffPolicyAlgorithm):
            given["buffer_size"] = 1  # `OffPolicy.begin` makes the real one, for training
        self._generators = Generators(rng, compute.device)
        self._env = EnvAdapter(spec, config.stream.num_envs, config.reward_clip, rng)
        with self._generators.in_place():
            self._model = make_model(algorithm, policy, self._env, compute.device, given, where)
        self._phases: OnPolicy | OffPolicy
        if isinstance(self._model, OffPolicyAlgorithm):
            self._phases = OffPolicy(self._model, self._env, dict(section)["buffer_size"], where)
        else:
            self._phases = OnPolicy(cast(OnPolicyAlgorithm, self._model), self._env)
        self._total_steps = config.total_steps

    def initial_state(self, num_envs: int) -> tuple[torch.Tensor, ...] | None:
        """Return the state at an episode's start, zeros."""
        policy = self._model.policy
        if not isinstance(policy, RecurrentActorCriticPolicy):
            return None
        lstm = policy.lstm_actor
        return tuple(torch.zeros(num_envs, lstm.num_layers, lstm.hidden_size) for _ in range(2))

    def act(self, observations: np.ndarray, state: Any, *, explore: bool) -> tuple[np.ndarray, Any]:
        """Choose actions as in training, or without `explore` the likeliest ones or those of the highest value."""
        recurrent = None if state is None else tuple(part.transpose(0, 1).numpy() for part in state)
        with self._generators.in_place():
            actions, recurrent = self._model.predict(observations, recurrent, deterministic=not explore)
        if recurrent is not None:
            state = tuple(torch.from_numpy(part).transpose(0, 1) for part in recurrent)
        return actions, state

    def begin(self, env: Environment, rng: Rng) -> Collection:
        """Return the stream of training in `env`.

        Raises:
            UserError: For options that cannot train here.
        """
        actor = self._env.attach(env, rng)
        _, callback = self._model._setup_learn(self._total_steps)
        return Collection(self._phases, self._generators, actor, callback)

    def update(self, batch: Batch) -> Metrics:
        """Train, and return what Stable-Baselines3 logs; `loss` is the sum of its parts if only they are logged."""
        with self._generators.in_place():
            self._phases.train(batch)
        logged = self._model.logger.name_to_value
        metrics = {name.partition("/")[2]: float(value) for name, value in logged.items()}
        logged.clear()
        metrics.pop("n_updates", None)
        if math.isnan(metrics.get("explained_variance", 0.0)):  # not defined where all returns are the same
            del metrics["explained_variance"]
        parts = (value for name, value in metrics.items() if name.endswith("_loss"))
        return {"loss": sum(parts, 0.0), **metrics}

    def parts(self) -> dict[str, Stateful]:
        """Return policy, optimizer and counters."""
        learned, tensors = self._model._get_torch_save_params()
        own: dict[str, Stateful] = {"policy": Weights(self._model.policy)}
        for name in learned:
            if name != "policy":
                own[name.removeprefix("policy.").replace(".", "_")] = RuleState(attrgetter(name)(self._model))
        if tensors:
            own["tensors"] = Tensors(self._model, tensors)
        return {**own, "progress": self._phases.progress}


def _box_of(spec: Spec, algorithm: str) -> tuple[int, ...]:
    """Return the shape of a Box of actions, () for Discrete ones.

    Raises:
        UserError: For infinite bounds, which Stable-Baselines3 cannot scale to.
    """
    box = spec.action_space
    if not isinstance(box, spaces.Box):
        return ()
    if not (np.isfinite(box.low).all() and np.isfinite(box.high).all()):
        raise UserError(
            f"agent.algorithm={algorithm} needs actions with finite bounds, but this environment has {box}. Give its "
            "action_space finite bounds, or choose another environment."
        )
    return box.shape
