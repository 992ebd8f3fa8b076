"""Atari in Gymnasium's own loops: its three autoreset modes, frames, and FIRE after lost lives."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from sandbox.core.errors import UserError
from sandbox.envs.atari import AtariConfig

GAME: dict[str, Any] = {"game": "breakout", "max_frames": 400, "sticky": 0.25, "noop_max": 3, "workers": 1}


@pytest.mark.parametrize("mode", AutoresetMode)
def test_every_mode_agrees_with_gymnasium(mode: AutoresetMode) -> None:
    """Lost lives and truncated games, next to the same games one by one in Gymnasium's `SyncVectorEnv`."""
    sync = SyncVectorEnv([lambda: gymnasium.make("Sandbox/Atari-v0", **GAME)] * 3, autoreset_mode=mode)
    vector = gymnasium.make_vec("Sandbox/Atari-v0", num_envs=3, autoreset_mode=mode, **GAME)
    assert vector.metadata["autoreset_mode"] is mode
    vector.action_space.seed(0)
    assert np.array_equal(vector.reset(seed=3)[0], sync.reset(seed=3)[0])
    ends = 0
    for _ in range(150):
        actions = vector.action_space.sample()
        ours, theirs = vector.step(actions), sync.step(actions)
        for a, b in zip(ours[:4], theirs[:4], strict=True):
            assert np.array_equal(a, b)
        ended = ours[2] | ours[3]
        ends += ended.sum()
        if mode is AutoresetMode.SAME_STEP and ended.any():
            for a, b in zip(ours[4]["final_obs"][ended], theirs[4]["final_obs"][ended], strict=True):
                assert np.array_equal(a, b)
        if mode is AutoresetMode.DISABLED and ended.any():
            options = {"reset_mask": ended}
            assert np.array_equal(vector.reset(options=dict(options))[0], sync.reset(options=dict(options))[0])
    assert ends >= 6


def test_frames_and_states() -> None:
    env: Any = gymnasium.make_vec("Sandbox/Atari-v0", num_envs=2, render_mode="rgb_array", **GAME)
    env.reset(seed=0)
    assert [frame.shape for frame in env.render()] == [(420, 480, 3)] * 2
    env.load_state_dict(env.state_dict())
    while not env._ended.any():
        env.step(env.action_space.sample())
    with pytest.raises(UserError, match="a game waits for its reset"):
        env.state_dict()
    env.close()


@pytest.mark.parametrize("fires", [True, False])
def test_fire_is_pressed_after_a_lost_life(fires: bool) -> None:
    """Without FIRE, Breakout shows no ball, and nothing moves but the paddle."""
    env = AtariConfig(game="breakout", noop_max=0, fire_on_reset=fires, workers=1).bare(1)
    env.reset(seed=0)
    fire = np.array([1])
    for _ in range(200):
        *_, terminated, _, infos = env.step(fire)
        if terminated[0]:
            break
    assert infos["life_lost"][0]
    env.reset(options={"reset_mask": terminated})
    noop = np.array([0])
    frames = [env.step(noop)[0] for _ in range(12)]
    moved = any(not np.array_equal(frames[4], frame) for frame in frames[5:])
    assert moved == fires


def test_a_game_without_fire_is_left_alone() -> None:
    config = AtariConfig(game="freeway", fire_on_reset=True, actions="full", workers=1)
    games = [each.bare(1) for each in (config, config.model_copy(update={"fire_on_reset": False}))]
    assert np.array_equal(*(game.reset(seed=0)[0] for game in games))
