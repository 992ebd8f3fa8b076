"""Evaluation of agents: raw returns of whole games, without exploration.

A lost life ends an episode, but not the game; without lives, games and episodes are the same.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sandbox.core.progress import progress
from sandbox.environments.interaction import Interaction
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import Environment
from sandbox.interfaces.state import advance_state
from sandbox.ops.statistics import half_interval

MAX_STEPS = 27_000  # in a game; a deterministic policy in a deterministic environment may loop forever


class Stopped(Exception):  # noqa: N818  (nothing is wrong)
    """The evaluation was asked to stop before it was complete."""


class Episodes(NamedTuple):
    """Whole games, in the order in which they ended.

    Attributes:
        returns: Returns [episodes].
        lengths: Numbers of steps [episodes].
        successes: 1 or 0 [episodes], NaN where the environment does not say.
        env_ids: Index of the environment of each game [episodes].
        num_cut: Number of games that were cut at `MAX_STEPS`.
    """

    returns: np.ndarray
    lengths: np.ndarray
    successes: np.ndarray
    env_ids: np.ndarray
    num_cut: int

    def returns_to_pair(self) -> np.ndarray:
        """Return the returns [episodes], sorted by environment, for pairs with those of another agent.

        Two agents that play equally many games from the same seed get the same first game of each environment at the
        same place. Later games are the same, too, if the course of a game does not change how the next one begins.
        """
        return self.returns[np.argsort(self.env_ids, kind="stable")]

    def statistics(self) -> dict[str, float]:
        """Return statistics of the games.

        `return_ci95` is half the 95 % confidence interval of the mean, by the normal approximation. `success_rate` is
        included if the environment says which episodes were successes.
        """
        said = self.successes[~np.isnan(self.successes)]
        return {
            "return_mean": float(self.returns.mean()),
            "return_std": float(self.returns.std(ddof=1)) if len(self.returns) > 1 else 0.0,
            "return_ci95": half_interval(self.returns),
            "return_min": float(self.returns.min()),
            "return_max": float(self.returns.max()),
            "length_mean": float(self.lengths.mean()),
            **({"success_rate": float(said.mean())} if said.size else {}),
            "episodes": len(self.returns),
            "episodes_cut": self.num_cut,
        }


def play_episodes(
    agent: Agent, env: Environment, episodes: int, seed: int, stopping: Callable[[], bool] = lambda: False
) -> Episodes:
    """Play whole games.

    Each environment plays an equal share of the games, so that short games are not counted more often than long ones.
    A game that is cut at `MAX_STEPS` counts with its return so far. A lost life does not reset the agent's recurrent
    state.

    Args:
        agent: The agent; it does not explore.
        env: The environments.
        episodes: Number of games.
        seed: Seed of the environments.
        stopping: Called before every step; True stops the evaluation.

    Raises:
        Stopped: As soon as `stopping` returns True.
    """
    num_envs = env.num_envs
    remaining = np.full(num_envs, episodes // num_envs) + (np.arange(num_envs) < episodes % num_envs)
    finished: list[tuple[float, int, float, int]] = []
    cut = 0
    interaction, state = Interaction(env, MAX_STEPS), agent.initial_state(num_envs)
    interaction.start(seed)
    while (remaining > 0).any():
        if stopping():
            raise Stopped
        progress.count(len(finished), episodes, "episodes")
        actions, state = agent.act(interaction.observations, state, explore=False)
        step = interaction.step(actions)
        state = advance_state(state, step.rewards, interaction.is_over)
        counted = interaction.is_over & (remaining > 0)
        columns = interaction.returns, interaction.lengths, interaction.successes, np.arange(num_envs)
        finished += zip(*(column[counted].tolist() for column in columns), strict=True)
        cut += int((counted & ~step.ended).sum())
        remaining -= counted
        interaction.next_episodes()
    returns, lengths, successes, env_ids = np.array(finished).T
    return Episodes(returns, lengths, successes, env_ids, cut)


def evaluate_agent(
    agent: Agent, env: Environment, episodes: int, seed: int, stopping: Callable[[], bool] = lambda: False
) -> dict[str, float]:
    """Return the statistics of whole games; the arguments are those of `play_episodes`.

    Raises:
        Stopped: As soon as `stopping` returns True.
    """
    return play_episodes(agent, env, episodes, seed, stopping).statistics()
