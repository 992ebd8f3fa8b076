"""Stable-Baselines3: its algorithms by name, in our runs beside our own agents.

Paper: Raffin et al. 2021, "Stable-Baselines3: Reliable Reinforcement Learning Implementations" (JMLR 22); what is in
    sb3-contrib (qrdqn, recurrent_ppo, trpo) by the same authors. The equations, networks, optimisers, buffers and
    defaults are theirs, untouched; our loop calls the two halves of their `learn` in turn, and comes out the same.
Deviations: environments, scores, checkpoints and evaluation are ours, so that a run resumes bit for bit on the CPU;
    draws from global generators come from the run's own; the last observation of an episode is the true one, and a lost
    life ends an episode but not the game; evaluation takes the likeliest action. Schedules end after `total_steps`,
    whatever `steps` says. It computes in fp32, whatever `precision` says, and waits for the device in every update.
    Stacks of frames: `env.wrappers: [{frame_stack: {count: 4}}]`. Continuous actions and masks are left out.
"""

from typing import Any, Literal, cast

import numpy as np
import torch
from pydantic import PositiveFloat, PositiveInt, field_validator
from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from sandbox.agents._sb3.checkpointing import Weights
from sandbox.agents._sb3.global_rng import Generators
from sandbox.agents._sb3.model import make_model, policy_for
from sandbox.agents._sb3.options import ALGORITHMS, REFUSED, Options, keywords
from sandbox.agents._sb3.phases import Batch, OffPolicy, OnPolicy
from sandbox.agents._sb3.stream import Collection, SB3StreamConfig
from sandbox.agents._sb3.vec_env import EnvAdapter
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.agent import AgentConfig
from sandbox.interfaces.environment import Environment
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec


class SB3Config(AgentConfig):
    """`total_steps`: agent steps that schedules run over, which Stable-Baselines3 calls `total_timesteps`.

    `policy`: auto is CnnPolicy for images of bytes of at least 36x36, else MlpPolicy; recurrent_ppo puts LSTMs on both.
    `reward_clip`: updates see rewards within plus and minus this, scores the raw ones; null: updates too.
    """

    name: Literal["sb3"] = "sb3"
    algorithm: Literal["a2c", "dqn", "ppo", "qrdqn", "recurrent_ppo", "trpo"] = "a2c"
    policy: Literal["auto", "CnnPolicy", "MlpPolicy"] = "auto"
    total_steps: PositiveInt = 100_000
    reward_clip: PositiveFloat | None = None
    options: Options = Options()
    stream: SB3StreamConfig = SB3StreamConfig()

    @field_validator("algorithm", mode="before")
    @classmethod
    def _not_refused(cls, name: Any) -> Any:
        if isinstance(name, str) and name in REFUSED:
            raise ValueError(f"{name} cannot be trained here: {REFUSED[name]}. Known: {', '.join(ALGORITHMS)}")
        return name

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "SB3":
        """Raises UserError for a policy that does not fit what is seen, or options that the algorithm refuses."""
        return SB3(self, spec, rng, compute)


class SB3:
    """Its carried state are the LSTM's output and cell, [N, layers, size] each; None without one."""

    def __init__(self, config: SB3Config, spec: Spec, rng: Rng, compute: Compute) -> None:
        algorithm, section = ALGORITHMS[config.algorithm], dict(config.options)[config.algorithm]
        where = f"agent.options.{config.algorithm}"
        policy = policy_for(spec, config.policy, recurrent=algorithm is RecurrentPPO)
        given = keywords(section, config.total_steps)
        if issubclass(algorithm, OffPolicyAlgorithm):
            given["buffer_size"] = 1  # who only plays needs no replay
        self._generators = Generators(rng, compute.device)
        self._world = EnvAdapter(spec, config.stream.num_envs, config.reward_clip, rng)
        with self._generators.in_place():
            self._model = make_model(algorithm, policy, self._world, compute.device, given, where)
        self._way: OnPolicy | OffPolicy
        if isinstance(self._model, OffPolicyAlgorithm):
            self._way = OffPolicy(self._model, self._world, dict(section)["buffer_size"], where)
        else:
            self._way = OnPolicy(cast(OnPolicyAlgorithm, self._model), self._world)
        self._total_steps = config.total_steps

    def initial_state(self, num_envs: int) -> tuple[torch.Tensor, torch.Tensor] | None:
        policy = self._model.policy
        if not isinstance(policy, RecurrentActorCriticPolicy):
            return None
        lstm = policy.lstm_actor
        zeros = torch.zeros(num_envs, lstm.num_layers, lstm.hidden_size)
        return zeros, zeros.clone()

    def act(self, observations: np.ndarray, state: Any, *, explore: bool) -> tuple[np.ndarray, Any]:
        """As it plays in training while exploring, else the likeliest or the most valued action."""
        memory = None if state is None else tuple(part.transpose(0, 1).numpy() for part in state)
        with self._generators.in_place():
            actions, memory = self._model.predict(observations, memory, deterministic=not explore)
        if memory is not None:
            state = tuple(torch.from_numpy(part).transpose(0, 1) for part in memory)
        return actions, state

    def begin(self, env: Environment, rng: Rng) -> Collection:
        """Get ready to train in `env`.

        Raises:
            UserError: for options that cannot train here.
        """
        actor = self._world.settle(env, rng)
        _, nothing = self._model._setup_learn(self._total_steps)
        return Collection(self._way, self._generators, actor, nothing)

    def update(self, batch: Batch) -> Metrics:
        """What Stable-Baselines3 logs, by its names; `loss` is the sum of its parts where it logs only those."""
        with self._generators.in_place():
            self._way.train(batch)
        logged = self._model.logger.name_to_value
        metrics = {name.partition("/")[2]: float(value) for name, value in logged.items()}
        logged.clear()
        metrics.pop("n_updates", None)
        parts = (value for name, value in metrics.items() if name.endswith("_loss"))
        return {"loss": sum(parts, 0.0), **metrics}

    def parts(self) -> dict[str, Stateful]:
        policy = self._model.policy
        return {"policy": Weights(policy), "optimizer": policy.optimizer, "progress": self._way.progress}
