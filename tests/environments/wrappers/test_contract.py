"""Every file under sandbox/wrappers/ keeps the contract: masked resets, lanes apart, save = restore."""

import inspect
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


def play(env: Environment, seed: int, lanes: list[int], steps: int = 40) -> Iterator[tuple[np.ndarray, ...]]:
    """Each lane acts, and is now and then reset in the middle of a game, as its number says; yields what was seen."""
    tapes = [np.random.default_rng(lane) for lane in lanes]
    yield (env.reset(seed=seed)[0],)
    for _ in range(steps):
        actions = np.array([tape.integers(3) for tape in tapes])
        *results, _ = env.step(actions)
        yield tuple(results)
        restart = results[2] | results[3] | np.array([tape.random() < 0.15 for tape in tapes])
        if restart.any():
            yield (env.reset(options={"reset_mask": restart})[0],)


def rows_of(env: Environment) -> list[np.ndarray]:
    """All of the saved arrays, at any depth."""

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
def test_a_lane_alone_is_a_lane_beside_others(chain: str, observe: str) -> None:
    env = make(chain, observe, 3)
    tapes = [np.random.default_rng(lane) for lane in range(3)]
    alone = [make(chain, observe, 1) for _ in range(3)]
    assert np.array_equal(
        env.reset(seed=5)[0], np.concatenate([one.reset(seed=5 + lane)[0] for lane, one in enumerate(alone)])
    )
    for _ in range(40):
        actions = np.array([tape.integers(3) for tape in tapes])
        results = env.step(actions)[:4]
        singles = [one.step(actions[lane : lane + 1])[:4] for lane, one in enumerate(alone)]
        for all_of_them, parts in zip(results, zip(*singles, strict=True), strict=True):
            assert np.array_equal(all_of_them, np.concatenate(parts))
        restart = results[2] | results[3] | np.array([tape.random() < 0.15 for tape in tapes])
        if restart.any():
            shown = env.reset(options={"reset_mask": restart})[0]
            for lane in np.flatnonzero(restart):
                assert np.array_equal(shown[lane], alone[lane].reset()[0][0])


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
                assert np.array_equal(env.draw(1), other.draw(1))
                ended = results[2] | results[3]
            if ended.any():
                options = {"reset_mask": ended}
                assert np.array_equal(env.reset(options=options)[0], other.reset(options=options)[0])


def waiting(env: Environment) -> np.ndarray:
    """Who waits for a reset: what the outermost wrapper saved says it."""
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
    """Whoever writes to one changes nothing of what comes."""
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
def test_learners_are_told_what_they_see(chain: str, observe: str) -> None:
    env = make(chain, observe, 2)
    spec = spec_of(env)
    observations, _ = env.reset(seed=0)
    assert spec.shape == observations.shape[1:]
    assert spec.is_bytes == (observations.dtype == np.uint8)
    assert spec.num_actions == 3
    bare = CatchConfig().bare(2)
    assert (env.num_envs, env.fps, env.controls) == (2, bare.fps, bare.controls)


@pytest.mark.parametrize("name", NAMES)
def test_another_chain_s_state_is_refused(name: str) -> None:
    env = make(name, "features", 2)
    other = "flicker" if name == "noise" else "noise"
    before = rows_of(env)
    for state, words in (
        (
            make(other, "features", 2).state_dict(),
            rf"saved with env.wrappers \[{{'{other}': .*\], here they are \[{{'{name}': ",
        ),
        (CatchConfig().make(2).state_dict(), rf"saved with env.wrappers \[\], here they are \[{{'{name}': "),
        (make(name, "features", 3).state_dict(), r"saved in another environment or another num_envs: it shows \(3, "),
    ):
        with pytest.raises(UserError, match=words):
            env.load_state_dict(state)
    foreign = env.state_dict() | {"env": {"something": np.ones(2)}}
    foreign["arrays"] = {key: value + 1 if key == "lanes" else value for key, value in foreign["arrays"].items()}
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


@pytest.mark.parametrize("name", NAMES)
def test_what_is_illegal_below_is_illegal_here(name: str) -> None:
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


@pytest.mark.parametrize("name", NAMES)
def test_the_file_says_what_a_user_must_know(name: str) -> None:
    file = registry.files("wrappers")[name]
    text = registry.docstring(file)
    assert text.partition(":")[0].lower().replace(" and ", " ").replace(" ", "_") == name
    for section in (f"In YAML: `env.wrappers: [{{{name}: ", "Rule: ", "Observation: ", "Paper: ", "Deviations: "):
        assert section in text.replace("\n    ", "\n").replace("\n", " ") or f"\n{section}" in text
    assert file.read_text().count("\n") <= 100
    config = registry.config_class("wrappers", name)
    assert inspect.getdoc(config)


@pytest.mark.parametrize("second", [{"flicker": {"p": 0.5}}, {"blackout": {"p": 0.5}}])
def test_two_wrappers_draw_apart_from_each_other_and_from_the_environment(second: dict[str, Any]) -> None:
    env = CatchConfig.model_validate({"observe": "features", "wrappers": [{"flicker": {}}, second]}).make(2_000)
    blank = (env.reset(seed=0)[0] == 0).all(axis=1)
    assert abs(blank.mean() - 0.75) < 4 * (0.75 * 0.25 / 2_000) ** 0.5
    balls = CatchConfig(observe="features").make(2_000).reset(seed=0)[0][:, :5].argmax(axis=1)
    assert abs(np.corrcoef(blank, balls)[0, 1]) < 4 / 2_000**0.5


def test_an_environment_s_own_randomness_does_not_change() -> None:
    """The same seed brings the same balls with and without wrappers."""
    bare, wrapped = CatchConfig().make(50), make("all", "pixels", 50)
    bare.reset(seed=3), wrapped.reset(seed=3)
    assert all(np.array_equal(bare.draw(i), wrapped.draw(i)) for i in range(50))


def test_the_first_one_is_innermost() -> None:
    order = [{"frame_stack": {"count": 2}}, {"previous_action_reward": {}}]
    shapes = [
        CatchConfig.model_validate({"observe": "features", "wrappers": wrappers}).make(1).single_observation_space.shape
        for wrappers in (order, order[::-1])
    ]
    assert shapes == [(50 * 2 + 4,), ((50 + 4) * 2,)]


def test_one_that_does_not_fit_is_named_with_its_place() -> None:
    with pytest.raises(UserError) as error:
        CatchConfig.model_validate({"wrappers": [{"noise": {}}, {"previous_action_reward": {}}]}).make(1)
    assert str(error.value) == (
        "env.wrappers.1.previous_action_reward: fits vectors of floats only, this environment shows uint8 of shape "
        "[1, 84, 84]; set env.observe=features if it has them, or leave this wrapper out of env.wrappers"
    )


@pytest.mark.parametrize(
    ("wrappers", "message"),
    [
        ("[{flikcer: {p: 0.5}}]", "env.wrappers.0.flikcer: unknown option. Did you mean 'flicker'?"),
        ("[{flicker: {p: 1.5}}]", "env.wrappers.0.flicker.p: needs a value <= 1, got 1.5."),
        ("[{flicker: {}}, {blackout: {steps: 0}}]", "env.wrappers.1.blackout.steps: needs a value >= 1, got 0."),
        ("[{noise: {std: -1}}]", "env.wrappers.0.noise.std: needs a value >= 0, got -1."),
        ("[{frame_stack: {cuont: 4}}]", "env.wrappers.0.frame_stack.cuont: unknown option. Did you mean 'count'?"),
        ("[{time_limit: {}}]", "env.wrappers.0.time_limit.steps: missing. It needs a whole number."),
        ("[{flicker: {}, noise: {}}]",
         "env.wrappers.0: an item is one wrapper with its options, such as `flicker: {p: 0.5}` (`flicker: {}` for the "
         f"defaults); this has flicker and noise. Known: {', '.join(NAMES)}."),
        ("[{}]",
         "env.wrappers.0: an item is one wrapper with its options, such as `flicker: {p: 0.5}` (`flicker: {}` for the "
         f"defaults); this has none. Known: {', '.join(NAMES)}."),
        ("[flicker]", f"env.wrappers.0: needs a section ({', '.join(NAMES)}), got 'flicker'. "
         "Did you mean {flicker: {}}?"),
        ("flicker", f"needs a list of sections ({', '.join(NAMES)}), got 'flicker'."),
        ("{flicker: {}}", f"needs a list of sections ({', '.join(NAMES)}), got a section. "
         "A list is given whole: env.wrappers=[...]."),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(wrappers: str, message: str) -> None:
    override = f"env.wrappers={wrappers}"
    with pytest.raises(UserError) as error:
        resolve(["catch_dqn"], [override])
    assert str(error.value) == f"command line: {override}: {message}"


@pytest.mark.parametrize("chain", CHAINS)
def test_a_run_s_config_survives_being_written_and_read(chain: str, tmp_path: Any) -> None:
    wrappers = ", ".join(f"{{{name}: {OPTIONS.get(name, {})}}}".replace("'", "") for name in CHAINS[chain])
    config = resolve(["catch_dqn"], ["env.observe=features", f"env.wrappers=[{wrappers}]"])
    assert [wrapper.chosen[0] for wrapper in config.env.wrappers] == CHAINS[chain]
    (tmp_path / "config.yaml").write_text(to_yaml(config))
    assert resolve([tmp_path / "config.yaml"], []) == config
