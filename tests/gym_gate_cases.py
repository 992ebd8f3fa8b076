"""Environments as people write them, right and wrong: a generator of cases for the gate of `gym`."""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "bool"]
SHAPES = [(), (1,), (4,), (3, 5), (6, 7, 3), (3, 6, 7), (6, 7, 12), (2, 3, 4, 5)]


class Unknown(spaces.Space[Any]):
    """A space of somebody's own."""

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        return "a mission"

    def contains(self, x: Any) -> bool:
        return True

    @property
    def is_np_flattenable(self) -> bool:
        return False


class Case(NamedTuple):
    """An environment: its space, and functions that spoil what `reset`, `step`, `render` or `close` return or do.

    `refused` is a part of the message, or None if the environment must be learned from.
    """

    space: Any = spaces.Box(-1, 1, (4,), np.float32)
    reset: Callable[..., Any] | None = None
    step: Callable[..., Any] | None = None
    render: Callable[[], Any] | None = None
    close: Callable[[], Any] | None = None
    make: Callable[[], Any] | None = None
    at: int = 3  # the step that is spoiled
    refused: str | None = None
    action_space: Any = spaces.Discrete(3)


CASES: dict[str, Case] = {}


class Made(gymnasium.Env[Any, Any]):
    """The environment of a case: 5 steps, seeded observations; it counts how many of it are open."""

    metadata: ClassVar = {"render_modes": ["rgb_array"], "render_fps": None}
    opened = closed = most_open = 0

    def __init__(self, case: str, render_mode: str | None = None) -> None:
        self.case, self.render_mode, self.now = CASES[case], render_mode, 0
        if self.case.make:
            self.case.make()
        self.observation_space, self.action_space = self.case.space, self.case.action_space
        Made.opened += 1
        Made.most_open = max(Made.most_open, Made.opened - Made.closed)

    def _observation(self) -> Any:
        self.observation_space.seed(int(self.np_random.integers(2**31)))
        return self.observation_space.sample()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.now = 0
        right = self._observation(), {}
        return self.case.reset(*right) if self.case.reset else right

    def step(self, action: Any) -> Any:
        self.now += 1
        self.last = self._observation()
        right = self.last, 1.0, self.now == 5, False, {"is_success": True}
        return self.case.step(*right) if self.case.step and self.now == self.case.at else right

    def render(self) -> Any:
        return self.case.render() if self.case.render else np.full((2, 4, 3), 7, np.uint8)

    def close(self) -> None:
        Made.closed += 1
        if self.case.close:
            self.case.close()


gymnasium.register("Made-v0", Made)


def box(dtype: str, shape: tuple[int, ...], low: float | None = None, high: float | None = None) -> spaces.Box:
    kind = np.dtype(dtype)
    ends = {"b": (0, 1), "f": (-2, 2)}.get(kind.kind, (0, 255) if dtype == "uint8" else (0, 100))
    return spaces.Box(*((low, high) if low is not None else ends), shape, kind.type)


def throw(error: BaseException) -> Callable[..., Any]:
    def spoiled(*_: Any) -> Any:
        raise error

    return spoiled


def observed(value: Any) -> Callable[..., Any]:
    """The result of `reset` or `step` with another observation."""
    return lambda observation, *rest: (value(observation) if callable(value) else value, *rest)


def replaced(index: int, value: Any) -> Callable[..., Any]:
    return lambda *right: (*right[:index], value, *right[index + 1 :])


class Quit(BaseException):
    """A BaseException that is no Exception."""


def _add_spaces() -> None:
    for dtype in DTYPES:
        for shape in SHAPES:
            CASES[f"{dtype} {shape}"] = Case(box(dtype, shape))
    part = spaces.Box(0, 2, (3,), np.uint8)
    known = {"a": spaces.Discrete(3, start=2), "b": spaces.MultiBinary(4), "c": part}
    for name, space in {
        "bytes up to 2": part,
        "an image of bits": spaces.Box(0, 1, (6, 7, 2), np.uint8),
        "Discrete": spaces.Discrete(7),
        "Discrete from -3": spaces.Discrete(7, start=-3),
        "MultiDiscrete": spaces.MultiDiscrete([3, 4]),
        "MultiDiscrete of two axes": spaces.MultiDiscrete(np.array([[3, 4], [2, 2]])),
        "MultiBinary": spaces.MultiBinary(5),
        "Tuple": spaces.Tuple([spaces.Discrete(3), spaces.Box(-1, 1, (2, 2))]),
        "Dict": spaces.Dict(known),
        "nested": spaces.Dict({"x": spaces.Tuple([spaces.Dict(known), part]), "y": part}),
        "Dict with Text": spaces.Dict({"a": part, "text": spaces.Text(5)}),
        "Dict with a Sequence": spaces.Dict({"a": part, "list": spaces.Sequence(spaces.Discrete(2))}),
        "Dict with a Graph": spaces.Dict({"a": part, "graph": spaces.Graph(spaces.Discrete(2), None)}),
        "Dict with a space of somebody's own": spaces.Dict({"a": part, "mission": Unknown()}),
    }.items():
        CASES[name] = Case(space)
    for name, space, words in [
        ("only Text", spaces.Text(5), "have no fixed length"),
        ("only somebody's own", Unknown(), "have no fixed length"),
        ("a Dict of Text", spaces.Dict({"t": spaces.Text(5)}), "have no fixed length"),
        ("no space", None, "no Space of Gymnasium"),
        ("a class", spaces.Box, "no Space of Gymnasium"),
        ("no numbers", spaces.Box(-1, 1, (0, 4)), "no numbers"),
        ("a billion choices", spaces.Discrete(10**9), "vectors of 1,000,000,000 numbers"),
    ]:
        CASES[name] = Case(space, refused=words)
    for name, actions, refused in [
        ("actions from 5", spaces.Discrete(3, start=5), None),
        ("numbered actions", spaces.MultiDiscrete([3, 2]), None),
        ("bits as actions", spaces.MultiBinary(3), None),
        ("a Box of actions", spaces.Box(-1, 1, (2,)), None),
        ("a number as action", spaces.Box(-1, 1, (), np.float64), None),
        ("two axes of actions", spaces.Box(-0.1, 0.1, (2, 3), np.float64), None),
        ("integers as actions", spaces.Box(0, 3, (2,), np.int64), "cannot choose from its actions"),
        ("a Dict of actions", spaces.Dict({"a": spaces.Discrete(2)}), "cannot choose from its actions"),
        ("too many actions", spaces.MultiDiscrete([100, 100]), "cannot choose from its actions"),
        ("no action space", None, "cannot choose from its actions None"),
    ]:
        CASES[name] = Case(action_space=actions, refused=refused)


def _add_observations() -> None:
    declared = "observation_space declares shape (4,) and dtype float32"
    wrong: list[tuple[str, Any, str]] = [
        ("shape (1,)", np.zeros(1, np.float32), f"shape (1,) and dtype float32, but {declared}"),
        ("shape (1, 4)", np.zeros((1, 4)), f"shape (1, 4) and dtype float64, but {declared}"),
        ("a bare int", 3, f"shape () and dtype int64, but {declared}"),
        ("None", None, f"type None and dtype object, but {declared}"),
        ("words", ["a"] * 4, f"type list and dtype <U1, but {declared}"),
        ("a ragged list", [[1], [2, 3]], "type list, which is no array"),
        ("a dict", {"a": 1}, f"type dict and dtype object, but {declared}"),
        ("complex", np.zeros(4, complex), f"type ndarray and dtype complex128, but {declared}"),
        ("NaN", np.array([0, np.nan, 0, 0], np.float32), "nan, which is not finite"),
        ("infinity", np.array([0, np.inf, 0, 0]), "inf, which is not finite"),
        ("too large", np.array([0, 1e300, 0, 0]), f"dtype float64 and values such as 1e+300, but {declared}"),
    ]
    for name, value, words in wrong:
        CASES[f"reset: {name}"] = Case(reset=observed(value), refused=f"reset: observation has {words}")
        CASES[f"step: {name}"] = Case(step=observed(value), refused=f"step: observation has {words}")
    for name, space, value, words in [
        ("half an integer", box("int64", (2,)), np.array([0.5, 1]), "has dtype float64 and values such as 0.5"),
        ("300 as a byte", box("uint8", (2,)), np.array([1, 300]), "has dtype int64 and values such as 300"),
        ("-1 as a byte", box("uint8", (2,)), np.array([-1, 2], np.int8), "has dtype int8 and values such as -1"),
        ("too large for int8", box("int8", (2,)), np.array([1, 300]), "has dtype int64 and values such as 300"),
        ("NaN as an integer", box("int64", (2,)), np.array([np.nan, 1]), "has dtype float64 and values such as nan"),
        ("a scalar for ()", box("float32", ()), np.zeros(1), "has shape (1,) and dtype float64"),
        ("beyond Discrete", spaces.Discrete(3), 3, "has [3], but observation_space declares [0] to [2]"),
        ("half a choice", spaces.Discrete(3), 0.5, "has [0.5], but"),
        ("a word for Discrete", spaces.Discrete(3), "1", "has type str"),
        ("one number too few", spaces.MultiDiscrete([2, 2]), [1], "has shape (1,)"),
        ("two as a bit", spaces.MultiBinary(2), [2, 0], "has [2, 0], but"),
        ("a missing part", spaces.Dict({"a": spaces.Discrete(2)}), {}, "observation has no part 'a'"),
        ("no dict", spaces.Dict({"a": spaces.Discrete(2)}), 1, "observation has type int, but"),
        ("a wrong part", spaces.Dict({"a": box("int8", (2,))}), {"a": [1]}, "observation['a'] has shape (1,)"),
        ("a short tuple", spaces.Tuple([box("int8", (2,))] * 2), ([1, 1],), "observation has no part 1"),
    ]:
        CASES[f"step: {name}"] = Case(space, step=observed(value), refused=words)
        CASES[f"reset: {name}"] = Case(space, reset=observed(value), refused=words)
    for name, space, value in [
        ("a list", box("float32", (2,)), lambda right: right.tolist()),
        ("float64 for float32", box("float32", (2,)), lambda right: right.astype(np.float64)),
        ("whole floats for integers", box("int64", (2,)), lambda right: right.astype(np.float64)),
        ("int64 for bytes", box("uint8", (2,)), lambda right: right.astype(np.int64)),
        ("a float for ()", box("float32", ()), float),
        ("an array for Discrete", spaces.Discrete(3), lambda right: np.array(right)),
    ]:
        CASES[f"harmless: {name}"] = Case(space, reset=observed(value), step=observed(value))


def _add_results() -> None:
    for name, value, words in [
        ("None", None, "step returned the reward None"),
        ("a word", "1", "step returned the reward '1'"),
        ("two rewards", [1, 2], "step returned the reward [1, 2]"),
        ("NaN", float("nan"), "step returned the reward nan"),
        ("infinity", float("inf"), "step returned the reward inf"),
        ("minus infinity", np.float32("-inf"), "step returned the reward -inf"),
        ("too large", 1e300, "step returned the reward 1e+300"),
        ("complex", 1j, "step returned the reward 1j"),
    ]:
        CASES[f"reward: {name}"] = Case(step=replaced(1, value), refused=words)
    for value in (1, True, np.float32(1), np.array([1.0]), np.array(1), np.int8(1), np.array([[1]])):
        CASES[f"reward: {value!r}"] = Case(step=replaced(1, value))
    for index, name in ((2, "terminated"), (3, "truncated")):
        for value in ("no", None, 2, 0.0, [], np.array([True, False]), {}):
            CASES[f"{name}: {value!r}"] = Case(step=replaced(index, value), refused=f"step returned {name}=")
        for value in (0, np.bool_(False), np.array([False]), np.int64(0)):
            CASES[f"{name}: {value!r}"] = Case(step=replaced(index, value))
    step = "step returned {}, not a tuple of observation, reward"
    reset = "reset returned {}, not a tuple of observation"
    CASES.update(
        {
            "step of the old API": Case(step=lambda o, r, t, u, i: (o, r, t, i), refused="step returned 4 values"),
            "step returns a list": Case(step=lambda *right: list(right), refused=step.format("list")),
            "step returns None": Case(step=lambda *_: None, refused=step.format("None")),
            "step without info": Case(step=replaced(4, None), refused="step returned None as info"),
            "reset of the old API": Case(reset=lambda o, i: o, refused=reset.format("ndarray")),
            "reset of a pair": Case(box("float32", (2,)), reset=lambda o, i: o, refused=reset.format("ndarray")),
            "reset returns None": Case(reset=lambda *_: None, refused=reset.format("None")),
            "reset returns three": Case(reset=lambda o, i: (o, 0, i), refused=reset.format("3 values")),
            "reset without info": Case(reset=replaced(1, 7), refused="reset returned int as info"),
        }
    )
    for error in (ValueError("no"), KeyError("x"), RecursionError(), StopIteration(), SystemExit(0), Quit("out"),
                  AssertionError(), MemoryError()):  # fmt: skip
        name = type(error).__name__
        CASES[f"make raises {name}"] = Case(make=throw(error), refused="env.id=Made-v0 cannot be made: ")
        CASES[f"reset raises {name}"] = Case(reset=throw(error), refused=f"env.id=Made-v0: reset raised {name}")
        CASES[f"step raises {name}"] = Case(step=throw(error), refused=f"env.id=Made-v0: step raised {name}")
        CASES[f"close raises {name}"] = Case(close=throw(error))
        CASES[f"render raises {name}"] = Case(render=throw(error), refused=f"env.id=Made-v0: render raised {name}")


def _add_frames() -> None:
    white = np.ones((2, 4, 3))
    for name, value in {
        "floats up to 1": white.astype(np.float32),
        "floats up to 255": white * 255,
        "int64": white.astype(np.int64) * 255,
        "bool": white.astype(bool),
        "RGBA": np.full((2, 4, 4), 255, np.uint8),
        "gray": np.full((2, 4), 255, np.uint8),
        "one channel": np.full((2, 4, 1), 255, np.uint8),
        "channels first": np.full((3, 2, 5), 255, np.uint8),
        "a list of frames": [np.full((2, 4, 3), 255, np.uint8)],
    }.items():
        CASES[f"frames: {name}"] = Case(render=lambda value=value: value)
    for name, value in {
        "None": None,
        "text": "a map",
        "one axis": np.zeros(3),
        "seven channels": np.zeros((2, 4, 7)),
        "nothing": np.zeros((0, 4, 3)),
        "NaN": white * np.nan,
        "negative": -white,
        "16 bits": (white * 60_000).astype(np.uint16),
    }.items():
        words = "Made-v0 cannot be shown: its `render`"
        CASES[f"frames: {name}"] = Case(render=lambda value=value: value, refused=words)


_add_spaces(), _add_observations(), _add_results(), _add_frames()
