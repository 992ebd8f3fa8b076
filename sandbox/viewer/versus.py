"""Several players at one game, people or agents, each with its own view of it."""

from collections.abc import Sequence

import numpy as np

from sandbox.learner import State
from sandbox.viewer.episode import Player


class Versus:
    """One `Player` for each of an environment's controls, as one `Player`.

    The environment's observations [N, players, ...] hold a view for each, and its actions [N, players] a move of each.
    Its rewards are one player's: an agent that wants its last one (`r2d2`) plays as if it were 0.
    """

    def __init__(self, players: Sequence[Player]) -> None:
        self._players = tuple(players)

    def initial_state(self, num_envs: int) -> tuple[State, ...]:
        return tuple(player.initial_state(num_envs) for player in self._players)

    def act(
        self, observations: np.ndarray, state: tuple[State, ...], *, explore: bool
    ) -> tuple[np.ndarray, tuple[State, ...]]:
        """Every player's action, [N, players] int64, and what each carries."""
        moves = [
            player.act(observations[:, place], carried, explore=explore)
            for place, (player, carried) in enumerate(zip(self._players, state, strict=True))
        ]
        return np.stack([actions for actions, _ in moves], 1), tuple(carried for _, carried in moves)
