"""Kinds of popular environments that are easily learned from wrongly, or refused without a way on."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
from gym_gate_cases import Unknown
from gymnasium import spaces

from sandbox.core.errors import UserError
from sandbox.envs.gym import GymConfig
from sandbox.interfaces.environment import spec_of

_IMAGE = spaces.Box(0, 255, (7, 6, 3), np.uint8)
OBSERVATIONS: dict[str, tuple[spaces.Space, Any]] = {
    "codes": (spaces.Box(0, 255, (7, 6, 3), np.uint8), np.full((7, 6, 3), 10, np.uint8)),
    "large": (spaces.Box(0, 255, (7, 6, 3), np.float32), np.full((7, 6, 3), 250, np.float32)),
    "deep": (spaces.Box(0, 65535, (7, 6, 1), np.uint16), np.full((7, 6, 1), 50_000, np.uint16)),
    "bright": (spaces.Box(0, 255, (7, 6, 3), np.uint8), np.full((7, 6, 3), 200, np.uint8)),
    "outside": (spaces.Box(-1, 1, (2,)), np.array([0, 5], np.float32)),
    "more than declared": (spaces.Box(0, 3, (2,), np.uint8), np.array([0, 6], np.uint8)),
    "integer keys": (
        spaces.Dict({0: spaces.Discrete(3), 1: spaces.Box(0, 1, (2,))}),
        {0: 2, 1: np.array([0, 0.5], np.float32)},
    ),
    "with a mission": (
        spaces.Dict({"direction": spaces.Discrete(4), "image": _IMAGE, "m": Unknown()}),
        {"direction": 1, "image": np.arange(126).reshape(7, 6, 3).astype(np.uint8), "m": "go"},
    ),
    "no words": (spaces.Dict({}), {}),
    "objects": (spaces.Box(-1, 1, (4,)), np.array([0, 0, 0, 0.5], object)),
}


class NamelessError(Exception):
    """An exception that cannot be described."""

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


class Kind(gymnasium.Env[Any, Any]):
    """An environment that shows one of `OBSERVATIONS`."""

    action_space = spaces.Discrete(2)
    metadata: ClassVar = {"render_modes": ["ansi"]}
    reward: Any = 1.0
    success: Any = None

    def __init__(self, kind: str = "bright") -> None:
        self.observation_space, self.shown = OBSERVATIONS[kind]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        return self.shown, {}

    def step(self, action: int) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        if isinstance(self.reward, Exception):
            raise self.reward
        return self.shown, self.reward, True, False, {"is_success": self.success}


gymnasium.register("Kind-v0", Kind)


def kind(name: str, **more: Any) -> GymConfig:
    return GymConfig(id="Kind-v0", options={"kind": name}, **more)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("codes", "networks divide bytes by 255, and those of observations reach only 10. Scale them: "
         "env.wrappers='[{scale: {by: 0.1}}]'"),
        ("large", "networks learn best from numbers near 1, and those of observations reach 250. Scale them: "
         "env.wrappers='[{scale: {by: 0.004}}]'"),
        ("deep", "reach 50000. Scale them: env.wrappers='[{scale: {by: 2e-05}}]'"),
        ("outside", "leave the bounds that its observation_space declares, such as 5, where -1 to 1 are declared"),
        ("more than declared", "such as 2, where 0 to 1 are declared. They are used as they are."),
        ("bright", ""),
    ],
)  # fmt: skip
def test_numbers_that_are_learned_badly_from_are_noted(
    name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kind(name).examine(renders=False, together=False)
    notes = capsys.readouterr().err
    assert said in notes
    assert bool(notes) == bool(said)


def test_the_wrapper_of_the_note_makes_floats_of_bytes() -> None:
    env = kind("codes", wrappers=[{"scale": {"by": 0.1}}]).make(1)
    first, _ = env.reset(seed=0)
    assert (first.dtype, first.shape, spec_of(env).is_bytes) == (np.float32, (1, 3, 7, 6), False)
    assert first == pytest.approx(np.ones((1, 3, 7, 6)))


def test_a_dict_with_integers_as_keys() -> None:
    assert kind("integer keys").make(1).reset(seed=0)[0].tolist() == [[0, 0, 1, 0, 0.5]]
    assert kind("integer keys", parts=("1",)).make(1).reset(seed=0)[0].tolist() == [[0, 0.5]]
    with pytest.raises(UserError, match=r"env.parts=\['x'\]: an observation of Kind-v0 has the parts 0, 1\."):
        kind("integer keys", parts=("x",)).make(1)


def test_an_image_next_to_a_mission_has_its_channels_first() -> None:
    image = OBSERVATIONS["with a mission"][1]["image"]
    assert np.array_equal(
        kind("with a mission", parts=("image",)).make(1).reset(seed=0)[0][0], image.transpose(2, 0, 1)
    )
    vector = kind("with a mission").make(1).reset(seed=0)[0][0]
    assert vector.tolist() == [0, 1, 0, 0, *(image.ravel() / np.float32(255)).tolist()]


@pytest.mark.parametrize("name", ["no words", "objects"])
def test_what_holds_no_numbers_is_refused_with_a_way_on(name: str) -> None:
    with pytest.raises(UserError, match=r"^env.id=Kind-v0: .* or set another env.id\.$"):
        kind(name).make(1).reset(seed=0)


def test_several_rewards_are_refused_with_a_way_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for reward in (np.ones(2), [1, 2]):
        monkeypatch.setattr(Kind, "reward", reward)
        env = kind("bright").make(1)
        env.reset(seed=0)
        with pytest.raises(UserError, match="which must be one number; let a wrapper return a weighted sum"):
            env.step(np.zeros(1, int))


def test_exceptions_and_rewards_that_cannot_be_described(monkeypatch: pytest.MonkeyPatch) -> None:
    env = kind("bright").make(1)
    env.reset(seed=0)
    monkeypatch.setattr(Kind, "reward", NamelessError())
    with pytest.raises(UserError, match=r"env.id=Kind-v0: step raised NamelessError \("):
        env.step(np.zeros(1, int))
    monkeypatch.setattr(Kind, "reward", [NamelessError()])
    with pytest.raises(UserError, match="step returned the reward list, which must be one number"):
        env.step(np.zeros(1, int))


@pytest.mark.parametrize("value", [0.5, [True, False], "yes", float("nan")])
def test_successes_that_are_none_are_noted(
    value: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Kind, "success", value)
    env = kind("bright").make(1)
    env.reset(seed=0)
    assert env.step(np.zeros(1, int))[4] == {}
    assert f"step returned info['is_success']={value!r}, which must be true or false" in capsys.readouterr().err


def test_an_id_that_its_module_does_not_register(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message names the ids that it registers, or says how to register one."""
    (tmp_path / "registers_two.py").write_text(
        "import gymnasium\n"
        "for name in ('Two/Maze-v1', 'Two/Lake-v0'):\n"
        "    gymnasium.register(name, entry_point='registers_two:Maze')\n"
    )
    (tmp_path / "registers_none.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        with pytest.raises(UserError, match=r"After `import registers_two`, Gymnasium knows Two/Maze-v1"):
            GymConfig(id="registers_two:Two/Mase-v1").make(1)
    finally:
        for name in ("Two/Maze-v1", "Two/Lake-v0"):
            gymnasium.registry.pop(name, None)
    words = r"knows no id of registers_none\. Call what registers .* say my_ids.py, and set env.id=my_ids:No/Maze-v0\."
    monkeypatch.delitem(sys.modules, "gym", raising=False)
    with pytest.raises(UserError, match=words):
        GymConfig(id="registers_none:No/Maze-v0").make(1)
    monkeypatch.setitem(sys.modules, "gym", ModuleType("gym"))
    with pytest.raises(UserError, match="It registers its ids with the older package gym"):
        GymConfig(id="registers_none:No/Maze-v0").make(1)
