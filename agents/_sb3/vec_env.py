"""Our environments as Stable-Baselines3 sees them, played by an agent that does what Stable-Baselines3 says."""

from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv

from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.environment import Environment
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.spec import Spec
from sandbox.streams.actor import Actor


class ScriptedAgent:
    """An agent that takes the `actions` [N] it was told."""

    def __init__(self) -> None:
        self.actions = np.zeros(0, np.int64)

    def initial_state(self, num_envs: int) -> None:
        return None

    def act(self, observations: np.ndarray, state: None, *, explore: bool) -> tuple[np.ndarray, None]:
        return self.actions, None

    def update(self, batch: Any) -> Metrics:
        return {}

    def parts(self) -> dict[str, Stateful]:
        return {}


class EnvAdapter(VecEnv):
    """At first only spaces, which is all that a policy is made from; `settle` brings environments to play.

    As in every `VecEnv`, `step` returns the first observations of the next episodes where one ended. The true last ones
    are `terminal_observation` in the infos, and `TimeLimit.truncated` there says to bootstrap from them.
    """

    def __init__(self, spec: Spec, num_envs: int, reward_clip: float | None, rng: Rng) -> None:
        """`reward_clip`: Stable-Baselines3 sees rewards within plus and minus this; None: as they are."""
        low, high = (0, 255) if spec.is_bytes else (-np.inf, np.inf)
        shown = spaces.Box(low, high, spec.shape, np.uint8 if spec.is_bytes else np.float32)
        super().__init__(num_envs, shown, spaces.Discrete(spec.num_actions, seed=rng.numpy("sb3 actions")))
        self.transition_bytes = 2 * int(np.prod(spec.shape)) * shown.dtype.itemsize + 20  # in their replay buffer
        self._limit = np.inf if reward_clip is None else reward_clip
        self._told = ScriptedAgent()
        self._actor: Actor | None = None

    def settle(self, env: Environment, rng: Rng) -> Actor:
        """Play `env` from now on; the actor makes the steps and keeps the scores."""
        self._actor = Actor(env, self._told, rng)
        return self._actor

    @property
    def actor(self) -> Actor:
        assert self._actor is not None, "nothing has settled here yet"
        return self._actor

    def reset(self) -> np.ndarray:
        """What there is to see; the actor alone starts episodes."""
        return self.actor.observations

    def step_async(self, actions: np.ndarray) -> None:
        self._told.actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Rewards are a copy: Stable-Baselines3 adds to them what it bootstraps."""
        step = self.actor.step()
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(step.ended):
            truncated = bool(step.truncated[i] and not step.terminated[i])
            infos[i] = {"terminal_observation": step.last[i], "TimeLimit.truncated": truncated}
        rewards = step.rewards.clip(-self._limit, self._limit).astype(np.float32)
        return self.actor.observations, rewards, step.ended, infos

    def close(self) -> None:
        """Nothing is open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Only `render_mode` is ever asked for, and there is none."""
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """No algorithm here asks for it."""
        raise AttributeError(f"{attr_name} of environments that step as one cannot be set; set it in the config")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """No algorithm here asks for it."""
        raise AttributeError(f"environments that step as one have no {method_name} of their own")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * self.num_envs
