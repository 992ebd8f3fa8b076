"""Previous action and reward: the agent's last action and reward become part of the observation.

In YAML: `env.wrappers: [{previous_action_reward: {}}]`.
Rule: The last action, one-hot, and the last reward, raw, are appended to a vector of D numbers: D + A + 1 in all. They
    are zeros at the start of an episode (a lost life starts one, too). The action is the agent's own, even if an inner
    wrapper replaces it.
Observation: a vector of floats. Pixels have no place for it: choose the environment's features.
Paper: Kapturowski et al. 2019, "Recurrent Experience Replay in Distributed Reinforcement Learning" (R2D2). Deviations:
    appended to the observation, not to the output of the convolutions.
"""

import numpy as np
from gymnasium import spaces

from sandbox.core.errors import UserError
from sandbox.environments.rng import VectorRng
from sandbox.environments.wrapper import (
    EpisodeStart,
    StepFunction,
    StepResult,
    Transform,
    WrappedEnv,
    WrapperConfig,
    box_of,
)
from sandbox.interfaces.environment import Environment


class PreviousActionRewardConfig(WrapperConfig):
    """The previous-action-and-reward wrapper (Kapturowski et al. 2019), which has no options."""

    def wrap(self, env: Environment) -> WrappedEnv:
        """Put the wrapper around an environment."""
        return WrappedEnv(env, PreviousActionReward(env), "previous_action_reward", self)


class PreviousActionReward(Transform):
    """Appends the last action and reward to observations; it has no state."""

    def __init__(self, env: Environment) -> None:
        space, action = box_of(env), env.single_action_space
        if len(space.shape) != 1 or not np.issubdtype(space.dtype, np.floating):
            raise UserError(
                f"needs vectors of floats, but this environment has {space.dtype} of shape {list(space.shape)}; "
                "set env.observe=features if it has them, or leave this wrapper out of env.wrappers"
            )
        if not isinstance(action, spaces.Discrete):
            raise UserError(f"needs Discrete actions, but this environment has {action}")
        self._first_action = int(action.start)
        self._added = int(action.n) + 1  # Numbers that are appended.
        self._env_ids = np.arange(env.num_envs)
        low = np.pad(space.low, (0, self._added))
        high = np.pad(space.high, (0, self._added), constant_values=1)
        low[-1], high[-1] = -np.inf, np.inf
        self.observation_space = spaces.Box(low, high, dtype=space.dtype.type)

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        """Append zeros to the first observations."""
        return np.pad(start.observations, ((0, 0), (0, self._added)))

    def step(self, step: StepFunction, actions: np.ndarray, last: np.ndarray, rng: VectorRng) -> StepResult:
        """Step, and append the actions and rewards."""
        result = step(actions)
        observations = np.pad(result.observations, ((0, 0), (0, self._added)))
        observations[self._env_ids, actions.astype(np.int64) - self._first_action - self._added] = 1
        observations[:, -1] = result.rewards
        return result._replace(observations=observations)
