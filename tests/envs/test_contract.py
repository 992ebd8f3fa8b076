"""The contract of every batch program under envs/: checkers, determinism, make = make_vec, saved states.

`atari` and `gym` are no batch programs and have tests of their own.
"""

import importlib
import itertools
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from sandbox.core.errors import UserError
from sandbox.environments.batch import BatchEnv, BatchEnvConfig
from sandbox.envs import id_of
from sandbox.envs._gymnasium import config_of
from sandbox.runs import registry
from sandbox.runs.contracts.environments import CONTRACTS

ALL = registry.names("envs")
NAMES = [name for name in ALL if issubclass(registry.config_class("envs", name), BatchEnvConfig)]
OBSERVE = ["pixels", "features"]
EVERY = list(itertools.product(NAMES, OBSERVE))
VARIANTS: list[tuple[str, dict[str, Any]]] = [  # options that bring state or randomness of their own
    ("deep_sea", {"deterministic": False}),
    ("key_door", {"view": "partial"}),
    ("key_door", {"size": 7, "curriculum": True, "grow_after": 1}),
    ("key_door", {"size": 15, "walls": 1.0}),
    ("memory_chain", {"num_bits": 9}),
    ("pong", {"players": 2}),
    ("snake", {"wrap": True, "size": 5}),
    ("snake", {"max_steps": 3}),
    ("snake", {"size": 31}),
]


@pytest.mark.parametrize(("name", "observe"), EVERY)
def test_checkers_have_nothing_to_say(name: str, observe: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(id_of(name), observe=observe, render_mode="rgb_array").unwrapped)
        sb3_check_env(gymnasium.make(id_of(name), observe=observe))


@pytest.mark.parametrize(("name", "observe"), EVERY)
def test_make_and_make_vec_agree(name: str, observe: str) -> None:
    """The same seeds and actions give the same observations, rewards and ends of episodes, with NEXT_STEP autoreset."""
    single = [gymnasium.make(id_of(name), observe=observe) for _ in range(3)]
    vector = gymnasium.make_vec(id_of(name), num_envs=3, observe=observe)
    sync = gymnasium.vector.SyncVectorEnv([lambda env=env: env for env in single])
    vector.action_space.seed(0)
    ours, theirs = vector.reset(seed=7)[0], sync.reset(seed=7)[0]
    assert np.array_equal(ours, theirs)
    for _ in range(1_000):
        actions = vector.action_space.sample()
        for a, b in zip(vector.step(actions)[:4], sync.step(actions)[:4], strict=True):
            assert np.array_equal(a, b)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
def test_other_autoreset_modes_agree_with_gymnasium(name: str, mode: AutoresetMode) -> None:
    make: Any = lambda: gymnasium.make(id_of(name), observe="features")  # noqa: E731
    sync = gymnasium.vector.SyncVectorEnv([make] * 3, autoreset_mode=mode)
    vector = gymnasium.make_vec(id_of(name), num_envs=3, observe="features", autoreset_mode=mode)
    vector.action_space.seed(0)
    vector.reset(seed=3), sync.reset(seed=3)
    for _ in range(300):
        actions = vector.action_space.sample()
        ours, theirs = vector.step(actions), sync.step(actions)
        for a, b in zip(ours[:4], theirs[:4], strict=True):
            assert np.array_equal(a, b)
        assert ("final_obs" in ours[4]) == ("final_obs" in theirs[4])
        ended = ours[2] | ours[3]
        if "final_obs" in ours[4]:
            for a, b in zip(ours[4]["final_obs"][ended], theirs[4]["final_obs"][ended], strict=True):
                assert np.array_equal(a, b)
        if mode is AutoresetMode.DISABLED and ended.any():
            options = {"reset_mask": ended}
            assert np.array_equal(vector.reset(options=dict(options))[0], sync.reset(options=dict(options))[0])


@pytest.mark.parametrize(("name", "observe"), EVERY)
def test_a_restored_environment_has_the_same_future(name: str, observe: str) -> None:
    """States of 100 random steps are restored into another copy; its next 20 steps, with resets, are the same."""
    env, other = (config_of(name, {"observe": observe}).make(3) for _ in range(2))
    moments = set(np.random.default_rng(0).choice(400, 100, replace=False).tolist())
    env.action_space.seed(0)
    env.reset(seed=1), other.reset(seed=99)
    tape, saved = [], {}
    for step in range(420):
        if step in moments:
            saved[step] = env.state_dict(), env.render_frame(0)
        tape.append((actions := env.action_space.sample(), play(env, actions)))
    for step, (state, frame) in saved.items():
        other.load_state_dict(state)
        assert np.array_equal(other.render_frame(0), frame)
        for actions, results in tape[step : step + 20]:
            for a, b in zip(results, play(other, actions), strict=True):
                assert np.array_equal(a, b)


@pytest.mark.parametrize(("name", "options"), [*((name, {}) for name in NAMES), *VARIANTS])
def test_what_sandbox_check_asks_of_others_holds_here(name: str, options: dict[str, Any]) -> None:
    for contract in CONTRACTS:
        contract(config_of(name, {"observe": "features", **options}).make)


def play(env: BatchEnv, actions: np.ndarray) -> tuple[np.ndarray, ...]:
    """Take one step, and reset the copies whose episode it ends."""
    *results, _ = env.step(actions)
    ended = results[2] | results[3]
    fresh = env.reset(options={"reset_mask": ended})[0] if ended.any() else results[0]
    return *results, fresh


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_state_is_a_copy(name: str) -> None:
    env = config_of(name, {}).make(2)
    env.reset(seed=1)
    saved = env.state_dict()
    before = {key: value.copy() for key, value in saved.items()}
    env.step(np.array([env.single_action_space.sample() for _ in range(2)]))
    assert all(np.array_equal(saved[key], before[key]) for key in saved)


@pytest.mark.parametrize("name", NAMES)
def test_a_foreign_state_is_refused(name: str) -> None:
    env = config_of(name, {}).make(2)
    with pytest.raises(UserError, match="this state belongs to another environment"):
        env.load_state_dict({"something": np.zeros(2)})
    with pytest.raises(UserError, match="this state belongs to another num_envs: 3 there, 2 here"):
        env.load_state_dict(config_of(name, {}).make(3).state_dict())


@pytest.mark.parametrize("name", ALL)
def test_docstrings_say_what_a_player_must_know(name: str) -> None:
    document = importlib.import_module(f"sandbox.envs.{name}").__doc__
    assert document
    for section in ("Rules:", "Observation:", "Actions:", "Reward:", "Episode:", "Best return:", "Paper:"):
        assert f"\n{section}" in document


@pytest.mark.parametrize("name", NAMES)
def test_the_frame_has_at_least_three_colors_and_the_keyboard_has_keys(name: str) -> None:
    env = config_of(name, {}).make(1)
    assert env.controls
    assert all(controls.keys for controls in env.controls)
    env.reset(seed=0)
    frame = env.render_frame(0)
    assert frame.dtype == np.uint8
    assert frame.ndim == 3
    assert frame.shape[2] == 3
    assert len(np.unique(frame.reshape(-1, 3), axis=0)) >= 3


@pytest.mark.parametrize(
    ("name", "there", "here"),
    [("deep_sea", {"size": 40}, {}), ("snake", {"wrap": True}, {}), ("t_maze", {"length": 100}, {"length": 3})],
)
def test_a_state_of_other_options_is_refused(name: str, there: dict[str, Any], here: dict[str, Any]) -> None:
    """The state is refused although its arrays have the right shapes."""
    option = next(iter(there))
    with pytest.raises(UserError, match=f"this state belongs to other options of {name}: {option} is {there[option]}"):
        config_of(name, here).make(2).load_state_dict(config_of(name, there).make(2).state_dict())
    config_of(name, {"observe": "features"}).make(2).load_state_dict(config_of(name, {}).make(2).state_dict())


def test_an_option_younger_than_a_state_passes_and_one_that_is_no_more_does_not() -> None:
    env = config_of("deep_sea", {"size": 8}).make(2)
    env.reset(seed=0)
    state = env.state_dict()
    rules = {key: value for key, value in state["rules"].items() if key != "move_cost"}
    env.load_state_dict(state | {"rules": rules})
    with pytest.raises(UserError, match="this state belongs to other options of deep_sea: depth is 3 there, None here"):
        env.load_state_dict(state | {"rules": rules | {"depth": 3}})


def test_no_mode_steps_what_was_never_reset() -> None:
    for mode in AutoresetMode:
        with pytest.raises(RuntimeError, match=r"environments \[0, 1\] have not been reset"):
            gymnasium.make_vec(id_of("catch"), num_envs=2, autoreset_mode=mode).step(np.zeros(2, int))


def test_illegal_actions_and_steps_are_refused() -> None:
    env = config_of("catch", {}).make(2)
    with pytest.raises(RuntimeError, match=r"environments \[0, 1\] have not been reset"):
        env.step(np.array([0, 1]))
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"illegal action in \[0, 3\]; each must be in Discrete\(3\)"):
        env.step(np.array([0, 3]))
    with pytest.raises(ValueError, match=r"actions must be int64 of shape \(2,\), .* got float64 of shape \(2,\)"):
        env.step(np.array([1.5, 1.0]))
    many = config_of("catch", {}).make(4096)
    with pytest.raises(RuntimeError, match=r"environments \[   0,    1,    2, ..., 4093, 4094, 4095\] have not been"):
        many.step(np.zeros(4096, int))
    with pytest.raises(ValueError, match=r"catch: blnd: unknown option. Did you mean 'blind'"):
        gymnasium.make("Sandbox/Catch-v0", blnd=True)


def test_seeds_in_lists_and_none_at_all() -> None:
    make: Any = lambda: config_of("pong", {"observe": "features"}).make(4)  # noqa: E731
    fresh = make().reset(seed=[None] * 4)[0]
    assert len(np.unique(fresh, axis=0)) == 4
    assert not np.array_equal(fresh, make().reset()[0])
    assert np.array_equal(make().reset(seed=[3, 4, 5, 6])[0], make().reset(seed=3)[0])
    for wrong in ([1, 2], -1):
        with pytest.raises(ValueError, match="seed must be None, an integer >= 0, or 4 of those"):
            make().reset(seed=wrong)
