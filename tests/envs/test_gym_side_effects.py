"""Side effects of environments: shared arrays and spaces, late draws, settings of the program, prints."""

import os
import random
import signal
import sys
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from sandbox.envs.gym import GymConfig


class Plain(gymnasium.Env[Any, Any]):
    """Ten steps of seeded observations; subclasses spoil something."""

    metadata: ClassVar = {"render_modes": ["rgb_array"]}
    observation_space: spaces.Space = spaces.Box(-1, 1, (4,))
    action_space: spaces.Space = spaces.Discrete(3)
    render_mode = None
    now = 0

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def _observation(self) -> Any:
        return self.np_random.uniform(-1, 1, 4).astype(np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.now = 0
        return self._observation(), {}

    def step(self, action: int) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self.now += 1
        return self._observation(), 1.0, self.now == 10, False, {}


class Reused(Plain):
    """Observations and frames are views of the same arrays again and again."""

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(render_mode)
        self.memory, self.frame = np.zeros(4, np.float32), np.zeros((4, 6, 3), np.uint8)

    def _observation(self) -> Any:
        self.memory[:] = self.now / 10
        return self.memory

    def render(self) -> np.ndarray:  # type: ignore[override]
        self.frame[:] = self.now
        return self.frame


class Samples(Plain):
    """It samples from spaces that all copies share."""

    def _observation(self) -> Any:
        return self.observation_space.sample() + np.float32(self.action_space.sample())


class Late(Plain):
    """It draws from `random`, after 150 calls."""

    calls = 0

    def _observation(self) -> Any:
        self.calls += 1
        return np.full(4, random.random() if self.calls > 150 else 0, np.float32)


class Meddler(Plain):
    """It changes settings of the whole program."""

    in_steps = False

    def _meddle(self) -> None:
        os.chdir("/")
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        np.seterr(all="raise")
        torch.set_grad_enabled(False), torch.set_default_dtype(torch.float64), torch.set_num_threads(3)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        print("loading")
        if not self.in_steps:
            self._meddle()
        return super().reset(seed=seed)

    def step(self, action: int) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        print("stepping")
        if self.in_steps:
            self._meddle()
        return super().step(action)

    def close(self) -> None:
        sys.stdout = None  # type: ignore[assignment]
        raise RuntimeError("closed before")


class StepMeddler(Meddler):
    """It changes them in its steps."""

    in_steps = True


for _kind in (Reused, Samples, Late, Meddler, StepMeddler):
    gymnasium.register(f"{_kind.__name__}-v0", _kind)


def play(env: Any, steps: int) -> list[list[float]]:
    """Return the first numbers that all copies observe."""
    seen = []
    for _ in range(steps):
        observations, _, terminated, truncated, _ = env.step(np.zeros(env.num_envs, int))
        if (ended := terminated | truncated).any():
            observations = env.reset(options={"reset_mask": ended})[0]
        seen.append(observations[:, 0].tolist())
    return seen


def test_arrays_that_are_used_again_are_copied() -> None:
    env = GymConfig(id="Reused-v0").make(1, for_people=True)
    first, _ = env.reset(seed=0)
    frames, seen = [env.render_frame(0)], [first]
    for _ in range(3):
        seen.append(env.step(np.zeros(1, int))[0])
        frames.append(env.render_frame(0))
    assert [float(observation[0, 0]) for observation in seen] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert [int(frame[0, 0, 0]) for frame in frames] == [0, 1, 2, 3]
    assert all(frame.flags.writeable for frame in frames)


def test_samples_of_spaces_are_seeded_for_each_copy(capsys: pytest.CaptureFixture[str]) -> None:
    config = GymConfig(id="Samples-v0")
    config.examine(renders=False, together=True)
    assert "does not repeat itself" not in capsys.readouterr().err
    one, two = config.make(1), config.make(2)
    one.reset(seed=5), two.reset(seed=5)
    alone = play(one, 35)
    assert [row[0] for row in play(two, 35)] == [row[0] for row in alone]
    other = config.make(1)
    other.load_state_dict(one.state_dict())
    assert play(other, 15) == play(one, 15)


def test_draws_from_random_are_found_late(capsys: pytest.CaptureFixture[str]) -> None:
    env = GymConfig(id="Late-v0").make(1)
    env.reset(seed=0)
    play(env, 100)
    assert "draws from `random`" not in capsys.readouterr().err
    play(env, 60)
    assert "env.id=Late-v0: draws from `random`, but not in its first steps" in capsys.readouterr().err
    random.seed(1)
    seen = []
    for _ in range(2):
        env.reset(seed=3)
        seen.append(play(env, 5))
        random.random()
    assert seen[0] == seen[1]


@pytest.mark.parametrize(("kind", "steps"), [("Meddler", 3), ("StepMeddler", 120)])
def test_settings_of_the_program_are_put_back(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, steps: int
) -> None:
    monkeypatch.chdir(tmp_path)
    threads, errors, handler, output = torch.get_num_threads(), np.geterr(), signal.getsignal(signal.SIGINT), sys.stdout
    env = GymConfig(id=f"{kind}-v0").make(2)
    env.reset(seed=0)
    play(env, steps)
    env.close()
    assert Path.cwd() == tmp_path
    assert (np.geterr(), signal.getsignal(signal.SIGINT)) == (errors, handler)
    assert (torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_num_threads()) == (
        True,
        torch.float32,
        threads,
    )
    assert sys.stdout is output
    said = capsys.readouterr()
    assert said.out == ""
    assert "loading" in said.err
    assert "stepping" in said.err
    assert said.err.count("close raised RuntimeError: closed before") == 1
