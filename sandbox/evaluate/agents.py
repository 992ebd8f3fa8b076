"""Evaluation of agents: raw returns of whole games, without exploration.

A lost life ends an episode, but not the game; without lives, games and episodes are the same.
"""

from collections.abc import Callable

import numpy as np

from sandbox.environments.interaction import Interaction
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import Environment
from sandbox.interfaces.state import advance_state
from sandbox.ops.statistics import half_interval

MAX_STEPS = 27_000  # in a game; a deterministic policy in a deterministic environment may loop forever


class Stopped(Exception):  # noqa: N818  (nothing is wrong)
    """The evaluation was asked to stop before it was complete."""


def play_episodes(
    agent: Agent, env: Environment, episodes: int, seed: int, stopping: Callable[[], bool] = lambda: False
) -> tuple[np.ndarray, np.ndarray, int]:
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

    Returns:
        The returns [episodes], the lengths [episodes], and the number of games that were cut.

    Raises:
        Stopped: As soon as `stopping` returns True.
    """
    returns, lengths, _, cut = _play(agent, env, episodes, seed, stopping)
    return returns, lengths, cut


def _play(
    agent: Agent, env: Environment, episodes: int, seed: int, stopping: Callable[[], bool]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Play as `play_episodes` does; return also the successes [episodes], NaN where nothing is said."""
    num_envs = env.num_envs
    remaining = np.full(num_envs, episodes // num_envs) + (np.arange(num_envs) < episodes % num_envs)
    finished: list[tuple[float, int, float]] = []
    cut = 0
    interaction, state = Interaction(env, MAX_STEPS), agent.initial_state(num_envs)
    interaction.start(seed)
    while (remaining > 0).any():
        if stopping():
            raise Stopped
        actions, state = agent.act(interaction.observations, state, explore=False)
        step = interaction.step(actions)
        state = advance_state(state, step.rewards, interaction.is_over)
        counted = interaction.is_over & (remaining > 0)
        of_games = interaction.returns, interaction.lengths, interaction.successes
        finished += zip(*(each[counted].tolist() for each in of_games), strict=True)
        cut += int((counted & ~step.ended).sum())
        remaining -= counted
        interaction.next_episodes()
    returns, lengths, successes = np.array(finished).T
    return returns, lengths, successes, cut


def evaluate_agent(
    agent: Agent, env: Environment, episodes: int, seed: int, stopping: Callable[[], bool] = lambda: False
) -> dict[str, float]:
    """Return statistics of the return; the arguments are those of `play_episodes`.

    `return_ci95` is half the 95 % confidence interval of the mean, by the normal approximation. `success_rate` is there
    if the environment says which episodes were successes.

    Raises:
        Stopped: As soon as `stopping` returns True.
    """
    returns, lengths, successes, cut = _play(agent, env, episodes, seed, stopping)
    said = successes[~np.isnan(successes)]
    return {
        "return_mean": float(returns.mean()),
        "return_std": float(returns.std(ddof=1)) if episodes > 1 else 0.0,
        "return_ci95": half_interval(returns),
        "return_min": float(returns.min()),
        "return_max": float(returns.max()),
        "length_mean": float(lengths.mean()),
        **({"success_rate": float(said.mean())} if said.size else {}),
        "episodes": episodes,
        "episodes_cut": cut,
    }
