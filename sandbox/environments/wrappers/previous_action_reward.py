"""Previous action and reward: what the agent did last, and what it got, are part of what it sees.

In YAML: `env.wrappers: [{previous_action_reward: {}}]`.
Rule: the last action as one-hot and the last reward, raw, are appended to a vector of D numbers: D + A + 1 in all. At
    an episode's start (a lost life starts one too) they are zeros. The action is the one that came from the agent,
    whatever a wrapper below made of it.
Observation: a vector of floats. Pixels have no place for it: choose the environment's features.
Paper: Kapturowski et al. 2019, "Recurrent Experience Replay in Distributed Reinforcement Learning" (R2D2). Deviations:
    appended to the observation, not to what the network makes of it.
"""

from collections.abc import Callable

import numpy as np
from gymnasium import spaces

from sandbox.core.errors import UserError
from sandbox.environments.rng import VectorRng
from sandbox.environments.wrapper import EpisodeStart, StepResult, WrappedEnv, WrapperConfig, box_of
from sandbox.interfaces.environment import Environment


class PreviousActionRewardConfig(WrapperConfig):
    """Has no options."""

    def wrap(self, env: Environment) -> WrappedEnv:
        return WrappedEnv(env, PreviousActionReward(env), "previous_action_reward", self)


class PreviousActionReward:
    """Has no state of its own."""

    def __init__(self, env: Environment) -> None:
        space, action = box_of(env), env.single_action_space
        if len(space.shape) != 1 or not np.issubdtype(space.dtype, np.floating):
            raise UserError(
                f"fits vectors of floats only, this environment shows {space.dtype} of shape {list(space.shape)}; "
                "set env.observe=features if it has them, or leave this wrapper out of env.wrappers"
            )
        if not isinstance(action, spaces.Discrete):
            raise UserError(f"fits one choice among a few actions only, this environment has {action}")
        self._first, self._more, self._all = int(action.start), int(action.n) + 1, np.arange(env.num_envs)
        low = np.pad(space.low, (0, self._more))
        high = np.pad(space.high, (0, self._more), constant_values=1)
        low[-1], high[-1] = -np.inf, np.inf
        self.observation_space = spaces.Box(low, high, dtype=space.dtype.type)

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        return np.pad(start.observations, ((0, 0), (0, self._more)))

    def step(
        self, below: Callable[[np.ndarray], StepResult], actions: np.ndarray, shown: np.ndarray, rng: VectorRng
    ) -> StepResult:
        after = below(actions)
        observations = np.pad(after.observations, ((0, 0), (0, self._more)))
        observations[self._all, actions.astype(np.int64) - self._first - self._more] = 1
        observations[:, -1] = after.rewards
        return after._replace(observations=observations)
