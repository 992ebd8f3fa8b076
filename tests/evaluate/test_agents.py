"""Evaluation of agents: whole games, no bias towards short ones, and a cap for endless ones."""

from typing import Any

import numpy as np
import pytest
import torch

from sandbox.evaluate import agents
from sandbox.evaluate.agents import Stopped, evaluate_agent


class Uneven:
    """Environment i has episodes of `lengths[i]` steps with a reward of 1 at each; length 0 never ends."""

    def __init__(self, *lengths: int) -> None:
        self.lengths, self.num_envs = np.array(lengths), len(lengths)
        self.now = np.zeros(self.num_envs, int)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        mask = np.ones(self.num_envs, bool) if options is None else options["reset_mask"]
        self.now[mask] = 0
        return self.now[:, None].copy(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict]:
        self.now += 1
        return (
            self.now[:, None].copy(),
            np.ones(self.num_envs),
            self.now == self.lengths,
            np.zeros(self.num_envs, bool),
            {},
        )


class Still:
    def initial_state(self, num_envs: int) -> None:
        return None

    def act(self, observations: np.ndarray, state: None, *, explore: bool) -> tuple[np.ndarray, None]:
        assert not explore
        return np.zeros(len(observations), np.int64), None


def test_short_episodes_do_not_count_more() -> None:
    """The first six episodes to finish would have a mean of 2.17."""
    scores = evaluate_agent(Still(), Uneven(1, 9), 6, seed=0)  # type: ignore[arg-type]
    assert scores["return_mean"] == 5.0
    assert scores["episodes"] == 6
    assert scores["return_ci95"] == pytest.approx(1.96 * np.std([1, 1, 1, 9, 9, 9], ddof=1) / 6**0.5)


def test_returns_are_paired_environment_by_environment() -> None:
    """The first environment ends three games, of 1 step, before the second one ends its first, of 9."""
    played = agents.play_episodes(Still(), Uneven(9, 1), 6, seed=0)  # type: ignore[arg-type]
    assert played.returns.tolist() == [1, 1, 1, 9, 9, 9]
    assert played.returns_to_pair().tolist() == [9, 9, 9, 1, 1, 1]


def test_an_endless_game_is_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "MAX_STEPS", 20)
    scores = evaluate_agent(Still(), Uneven(0, 5), 2, seed=0)  # type: ignore[arg-type]
    assert (scores["return_max"], scores["episodes_cut"]) == (20, 1)


class Lives(Uneven):
    """Every third step costs a life and waits for a reset, which goes on with the same game."""

    def __init__(self, *lengths: int) -> None:
        super().__init__(*lengths)
        self.waiting = np.zeros(len(lengths), bool)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        mask = np.ones(self.num_envs, bool) if options is None else options["reset_mask"]
        self.now[mask & ~self.waiting] = 0
        self.waiting[mask] = False
        return self.now[:, None].copy(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict]:
        assert not self.waiting.any()
        observations, rewards, over, truncated, _ = super().step(actions)
        self.waiting = (self.now % 3 == 0) & ~over
        return observations, rewards, over | self.waiting, truncated, {"life_lost": self.waiting.copy()}


class Counts:
    """An agent whose recurrent state counts its steps, and which checks that the observation is the same number."""

    def initial_state(self, num_envs: int) -> torch.Tensor:
        return torch.zeros(num_envs, 1)

    def act(self, observations: np.ndarray, state: torch.Tensor, *, explore: bool) -> tuple[np.ndarray, torch.Tensor]:
        assert state.tolist() == observations.tolist()
        return np.zeros(len(observations), np.int64), state + 1


def test_a_lost_life_ends_nothing() -> None:
    """When one game ends and another loses a life, only the state of the first is reset."""
    scores = evaluate_agent(Counts(), Lives(9, 10), 4, seed=0)  # type: ignore[arg-type]
    assert (scores["return_mean"], scores["length_mean"], scores["episodes"]) == (9.5, 9.5, 4)


def test_it_stops_when_it_is_told() -> None:
    calls = iter([False, False, True])
    with pytest.raises(Stopped):
        evaluate_agent(Still(), Uneven(0), 1, seed=0, stopping=lambda: next(calls))  # type: ignore[arg-type]
