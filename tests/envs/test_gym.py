"""Gymnasium ids through our interface: the same results as `gymnasium.make`, and saved states."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from pydantic import ValidationError

from sandbox.core.errors import UserError
from sandbox.envs.gym import GymConfig
from sandbox.interfaces.environment import RenderError, spec_of


class Stubborn(gymnasium.Env[np.ndarray, int]):
    """An environment with randomness that `reset(seed=...)` does not seed; its actions count from 5."""

    observation_space = spaces.Box(0, 1, (1,), np.float64)
    action_space = spaces.Discrete(2, start=5)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        return np.random.default_rng().random(1), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        assert action in (5, 6)
        return np.random.default_rng().random(1), float(action), False, False, {}


class Counts(Stubborn):
    """An environment with empty observations; the reward is the number of the episode."""

    episode = 0

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        self.episode += 1
        return np.zeros(1), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return np.zeros(1), float(self.episode), False, False, {}


class Renderer(Stubborn):
    """`Stubborn` with frames."""

    metadata: ClassVar = {"render_modes": ["rgb_array"]}

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def render(self) -> np.ndarray:  # type: ignore[override]
        return np.zeros((1, 1, 3), np.uint8)


gymnasium.register("Renderer-v0", Renderer, disable_env_checker=True)
gymnasium.register("Counts-v0", Counts, disable_env_checker=True)
gymnasium.register("Stubborn-v0", Stubborn, disable_env_checker=True)


def test_the_same_frames_as_gymnasium() -> None:
    ours, theirs = GymConfig(id="CartPole-v1").make(2), gymnasium.make("CartPole-v1")
    assert np.array_equal(ours.reset(seed=7)[0][1], theirs.reset(seed=8)[0])
    for step in range(9):
        observations, rewards, terminated, truncated, _ = ours.step(np.array([0, step % 2]))
        observation, reward, *ends, _ = theirs.step(step % 2)
        assert np.array_equal(observations[1], observation)
        assert (rewards[1], terminated[1], truncated[1]) == (reward, *ends)
    assert ours.render_frame(1).shape == (400, 600, 3)


def test_the_time_limit_truncates_and_shows_the_last_observation() -> None:
    env = GymConfig(id="CartPole-v1", options={"max_episode_steps": 3}).make(1)
    first, _ = env.reset(seed=0)
    for _ in range(3):
        last, _, terminated, truncated, _ = env.step(np.array([1]))
    assert (terminated[0], truncated[0]) == (False, True)
    assert not np.array_equal(last, first)
    with pytest.raises(RuntimeError, match=r"environments \[0\] have not been reset"):
        env.step(np.array([1]))


@pytest.mark.parametrize("name", ["CartPole-v1", "FrozenLake-v1", "LunarLander-v3"])
def test_a_restored_environment_has_the_same_future(name: str) -> None:
    env, other = GymConfig(id=name).make(3), GymConfig(id=name).make(3)
    env.reset(seed=1)
    env.action_space.seed(0)
    for step in range(90):
        if step % 30 == 15:
            other.load_state_dict(env.state_dict())
        actions = env.action_space.sample()
        results = env.step(actions)
        ended = results[2] | results[3]
        fresh = env.reset(options={"reset_mask": ended})[0] if ended.any() else None
        if step >= 15:
            for a, b in zip(results[:4], other.step(actions)[:4], strict=True):
                assert np.array_equal(a, b)
            if fresh is not None:
                assert np.array_equal(fresh, other.reset(options={"reset_mask": ended})[0])


def test_episodes_of_one_environment_differ_and_do_not_depend_on_its_neighbors() -> None:
    alone, many = GymConfig(id="CartPole-v1").make(1), GymConfig(id="CartPole-v1").make(2)
    starts = [alone.reset(seed=3)[0][0], alone.reset()[0][0]]
    assert not np.array_equal(*starts)
    assert np.array_equal(many.reset(seed=3)[0][0], starts[0])
    assert np.array_equal(many.reset(options={"reset_mask": np.array([True, False])})[0][0], starts[1])


def test_other_observations_become_one_vector_and_actions_count_from_zero() -> None:
    lake = GymConfig(id="FrozenLake-v1").make(1)
    observations, _ = lake.reset(seed=0)
    assert observations.dtype == np.float32
    assert observations.tolist() == [[1.0] + [0.0] * 15]
    assert spec_of(GymConfig(id="Blackjack-v1").make(1)).shape == (32 + 11 + 2,)
    env = GymConfig(id="Stubborn-v0").make(1)
    env.reset(seed=0)
    assert spec_of(env).num_actions == 2
    assert env.step(np.array([1]))[1] == 6.0


def test_images_have_their_channels_first() -> None:
    env = GymConfig(id="CarRacing-v3", options={"continuous": False}).make(1)
    observations, _ = env.reset(seed=0)
    assert (observations.shape, observations.dtype) == ((1, 3, 96, 96), np.uint8)
    assert env.single_observation_space.contains(observations[0])


def test_only_rendered_copies_have_a_render_mode_and_they_continue_unchanged() -> None:
    """With a render mode LunarLander keeps a body for every puff of its engines, which must not change the episode."""
    ours, plain = GymConfig(id="LunarLander-v3").make(2), GymConfig(id="LunarLander-v3").make(2)
    assert [env.render_mode for env in ours.envs] == [None, None]
    starts = [env.reset(seed=4)[0] for env in (ours, plain)]
    assert np.array_equal(*starts)
    ended = np.zeros(2, bool)
    for step in range(60):
        results = [env.step(np.array([2, step % 4])) for env in (ours, plain)]
        for a, b in zip(*(result[:4] for result in results), strict=True):
            assert np.array_equal(a, b)
        ended = results[0][2] | results[0][3]
        if step == 25:
            assert ours.render_frame(1).shape == (400, 600, 3)
            assert [env.render_mode for env in ours.envs] == [None, "rgb_array"]
        if ended.any():
            assert np.array_equal(*(env.reset(options={"reset_mask": ended})[0] for env in (ours, plain)))
    assert [len(env.unwrapped.particles) for env in plain.envs] == [0, 0]
    assert len(ours.envs[1].unwrapped.particles) > 0


def test_a_copy_is_rendered_as_gymnasium_renders_it() -> None:
    """In the middle of an episode, at its end, and before its next step."""
    ours, theirs = GymConfig(id="CartPole-v1").make(2), gymnasium.make("CartPole-v1", render_mode="rgb_array")
    ours.reset(seed=7), theirs.reset(seed=8)
    over, step = False, 0
    while not over:
        ours.step(np.array([step % 2, 1]))
        over, step = theirs.step(1)[2], step + 1
    assert np.array_equal(ours.render_frame(1), theirs.render())
    with pytest.raises(RuntimeError, match=r"environments \[1\] have not been reset"):
        ours.step(np.array([0, 1]))
    ours.reset(options={"reset_mask": np.array([False, True])})
    assert not np.array_equal(ours.render_frame(1), theirs.render())


def test_what_cannot_be_restored_is_cut_and_begins_anew(capsys: pytest.CaptureFixture[str]) -> None:
    """The saved observation is the truncated episode's last one; the reward is none; a new episode follows."""
    for name in ("Stubborn-v0", "Counts-v0"):
        env = GymConfig(id=name).make(2)
        env.reset(seed=0), env.reset()
        last = env.step(np.array([0, 1]))[0]
        other = GymConfig(id=name).make(2)
        other.load_state_dict(env.state_dict())
        said = capsys.readouterr().err
        assert said.startswith(f"note: env.id={name}: 2 of 2 episodes cannot go on where they were saved, so they are")
        observations, rewards, terminated, truncated, _ = other.step(np.array([1, 1]))
        assert np.array_equal(observations, last)
        assert (rewards.tolist(), terminated.tolist(), truncated.tolist()) == ([0, 0], [False] * 2, [True] * 2)
        other.reset(options={"reset_mask": truncated})
        assert other.step(np.array([1, 1]))[3].tolist() == [False, False]
        capsys.readouterr()


def test_states_of_others_and_frames_that_are_none() -> None:
    env = GymConfig(id="Stubborn-v0").make(1)
    env.reset(seed=0)
    with pytest.raises(UserError, match="other options of gym: id is Stubborn-v0 there, CartPole-v1 here"):
        GymConfig(id="CartPole-v1").make(1).load_state_dict(env.state_dict())
    slippery, dry = (GymConfig(id="FrozenLake-v1", options={"is_slippery": wet}).make(1) for wet in (True, False))
    slippery.reset(seed=0)
    with pytest.raises(UserError, match=r"options is {'is_slippery': True} there, {'is_slippery': False} here"):
        dry.load_state_dict(slippery.state_dict())
    with pytest.raises(RenderError, match="Stubborn-v0 cannot be shown: it has no render_mode 'rgb_array'"):
        env.render_frame(0)
    renderer = GymConfig(id="Renderer-v0").make(1)
    renderer.reset(seed=0)
    with pytest.raises(RenderError, match="Renderer-v0 cannot be shown: the same seed and actions do not lead"):
        renderer.render_frame(0)
    shown = GymConfig(id="Renderer-v0").make(1, for_people=True)
    shown.reset(seed=0)
    assert shown.render_frame(0).shape == (1, 1, 3)


def test_an_action_is_kept_as_it_was_given() -> None:
    env, buffer = GymConfig(id="Pendulum-v1").make(1), np.zeros((1, 1), np.float32)
    env.reset(seed=3)
    for action in (1.0, -2.0, 0.5):
        buffer[...] = action
        env.step(buffer)
    GymConfig(id="Pendulum-v1").make(1).load_state_dict(env.state_dict())


def test_an_environment_that_never_started_can_be_saved() -> None:
    GymConfig(id="CartPole-v1").make(2).load_state_dict(GymConfig(id="CartPole-v1").make(2).state_dict())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a:b:c", {}),
        (":CartPole-v1", {}),
        ("CartPole-v1", {"max_episode_steps": -5}),
        ("FrozenLake-v1", {"map_name": "9x9"}),
    ],
)
def test_errors_of_other_code_are_reported(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=f"env.id={name} cannot be made: "):
        GymConfig(id=name, options=options).make(1)


def test_keys_have_actions() -> None:
    with pytest.raises(UserError, match=r"env.keys={'b': 99}: CartPole-v1 has the actions Discrete\(2\)"):
        GymConfig(id="CartPole-v1", keys={"b": 99}).make(1)


def test_mistakes_are_named() -> None:
    with pytest.raises(
        ValidationError, match=r"Gymnasium has no environment 'LunarLandr-v3'. Did you mean 'LunarLander-v3'"
    ):
        GymConfig(id="LunarLandr-v3")
    with pytest.raises(ValidationError, match=r"is an Atari game: use env='{name: atari, game: pong}'"):
        GymConfig(id="ALE/Pong-v5")
    with pytest.raises(UserError, match=r"env.id=CartPole-v1 cannot be made: .*lenght"):
        GymConfig(id="CartPole-v1", options={"lenght": 1}).make(1)
    env = GymConfig(id="CartPole-v1").make(1)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"illegal action in \[2\]; each must be in Discrete\(2\)"):
        env.step(np.array([2]))
    box = spec_of(GymConfig(id="Pendulum-v1").make(1))
    assert (box.num_actions, box.action_space) == (0, spaces.Box(-2, 2, (1,)))
