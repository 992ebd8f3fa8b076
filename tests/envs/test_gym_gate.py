"""The gate of `gym`, with hundreds of generated environments: learned from as they are, or refused with their id."""

from contextlib import suppress
from typing import Any

import gymnasium
import numpy as np
import pytest
from gym_gate_cases import CASES, Case, Made, Quit
from gymnasium import spaces
from gymnasium.spaces.utils import flatten

from sandbox.core.errors import UserError
from sandbox.envs.gym import GymConfig, GymEnv
from sandbox.interfaces.environment import spec_of


def expected(case: Case, observation: Any) -> np.ndarray:
    """An observation as the documentation says, computed by other means."""
    space = case.space
    match space:
        case spaces.Box():
            array = np.asarray(observation, space.dtype)
            if space.dtype == np.uint8 and not (space.high == 255).all():
                array = ((array - space.low) / (space.high - space.low)).astype(np.float32)
            elif space.dtype != np.uint8:
                array = array.astype(np.float32)
            array = array.reshape(array.shape or (1,))
            if array.ndim == 3 and array.shape[2] <= array.shape[0]:
                array = np.moveaxis(array, 2, 0)
            return array
        case spaces.Dict():
            parts = [expected(Case(inner), observation[name]).ravel() for name, inner in space.items() if known(inner)]
            return np.concatenate(parts)
        case spaces.Tuple():
            return np.concatenate([expected(Case(a), b).ravel() for a, b in zip(space, observation, strict=True)])
    return flatten(space, observation).astype(np.float32)


def known(space: spaces.Space) -> bool:
    return isinstance(
        space, spaces.Box | spaces.Discrete | spaces.MultiBinary | spaces.MultiDiscrete | spaces.Dict | spaces.Tuple
    )


def play(config: GymConfig, case: Case) -> None:
    """Whole episodes of two copies next to the environment itself, frames and a restored copy included."""
    if not isinstance(case.space, spaces.Box) or case.space.shape == (4,):
        config.examine(renders=case.render is not None, together=True)
    env, raw = config.make(2), gymnasium.make(config.id, **config.options, disable_env_checker=True)
    twin = config.make(2)
    try:
        assert isinstance(env, GymEnv)
        spec = spec_of(env)
        observations, _ = env.reset(seed=3)
        assert np.array_equal(observations[0], expected(case, raw.reset(seed=3)[0]))
        env.action_space.seed(0)
        for step in range(5):
            assert observations.dtype == (np.uint8 if spec.is_bytes else np.float32)
            assert env.observation_space.contains(observations)
            actions = env.action_space.sample()
            raw.unwrapped.step(actions[0])  # type: ignore[attr-defined]
            observations, rewards, terminated, truncated, infos = env.step(actions)
            assert np.array_equal(observations[0], expected(case, raw.unwrapped.last))
            assert (rewards.tolist(), terminated.tolist(), truncated.tolist()) == ([1, 1], [step == 4] * 2, [False] * 2)
            assert infos.get("is_success", np.zeros(2)).tolist() == [step == 4] * 2
            if step == 3:
                twin.load_state_dict(env.state_dict())
        if case.render:
            assert (env.render_frame(0) == 255).all()
    finally:
        env.close(), twin.close()
        with suppress(Exception, SystemExit, Quit):
            raw.close()


PLAIN = [name for name in CASES if name.endswith(")") and " (" in name and ":" not in name]
QUICK = {*CASES} - {*PLAIN} | {*PLAIN[::4]}  # of plain arrays every fourth; the others take their turn in an attack
PARAMS = [pytest.param(name, marks=[] if name in QUICK else pytest.mark.attack) for name in CASES]


@pytest.mark.parametrize("name", PARAMS)
def test_each_is_learned_from_or_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    case, config = CASES[name], GymConfig(id="Made-v0", options={"case": name})
    Made.opened = Made.closed = 0
    if case.refused is None:
        play(config, case)
    else:
        with pytest.raises(UserError) as error:
            refuse(config)
        assert case.refused in str(error.value)
        assert "Made-v0" in str(error.value)
        assert "\n" not in str(error.value)
    assert Made.opened == Made.closed
    said = capsys.readouterr().err
    assert ("does not repeat itself" in said) is False
    assert ("is left out" in said) == name.startswith("Dict with") or said == ""


def refuse(config: GymConfig) -> None:
    env = config.make(2, for_people=True)
    try:
        env.reset(seed=0)
        for _ in range(4):
            env.step(env.action_space.sample())
        env.render_frame(0)
    finally:
        env.close()


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 250
    assert sum(case.refused is None for case in CASES.values()) >= 100
