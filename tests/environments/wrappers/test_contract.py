"""The contract of every wrapper: masked resets, independent copies, saved states."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.vector.utils import batch_space

from sandbox.config.files import to_yaml
from sandbox.core.errors import UserError
from sandbox.envs.catch import CatchConfig
from sandbox.interfaces.environment import Environment, spec_of
from sandbox.runs import registry
from sandbox.runs.resolve import resolve

NAMES = registry.names("wrappers")
OPTIONS: dict[str, dict[str, Any]] = {
    "time_limit": {"steps": 5},
    "blackout": {"p": 0.3, "steps": 3},
    "scale": {"by": 3.0},
}  # the rest: none
FEATURES_ONLY = ("previous_action_reward", "scale")
CHAINS = {name: [name] for name in NAMES} | {
    "all": [name for name in NAMES if name not in FEATURES_ONLY],
    "twice": ["flicker", "frame_stack", "blackout", "noise", "sticky_actions", "time_limit"] * 2,
    "twice features": ["previous_action_reward", "noise", "scale"] * 2,
}
EVERY = [
    (chain, observe)
    for chain, names in CHAINS.items()
    for observe in ("pixels", "features")
    if observe == "features" or not set(names) & set(FEATURES_ONLY)
]
every = pytest.mark.parametrize(("chain", "observe"), EVERY)


def make(chain: str, observe: str, num_envs: int) -> Environment:
    wrappers = [{name: OPTIONS.get(name, {})} for name in CHAINS[chain]]
    return CatchConfig.model_validate({"observe": observe, "wrappers": wrappers}).make(num_envs)


def play(env: Environment, seed: int, indices: list[int], steps: int = 40) -> Iterator[tuple[np.ndarray, ...]]:
    """Play with masked resets, also in the middle of games, where a copy's index decides; yield the results."""
    tapes = [np.random.default_rng(index) for index in indices]
    yield (env.reset(seed=seed)[0],)
    for _ in range(steps):
        actions = np.array([tape.integers(3) for tape in tapes])
        *results, _ = env.step(actions)
        yield tuple(results)
        restart = results[2] | results[3] | np.array([tape.random() < 0.15 for tape in tapes])
        if restart.any():
            yield (env.reset(options={"reset_mask": restart})[0],)


def rows_of(env: Environment) -> list[np.ndarray]:
    """Return all saved arrays, at any depth."""

    def within(tree: Any) -> Iterator[np.ndarray]:
        for value in tree.values():
            if isinstance(value, dict):
                yield from within(value)
            elif isinstance(value, np.ndarray):
                yield value

    return list(within(env.state_dict()))


@every
def test_observations_lie_in_the_declared_space(chain: str, observe: str) -> None:
    env = make(chain, observe, 3)
    space = batch_space(env.single_observation_space, 3)
    for seen, *_ in play(env, 0, [0, 1, 2]):
        assert seen.dtype == space.dtype
        assert space.contains(seen)


@every
def test_a_copy_does_not_depend_on_the_others(chain: str, observe: str) -> None:
    env = make(chain, observe, 3)
    tapes = [np.random.default_rng(index) for index in range(3)]
    alone = [make(chain, observe, 1) for _ in range(3)]
    assert np.array_equal(
        env.reset(seed=5)[0], np.concatenate([one.reset(seed=5 + index)[0] for index, one in enumerate(alone)])
    )
    for _ in range(40):
        actions = np.array([tape.integers(3) for tape in tapes])
        results = env.step(actions)[:4]
        singles = [one.step(actions[index : index + 1])[:4] for index, one in enumerate(alone)]
        for all_of_them, parts in zip(results, zip(*singles, strict=True), strict=True):
            assert np.array_equal(all_of_them, np.concatenate(parts))
        restart = results[2] | results[3] | np.array([tape.random() < 0.15 for tape in tapes])
        if restart.any():
            shown = env.reset(options={"reset_mask": restart})[0]
            for index in np.flatnonzero(restart):
                assert np.array_equal(shown[index], alone[index].reset()[0][0])


@every
def test_a_masked_reset_leaves_the_others_alone(chain: str, observe: str) -> None:
    env = make(chain, observe, 4)
    random = np.random.default_rng(0)
    shown = env.reset(seed=1)[0]
    resets = 0
    for _ in range(40):
        shown, _, terminated, truncated, _ = env.step(random.integers(3, size=4))
        restart = terminated | truncated | (random.random(4) < 0.3)
        if not restart.any():
            continue
        before = rows_of(env)
        fresh = env.reset(options={"reset_mask": restart})[0]
        assert np.array_equal(fresh[~restart], shown[~restart])
        for old, new in zip(before, rows_of(env), strict=True):
            assert np.array_equal(old[~restart], new[~restart])
        resets += not restart.all()
    assert resets > 10


@every
def test_a_restored_environment_has_the_same_future(chain: str, observe: str) -> None:
    for moment in (1, 7, 20):
        env, other = make(chain, observe, 3), make(chain, observe, 3)
        ours, theirs = play(env, 3, [0, 1, 2]), play(other, 99, [5, 6, 7], steps=9)
        for _ in range(moment):
            next(ours)
        list(theirs)  # traces of another past must not survive
        other.load_state_dict(env.state_dict())
        for a, b in zip(rows_of(env), rows_of(other), strict=True):
            assert np.array_equal(a, b)
        random = np.random.default_rng(moment)
        for _ in range(25):
            if not (ended := waiting(env)).any():
                actions = random.integers(3, size=3)
                results, same = env.step(actions), other.step(actions)
                for a, b in zip(results[:4], same[:4], strict=True):
                    assert np.array_equal(a, b)
                assert np.array_equal(env.render_frame(1), other.render_frame(1))
                ended = results[2] | results[3]
            if ended.any():
                options = {"reset_mask": ended}
                assert np.array_equal(env.reset(options=options)[0], other.reset(options=options)[0])


def waiting(env: Environment) -> np.ndarray:
    """Return the copies that wait for a reset, from the state of the outermost wrapper."""
    return env.state_dict()["arrays"]["ended"]


@every
def test_a_saved_state_is_a_copy(chain: str, observe: str) -> None:
    env = make(chain, observe, 2)
    env.reset(seed=1)
    env.step(np.array([0, 1]))
    saved = rows_of(env)
    state = env.state_dict()
    for _ in range(3):
        env.step(np.array([1, 0]))
    other = make(chain, observe, 2)
    other.load_state_dict(state)
    other.reset(seed=0)
    back = make(chain, observe, 2)
    back.load_state_dict(state)
    for a, b in zip(saved, rows_of(back), strict=True):
        assert np.array_equal(a, b)


@every
def test_observations_belong_to_the_caller(chain: str, observe: str) -> None:
    """Writing into an observation changes nothing that follows."""
    clean, dirty = make(chain, observe, 3), make(chain, observe, 3)
    mask = np.array([True, False, False])
    for env in (clean, dirty):
        env.reset(seed=4)
    dirty.reset(seed=4)[0][...] = 99
    for _ in range(4):
        expected = clean.step(np.array([0, 1, 2]))[0].copy()
        seen = dirty.step(np.array([0, 1, 2]))[0]
        assert np.array_equal(expected, seen)
        seen[...] = 99
        again = dirty.reset(options={"reset_mask": mask})[0]
        assert np.array_equal(again, clean.reset(options={"reset_mask": mask})[0])
        assert np.array_equal(again[1:], expected[1:])
        again[...] = 99


@every
def test_the_spec_fits_the_observations(chain: str, observe: str) -> None:
    env = make(chain, observe, 2)
    spec = spec_of(env)
    observations, _ = env.reset(seed=0)
    assert spec.shape == observations.shape[1:]
    assert spec.is_bytes == (observations.dtype == np.uint8)
    assert spec.num_actions == 3
    bare = CatchConfig().bare(2)
    assert (env.num_envs, env.fps, env.controls) == (2, bare.fps, bare.controls)


@pytest.mark.parametrize("name", NAMES)
def test_a_state_of_other_wrappers_is_refused(name: str) -> None:
    env = make(name, "features", 2)
    other = "flicker" if name == "noise" else "noise"
    before = rows_of(env)
    for state, words in (
        (
            make(other, "features", 2).state_dict(),
            rf"saved with env.wrappers \[{{'{other}': .*\], here they are \[{{'{name}': ",
        ),
        (CatchConfig().make(2).state_dict(), rf"saved with env.wrappers \[\], here they are \[{{'{name}': "),
        (
            make(name, "features", 3).state_dict(),
            r"saved with another environment or another num_envs: its observations are \(3, ",
        ),
    ):
        with pytest.raises(UserError, match=words):
            env.load_state_dict(state)
    foreign = env.state_dict() | {"env": {"something": np.ones(2)}}
    foreign["arrays"] = {key: value + 1 if key == "rng" else value for key, value in foreign["arrays"].items()}
    with pytest.raises(UserError, match="this state belongs to another environment"):
        env.load_state_dict(foreign)
    assert all(np.array_equal(a, b) for a, b in zip(before, rows_of(env), strict=True))
    with pytest.raises(UserError, match="this state belongs to another environment"):
        CatchConfig(observe="features").make(2).load_state_dict(env.state_dict())


def test_an_option_younger_than_a_state_passes() -> None:
    env = make("flicker", "features", 2)
    state, (wrapper,) = env.state_dict(), env.wrappers
    env.load_state_dict(state | {"wrappers": [{"flicker": {}}]})
    for other in ([{"flicker": {"p": 0.9}}], [{"flicker": {"q": 0.9}}], [], [wrapper, wrapper], [{}]):
        with pytest.raises(UserError, match="this state was saved with"):
            env.load_state_dict(state | {"wrappers": other})


@pytest.mark.parametrize("chain", CHAINS)
def test_a_run_s_config_survives_being_written_and_read(chain: str, tmp_path: Any) -> None:
    wrappers = ", ".join(f"{{{name}: {OPTIONS.get(name, {})}}}".replace("'", "") for name in CHAINS[chain])
    config = resolve(["catch_dqn"], ["env.observe=features", f"env.wrappers=[{wrappers}]"])
    assert [wrapper.chosen[0] for wrapper in config.env.wrappers] == CHAINS[chain]
    (tmp_path / "config.yaml").write_text(to_yaml(config))
    assert resolve([tmp_path / "config.yaml"], []) == config


def test_an_environment_s_own_randomness_does_not_change() -> None:
    """The same seed gives the same balls with and without wrappers."""
    bare, wrapped = CatchConfig().make(50), make("all", "pixels", 50)
    bare.reset(seed=3), wrapped.reset(seed=3)
    assert all(np.array_equal(bare.render_frame(i), wrapped.render_frame(i)) for i in range(50))


@pytest.mark.parametrize("name", NAMES)
def test_a_wrapper_refuses_what_the_environment_refuses(name: str) -> None:
    env = make(name, "features", 2)
    with pytest.raises(RuntimeError, match=r"environments \[0, 1\] have not been reset"):
        env.step(np.array([0, 1]))
    with pytest.raises(ValueError, match="reset_mask"):
        env.reset(options={"reset_mask": np.ones(3, bool)})
    with pytest.raises(ValueError, match="seed must be None"):
        env.reset(seed=-1)
    env.reset(seed=0)
    for actions in ([0, 3], [1.5, 1.0], [1], [[0, 1]]):
        with pytest.raises(ValueError, match=r"illegal action in|actions must be int64 of shape"):
            env.step(np.array(actions))
