"""The rows of experience against a tape: true last observations, resets, and the recurrent state."""

import copy
from typing import Any

import numpy as np
import pytest
import torch

from sandbox.core.rng import Rng
from sandbox.streams.actor import Actor


class Counting:
    """Two environments that show how many steps they have seen; the first ends after 2 steps, the second after 3."""

    num_envs = 2

    def __init__(self) -> None:
        self.now = np.zeros(2)
        self.ends = np.array([2, 3])

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        mask = np.ones(2, bool) if options is None else options["reset_mask"]
        self.now[mask] = 0
        return self.now[:, None].copy(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict]:
        self.now += 1
        ended = self.now == self.ends
        # the first terminates, the second is truncated
        return self.now[:, None].copy(), np.array([1.0, 10.0]), ended & [True, False], ended & [False, True], {}


class Remembers:
    """An agent whose state counts its steps since the episode's start; it must equal the observation."""

    def initial_state(self, num_envs: int) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.zeros(num_envs, 3), torch.zeros(num_envs)

    def act(self, observations: np.ndarray, state: Any, *, explore: bool) -> tuple[np.ndarray, Any]:
        assert explore
        assert state[1].tolist() == observations[:, 0].tolist()
        assert state[0][:, 0].tolist() == observations[:, 0].tolist()
        return np.zeros(2, np.int64), (state[0] + 1, state[1] + 1)


def test_the_tape() -> None:
    actor = Actor(Counting(), Remembers(), Rng(0))  # type: ignore[arg-type]
    steps = [actor.step() for _ in range(6)]
    assert [s.observations[:, 0].tolist() for s in steps] == [[0, 0], [1, 1], [0, 2], [1, 0], [0, 1], [1, 2]]
    assert [s.next_observations[:, 0].tolist() for s in steps] == [[1, 1], [2, 2], [1, 3], [2, 1], [1, 2], [2, 3]]
    assert [s.terminated.tolist() for s in steps] == [[0, 0], [1, 0], [0, 0], [1, 0], [0, 0], [1, 0]]
    assert [s.truncated.tolist() for s in steps] == [[0, 0], [0, 0], [0, 1], [0, 0], [0, 0], [0, 1]]


def test_scores_are_of_whole_episodes_and_told_once() -> None:
    actor = Actor(Counting(), Remembers(), Rng(0))  # type: ignore[arg-type]
    actor.step()
    assert actor.metrics() == {}
    for _ in range(5):
        actor.step()
    assert actor.metrics() == {
        "env/return": (2 + 2 + 2 + 30 + 30) / 5,
        "env/length": (2 + 2 + 2 + 3 + 3) / 5,
        "env/episodes": 5,
    }
    assert actor.metrics() == {}


class Lives(Counting):
    """The first environment's terminations are lost lives: its game goes on for ever."""

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict]:
        *results, _ = super().step(actions)
        return *results, {"life_lost": results[2]}


def test_a_lost_life_ends_an_episode_for_the_learner_but_not_the_score() -> None:
    """The row is terminal, the recurrent state starts anew, and the game's score counts on."""
    actor = Actor(Lives(), Remembers(), Rng(0))  # type: ignore[arg-type]
    steps = [actor.step() for _ in range(6)]
    assert [s.terminated.tolist() for s in steps] == [[0, 0], [1, 0], [0, 0], [1, 0], [0, 0], [1, 0]]
    assert actor.metrics() == {"env/return": 30.0, "env/length": 3.0, "env/episodes": 2.0}


class Seeded(Counting):
    """Writes down its seeds."""

    def __init__(self) -> None:
        super().__init__()
        self.seeds: list[int | None] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        self.seeds.append(seed)
        return super().reset(seed=seed, options=options)


def test_environments_are_seeded_once_from_their_own_random_stream() -> None:
    for seed in range(8):  # some of them begin with a number beyond 31 bits
        env = Seeded()
        actor = Actor(env, Remembers(), Rng(seed))  # type: ignore[arg-type]
        for _ in range(3):
            actor.step()
        assert env.seeds == [Rng(seed).integer("env") % 2_147_483_648, None, None]


class Judged(Counting):
    """The first environment's episodes are successes in turn with failures; the second says nothing of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict]:
        *results, _ = super().step(actions)
        self.count += int(results[2][0])
        said = np.array([bool(results[2][0]), False])
        return *results, {"is_success": np.array([self.count % 3 != 0, True]), "_is_success": said}

    def state_dict(self) -> dict[str, Any]:
        return {"now": self.now, "count": self.count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.now, self.count = state["now"], state["count"]


def test_successes_are_a_rate_over_the_games_that_say_so_and_are_told_once() -> None:
    actor, other = (Actor(Judged(), Remembers(), Rng(0)) for _ in range(2))  # type: ignore[arg-type]
    for _ in range(6):  # three games, of which the third is no success
        actor.step()
    other.load_state_dict(copy.deepcopy(actor.state_dict()))
    for each in (actor, other):
        assert each.metrics()["env/success_rate"] == pytest.approx(2 / 3)
        assert each.metrics() == {}
    assert "successes" not in actor.state_dict()
    for _ in range(2):
        actor.step()
    assert actor.metrics()["env/success_rate"] == 1
