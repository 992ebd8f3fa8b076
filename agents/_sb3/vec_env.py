"""An adapter of environments to Stable-Baselines3's `VecEnv`."""

from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv

from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import Environment
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.spec import Spec
from sandbox.streams.actor import Actor


class ScriptedAgent(Agent):
    """An agent that takes the `actions` [N] that are set from outside."""

    def __init__(self) -> None:
        self.actions = np.zeros(0, np.int64)

    def initial_state(self, num_envs: int) -> None:
        """Return None: there is no recurrent state."""

    def act(self, observations: np.ndarray, state: None, *, explore: bool) -> tuple[np.ndarray, None]:
        """Return the actions."""
        return self.actions, None

    def update(self, batch: Any) -> Metrics:
        """Learn nothing."""
        return {}

    def parts(self) -> dict[str, Stateful]:
        """Return nothing."""
        return {}


class EnvAdapter(VecEnv):
    """Environments as a `VecEnv`: at first only their spaces, for building a policy; `attach` adds the environments.

    As in every `VecEnv`, `step` returns the first observations of the next episodes where one ended. The true last ones
    are `terminal_observation` in the infos, and `TimeLimit.truncated` there says to bootstrap from them.
    """

    def __init__(self, spec: Spec, num_envs: int, reward_clip: float | None, rng: Rng) -> None:
        """Set up the spaces.

        Args:
            spec: Shapes of the environments.
            num_envs: Number of environments.
            reward_clip: Rewards are clipped to [-reward_clip, reward_clip]; None leaves them as they are.
            rng: The run's random streams.
        """
        low, high = (0, 255) if spec.is_bytes else (-np.inf, np.inf)
        shown = spaces.Box(low, high, spec.shape, np.uint8 if spec.is_bytes else np.float32)
        draws = rng.numpy("sb3 actions")
        actions: spaces.Space[Any] = spaces.Discrete(max(spec.num_actions, 1), seed=draws)
        if isinstance(box := spec.action_space, spaces.Box):
            actions = spaces.Box(box.low, box.high, dtype=np.float32, seed=draws)
        super().__init__(num_envs, shown, actions)
        action_bytes = 4 * int(np.prod(actions.shape or ()))
        self.transition_bytes = (
            2 * int(np.prod(spec.shape)) * shown.dtype.itemsize + 16 + action_bytes
        )  # in their replay
        self._limit = np.inf if reward_clip is None else reward_clip
        self._script = ScriptedAgent()
        self._actor: Actor | None = None

    def attach(self, env: Environment, rng: Rng) -> Actor:
        """Step `env` from now on; the actor makes the steps and reports the returns."""
        self._actor = Actor(env, self._script, rng)
        return self._actor

    @property
    def actor(self) -> Actor:
        """The actor of the attached environments."""
        assert self._actor is not None, "no environment is attached yet"
        return self._actor

    def reset(self) -> np.ndarray:
        """Return the present observations; the actor alone starts episodes."""
        return self.actor.observations

    def step_async(self, actions: np.ndarray) -> None:
        self._script.actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Take the actions. Rewards are a copy, because Stable-Baselines3 adds bootstrapped values to them."""
        step = self.actor.step()
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(step.ended):
            truncated = bool(step.truncated[i] and not step.terminated[i])
            infos[i] = {"terminal_observation": step.next_observations[i], "TimeLimit.truncated": truncated}
        rewards = step.rewards.clip(-self._limit, self._limit).astype(np.float32)
        return self.actor.observations, rewards, step.ended, infos

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return None for each environment: only `render_mode` is ever asked for."""
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Raise AttributeError: no algorithm here needs it."""
        raise AttributeError(f"{attr_name} of environments that step as one cannot be set; set it in the config")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Raise AttributeError: no algorithm here needs it."""
        raise AttributeError(f"environments that step as one have no {method_name} of their own")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * self.num_envs
