"""Options of `gym`: channels, parts, indices, options of any kind; global generators; notes before a run."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gym_gate_cases import Made
from gymnasium import spaces
from pydantic import ValidationError

from sandbox.core.errors import UserError
from sandbox.envs.gym import GymConfig
from sandbox.interfaces.environment import spec_of


class Shown(gymnasium.Env[Any, Any]):
    """An environment of any observation space; what it was made with is in `given`."""

    action_space = spaces.Discrete(2)

    def __init__(self, shape: Any = (4,), dtype: str = "uint8", **given: Any) -> None:
        high, self.given = 1 if dtype == "bool" else 255, given
        self.observation_space = spaces.Box(0, high, tuple(shape), np.dtype(dtype).type)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        size = int(np.prod(self.observation_space.shape))
        return np.arange(size).reshape(self.observation_space.shape).astype(self.observation_space.dtype), {}


class Global(gymnasium.Env[Any, Any]):
    """It draws from global generators, at its construction, too."""

    observation_space, action_space = spaces.Box(-1, 2, (3,)), spaces.Discrete(2)

    def __init__(self, late: bool = False) -> None:
        self.place, self.late, self.now = np.random.rand(), late, 0

    def _draw(self) -> np.ndarray:
        self.now += 1
        if self.late and self.now < 20:
            return np.zeros(3, np.float32)
        import random

        return np.array([np.random.rand(), random.random(), self.place], np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        return self._draw(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self._draw(), np.random.normal(), bool(np.random.rand() < 0.1), False, {}


gymnasium.register("Shown-v0", Shown)
gymnasium.register("Global-v0", Global)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "int64", "bool"])
@pytest.mark.parametrize(
    ("shape", "channels", "axes"),
    [
        ((84, 84, 12), "auto", (2, 0, 1)),
        ((84, 84, 3), "auto", (2, 0, 1)),
        ((12, 84, 84), "auto", (0, 1, 2)),
        ((10, 10, 10), "auto", (2, 0, 1)),
        ((10, 10, 10), "first", (0, 1, 2)),
        ((4, 9, 8), "last", (2, 0, 1)),
        ((4, 9, 3), "first", (0, 1, 2)),
    ],
)
def test_one_rule_for_axes(dtype: str, shape: tuple[int, ...], channels: Any, axes: tuple[int, ...]) -> None:
    env = GymConfig(id="Shown-v0", options={"shape": list(shape), "dtype": dtype}, channels=channels).make(1)
    shown = env.reset(seed=0)[0][0]
    raw = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    assert np.array_equal(shown, raw.transpose(axes).astype(shown.dtype))
    assert shown.shape == spec_of(env).shape


def test_channels_are_added_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    flat = {"shape": [9, 8]}
    assert GymConfig(id="Shown-v0", options=flat).make(1).reset(seed=0)[0].shape == (1, 9, 8)
    assert GymConfig(id="Shown-v0", options=flat, channels="add").make(1).reset(seed=0)[0].shape == (1, 1, 9, 8)
    with pytest.raises(UserError, match=r"env.channels=last is for images of three axes, .* set env.channels=add"):
        GymConfig(id="Shown-v0", options=flat, channels="last").make(1)
    with pytest.raises(UserError, match=r"env.channels=add is for observations \[H, W\], those of Shown-v0 are \[4\]"):
        GymConfig(id="Shown-v0", channels="add").make(1)
    with pytest.raises(UserError, match=r"env.channels=first is for images, and observations are Discrete"):
        GymConfig(id="FrozenLake-v1", channels="first").make(1)
    GymConfig(id="Shown-v0", options={"shape": [8, 4, 8]}).make(1)
    assert "the last axis of observations [8, 4, 8] is taken for the channels" in capsys.readouterr().err


def test_a_part_keeps_its_shape() -> None:
    config = GymConfig(id="Made-v0", options={"case": "Dict"}, parts=("c",))
    assert config.make(1).reset(seed=0)[0].shape == (1, 3)
    assert config.model_copy(update={"parts": ("a", "c")}).make(1).reset(seed=0)[0].shape == (1, 6)
    for parts, words in (
        (("x",), r"env.parts=\['x'\]: an observation of Made-v0 has the parts a, b, c"),
        ((), "name some"),
    ):
        with pytest.raises(UserError, match=words):
            config.model_copy(update={"parts": parts}).make(1)
    with pytest.raises(UserError, match="an observation of CartPole-v1 has no parts but Box"):
        GymConfig(id="CartPole-v1", parts=("a",)).make(1)


def test_one_index_of_all_integers() -> None:
    env = GymConfig(id="Blackjack-v1", observe="index").make(1)
    raw = gymnasium.make("Blackjack-v1")
    assert spec_of(env).shape == (32 * 11 * 2,)
    for seed in range(20):
        player, dealer, ace = raw.reset(seed=seed)[0]
        assert env.reset(seed=seed)[0][0].nonzero()[0].tolist() == [(player * 11 + dealer) * 2 + ace]
    with pytest.raises(UserError, match="numbers the states of an environment, and CartPole-v1 has infinitely many"):
        GymConfig(id="CartPole-v1", observe="index").make(1)


def test_options_of_any_kind_reach_the_environment() -> None:
    given = {"config": {"vehicles_count": 5, "names": ["a", None, 1.5]}, "on": True}
    config = GymConfig.model_validate({"id": "Shown-v0", "options": given})
    assert config.make(1).envs[0].unwrapped.given == given  # type: ignore[attr-defined]
    with pytest.raises(ValidationError, match="render_mode is chosen automatically"):
        GymConfig(id="Shown-v0", options={"render_mode": "human"})


@pytest.mark.parametrize("name", ["Global-v0", "Made-v0"])
def test_draws_from_global_generators_belong_to_the_copy(name: str) -> None:
    """Same seed, same numbers, whatever happens outside or to the other copies; a restored copy goes on exactly."""
    options = {"case": "float32 (4,)"} if name == "Made-v0" else {}

    def play(copies: int, steps: int = 150, restored_at: int = -1) -> list[Any]:
        config = GymConfig(id=name, options=options)
        env = config.make(copies)
        observations, _ = env.reset(seed=4)
        seen = []
        for step in range(steps):
            np.random.rand()
            if step == restored_at:
                state, env = env.state_dict(), config.make(copies)
                env.load_state_dict(state)
            observations, rewards, terminated, truncated, _ = env.step(np.zeros(copies, int))
            seen.append((observations[0].tolist(), float(rewards[0])))
            if (terminated | truncated).any():
                env.reset(options={"reset_mask": terminated | truncated})
        return seen

    np.random.seed(1)
    first = play(1)
    np.random.seed(2)
    assert play(3) == first
    assert play(2, restored_at=77) == first
    outside = np.random.get_state()
    GymConfig(id=name, options=options).make(1).reset(seed=0)
    assert str(outside) == str(np.random.get_state())


def test_notes_before_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    GymConfig(id="Global-v0").examine(renders=True, together=False)
    said = capsys.readouterr().err
    assert "env.id=Global-v0 draws from the global generators of NumPy or `random`. They are seeded" in said
    assert "env.id=Global-v0: no videos are made: Global-v0 cannot be shown: it has no render_mode 'rgb_array'" in said
    GymConfig(id="Restless-v0").examine(renders=False, together=True)
    assert "env.id=Restless-v0 does not repeat itself: the same seed and actions" in capsys.readouterr().err
    GymConfig(id="Far-v0").examine(renders=False, together=True)
    assert (
        "number 1 reaches 2e+06. Scale them with the wrapper `scale`: env.wrappers='[{scale: {by: [1, 1e-06]}}]'"
        in capsys.readouterr().err
    )
    GymConfig(id="CartPole-v1").examine(renders=True, together=False)
    assert capsys.readouterr().err == ""


class Port(Global):
    """Only one may be open."""

    is_taken = False

    def __init__(self) -> None:
        super().__init__()
        if Port.is_taken:
            raise OSError("port 5005 is already in use")
        Port.is_taken = True

    def close(self) -> None:
        Port.is_taken = False


gymnasium.register("Port-v0", Port)


def test_an_environment_of_which_one_may_be_open() -> None:
    """One copy is made again and again; two are refused before a run, with the options that help."""
    config = GymConfig(id="Port-v0")
    config.examine(renders=True, together=False)
    config.make(1).close()
    words = r"env.id=Port-v0 cannot be made: port 5005 is already in use. Another copy is open .* set num_envs=1"
    with pytest.raises(UserError, match=words):
        config.make(2)
    with pytest.raises(UserError, match=words):
        config.examine(renders=False, together=True)
    assert not Port.is_taken


class Restless(Global):
    """It draws from what nothing can seed."""

    def _draw(self) -> np.ndarray:
        return np.random.default_rng().random(3, np.float32)


class Far(Global):
    """Its numbers are far from 1."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,))

    def _draw(self) -> np.ndarray:
        return np.array([1, 2e6])


gymnasium.register("Restless-v0", Restless)
gymnasium.register("Far-v0", Far)


def test_one_copy_is_never_open_next_to_another() -> None:
    """Neither by the examination, nor by rendering."""
    Made.opened = Made.closed = Made.most_open = 0
    config = GymConfig(id="Made-v0", options={"case": "float32 (4,)"})
    config.examine(renders=True, together=False)
    env = config.make(1)
    env.reset(seed=0), env.step(np.zeros(1, int)), env.render_frame(0)
    assert (Made.opened - Made.closed, Made.most_open) == (1, 1)
    del env
    assert Made.opened == Made.closed
