"""Steps, resets and returns against a tape, with lost lives and games that are given up."""

from typing import Any

import numpy as np

from sandbox.environments.interaction import Interaction


class Tape:
    """Observations count the steps of a game; games end after 5 and 4 steps, and the first one loses a life at 2."""

    num_envs = 2

    def __init__(self) -> None:
        self.age, self.resets = np.zeros(2), list[list[bool]]()
        self.waiting_for_life = np.zeros(2, bool)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        mask = np.ones(2, bool) if options is None else options["reset_mask"]
        self.resets.append(mask.tolist())
        self.age[mask & ~self.waiting_for_life] = 0
        self.waiting_for_life[mask] = False
        return self.age[:, None].copy(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict]:
        self.age += 1
        self.waiting_for_life = self.age == [2, -1]
        terminated, truncated = self.waiting_for_life | (self.age == [5, -1]), self.age == [-1, 4]
        return self.age[:, None].copy(), 10 * self.age, terminated, truncated, {"life_lost": self.waiting_for_life}

    def state_dict(self) -> dict[str, Any]:
        return {"age": self.age.copy()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.age = state["age"].copy()


def test_a_step_shows_the_true_last_observation_and_the_next_episode_begins_on_request() -> None:
    games = Interaction(tape := Tape())  # type: ignore[arg-type]
    games.start(0)
    for _ in range(3):
        games.step(np.zeros(2, np.int64))
        games.next_episodes()
    step = games.step(np.ones(2, np.int64), state="before")
    assert step.observations.tolist() == [[3], [3]]
    assert step.next_observations.tolist() == games.observations.tolist() == [[4], [4]]
    assert (step.ended.tolist(), step.truncated.tolist(), step.state) == ([False, True], [False, True], "before")
    games.next_episodes()
    assert games.observations.tolist() == [[4], [0]]
    assert tape.resets == [[True, True], [True, False], [False, True]]


def test_a_lost_life_ends_an_episode_but_not_the_game() -> None:
    games = Interaction(Tape())  # type: ignore[arg-type]
    games.start(0)
    over, returns, lengths = [], [], []
    for _ in range(5):
        step = games.step(np.zeros(2, np.int64))
        over.append(games.is_over.tolist())
        returns.append(games.returns.tolist())
        lengths.append(games.lengths.tolist())
        assert step.ended.tolist() == [len(over) in (2, 5), len(over) == 4]
        games.next_episodes()
    assert over == [[False, False]] * 3 + [[False, True], [True, False]]
    assert returns == [[10, 10], [30, 30], [60, 60], [100, 100], [150, 10]]
    assert lengths == [[1, 1], [2, 2], [3, 3], [4, 4], [5, 1]]
    assert games.returns.tolist() == [0, 10]


def test_a_game_of_the_maximum_length_is_given_up() -> None:
    games = Interaction(tape := Tape(), max_length=3)  # type: ignore[arg-type]
    games.start(0)
    for _ in range(3):
        step = games.step(np.zeros(2, np.int64))
        assert games.is_over.tolist() == [games.lengths[0] == 3] * 2
        kept = games.returns.tolist()
        games.next_episodes()
    assert not step.ended.any()
    assert kept == [60, 60]
    assert tape.resets[-1] == [True, True]
    assert games.lengths.tolist() == [0, 0]


def test_a_restored_interaction_goes_on_as_the_saved_one() -> None:
    games, other = Interaction(Tape()), Interaction(Tape())  # type: ignore[arg-type]
    games.start(0)
    games.step(np.zeros(2, np.int64))
    games.next_episodes()
    other.load_state_dict({name: np.copy(part) if name != "env" else part for name, part in games.state_dict().items()})
    for each in (games, other):
        each.step(np.zeros(2, np.int64))
    assert other.observations.tolist() == games.observations.tolist()
    assert (other.returns.tolist(), other.lengths.tolist()) == (games.returns.tolist(), games.lengths.tolist())
