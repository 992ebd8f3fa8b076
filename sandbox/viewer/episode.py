"""Episodes as frames: what every face (window, film, person at the keyboard) shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Protocol

import numpy as np

from sandbox.environment import Environment, game_over
from sandbox.learner import State, carry_on


class Player(Protocol):
    """What an episode needs of an agent, or of a person in its place."""

    def initial_state(self, num_envs: int) -> State: ...
    def act(self, observations: np.ndarray, state: State, *, explore: bool) -> tuple[np.ndarray, State]: ...


@dataclass(frozen=True)
class Frame:
    """One moment: the picture [H, W, 3] uint8, and how the episode got there."""

    picture: np.ndarray
    seed: int  # the episode's: the same seed and player give the same episode
    step: int
    return_: float
    action: tuple[int, ...]  # the one that led here; empty at an episode's start
    ended: bool


def episodes(player: Player, env: Environment, *, seed: int, explore: bool = False) -> Iterator[Iterator[Frame]]:
    """Play without end, episode after episode, with seeds `seed`, `seed + 1`, ...; leave one early by taking the next.

    `env` holds one environment, with autoreset disabled.

    Raises:
        ValueError: if `env` holds several.
    """
    if env.num_envs != 1:
        raise ValueError(f"episodes() plays one environment, this holds {env.num_envs}")
    for episode_seed in count(seed):
        yield _episode(player, env, episode_seed, explore)


def _episode(player: Player, env: Environment, seed: int, explore: bool) -> Iterator[Frame]:
    observations, _ = env.reset(seed=seed)
    state = player.initial_state(1)
    frame = Frame(env.draw(0), seed, 0, 0.0, (), False)
    yield frame
    while not frame.ended:
        actions, state = player.act(observations, state, explore=explore)
        observations, rewards, terminated, truncated, infos = env.step(actions)
        over = bool(game_over(terminated, truncated, infos)[0])
        state = carry_on(state, rewards, np.zeros(1, bool))
        frame = Frame(
            env.draw(0),
            seed,
            frame.step + 1,
            frame.return_ + float(rewards[0]),
            tuple(np.ravel(actions[0]).tolist()),
            over,
        )
        if not over and (terminated[0] or truncated[0]):  # a life lost
            observations, _ = env.reset(options={"reset_mask": terminated | truncated})
        yield frame
