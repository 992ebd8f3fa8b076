"""The score of an agent: raw returns of whole episodes, played as if nothing were learnt."""

from collections.abc import Callable

import numpy as np

from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import Environment, game_over
from sandbox.interfaces.state import advance_state
from sandbox.ops.statistics import half_interval

MAX_STEPS = 27_000  # a deterministic policy in a deterministic game can go on for ever


class Stopped(Exception):  # noqa: N818  (nothing is wrong)
    """Whoever asked for the score does not want it any more."""


def play_episodes(
    agent: Agent, env: Environment, episodes: int, seed: int, stopping: Callable[[], bool] = lambda: False
) -> tuple[np.ndarray, np.ndarray, int]:
    """Returns [episodes], lengths [episodes], and how many were cut at `MAX_STEPS`.

    Each environment plays its own share, so that short episodes are not counted more often than long ones. A cut
    episode counts with the return it has. A life lost ends nothing here: neither the score nor what the agent carries.

    Raises:
        Stopped: as soon as `stopping()`.
    """
    num_envs = env.num_envs
    share = np.full(num_envs, episodes // num_envs) + (np.arange(num_envs) < episodes % num_envs)
    returns, lengths = np.zeros(num_envs), np.zeros(num_envs, np.int64)
    finished: list[tuple[float, int]] = []
    cut = 0
    observations, _ = env.reset(seed=seed)
    state = agent.initial_state(num_envs)
    while (share > 0).any():
        if stopping():
            raise Stopped
        actions, state = agent.act(observations, state, explore=False)
        observations, rewards, terminated, truncated, infos = env.step(actions)
        returns += rewards
        lengths += 1
        too_long = (lengths >= MAX_STEPS) & ~(terminated | truncated)
        over = game_over(terminated, truncated, infos) | too_long
        state = advance_state(state, rewards, over)
        if over.any():
            counted = over & (share > 0)
            finished += zip(returns[counted].tolist(), lengths[counted].tolist(), strict=True)
            cut += int((too_long & counted).sum())
            share -= counted
            returns[over] = lengths[over] = 0
        if (waiting := terminated | truncated | too_long).any():
            observations, _ = env.reset(options={"reset_mask": waiting})
    table = np.array(finished)
    return table[:, 0], table[:, 1], cut


def evaluate_agent(
    agent: Agent, env: Environment, episodes: int, seed: int, stopping: Callable[[], bool] = lambda: False
) -> dict[str, float]:
    """Mean, standard deviation and 95 % interval (of the mean, by the normal approximation) of the return.

    Raises:
        Stopped: as soon as `stopping()`.
    """
    returns, lengths, cut = play_episodes(agent, env, episodes, seed, stopping)
    return {
        "return_mean": float(returns.mean()),
        "return_std": float(returns.std(ddof=1)) if episodes > 1 else 0.0,
        "return_ci95": half_interval(returns),
        "return_min": float(returns.min()),
        "return_max": float(returns.max()),
        "length_mean": float(lengths.mean()),
        "episodes": episodes,
        "episodes_cut": cut,
    }
