"""Wrappers in configs: their order, their options, and messages that say where a mistake is."""

import inspect
from typing import Any

import numpy as np
import pytest

from sandbox.core.errors import UserError
from sandbox.envs.catch import CatchConfig
from sandbox.runs import registry
from sandbox.runs.resolve import resolve

NAMES = registry.names("wrappers")


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
def test_two_wrappers_and_the_environment_share_no_random_numbers(second: dict[str, Any]) -> None:
    env = CatchConfig.model_validate({"observe": "features", "wrappers": [{"flicker": {}}, second]}).make(2_000)
    blank = (env.reset(seed=0)[0] == 0).all(axis=1)
    assert abs(blank.mean() - 0.75) < 4 * (0.75 * 0.25 / 2_000) ** 0.5
    balls = CatchConfig(observe="features").make(2_000).reset(seed=0)[0][:, :5].argmax(axis=1)
    assert abs(np.corrcoef(blank, balls)[0, 1]) < 4 / 2_000**0.5


def test_the_first_wrapper_is_the_innermost() -> None:
    order = [{"frame_stack": {"count": 2}}, {"previous_action_reward": {}}]
    shapes = [
        CatchConfig.model_validate({"observe": "features", "wrappers": wrappers}).make(1).single_observation_space.shape
        for wrappers in (order, order[::-1])
    ]
    assert shapes == [(50 * 2 + 4,), ((50 + 4) * 2,)]


def test_a_wrapper_that_does_not_fit_is_named_with_its_place() -> None:
    with pytest.raises(UserError) as error:
        CatchConfig.model_validate({"wrappers": [{"noise": {}}, {"previous_action_reward": {}}]}).make(1)
    assert str(error.value) == (
        "env.wrappers.1.previous_action_reward: needs vectors of floats, but this environment has uint8 of "
        "shape [1, 84, 84]; set env.observe=features if it has them, or leave this wrapper out of env.wrappers"
    )


@pytest.mark.parametrize(
    ("wrappers", "message"),
    [
        ("[{flikcer: {p: 0.5}}]", "env.wrappers.0.flikcer: unknown option. "
         "Did you mean env.wrappers='[{flicker: {p: 0.5}}]'?"),
        ("[{flicker: {p: 1.5}}]", "env.wrappers.0.flicker.p: needs a value <= 1, got 1.5."),
        ("[{flicker: {}}, {blackout: {steps: 0}}]", "env.wrappers.1.blackout.steps: needs a value >= 1, got 0."),
        ("[{noise: {std: -1}}]", "env.wrappers.0.noise.std: needs a value >= 0, got -1."),
        ("[{frame_stack: {cuont: 4}}]", "env.wrappers.0.frame_stack.cuont: unknown option. "
         "Did you mean env.wrappers='[{frame_stack: {count: 4}}]'?"),
        ("[{time_limit: {}}]", "env.wrappers.0.time_limit.steps: missing. It needs a whole number."),
        ("[{flicker: {}, noise: {}}]",
         "env.wrappers.0: an item is one wrapper with its options, such as `flicker: {p: 0.5}` (`flicker: {}` for the "
         f"defaults); this has flicker and noise. Known: {', '.join(NAMES)}."),
        ("[{}]",
         "env.wrappers.0: an item is one wrapper with its options, such as `flicker: {p: 0.5}` (`flicker: {}` for the "
         f"defaults); this has none. Known: {', '.join(NAMES)}."),
        ("[flicker]", f"env.wrappers.0: needs a section ({', '.join(NAMES)}), got 'flicker'. "
         "Did you mean env.wrappers='[{flicker: {}}]'?"),
        ("flicker", f"needs a list of sections ({', '.join(NAMES)}), got 'flicker'. "
         "Did you mean env.wrappers='[{flicker: {}}]'?"),
        ("{flicker: {}}", f"needs a list of sections ({', '.join(NAMES)}), got a section. "
         "Did you mean env.wrappers='[{flicker: {}}]'?"),
        ("{0: {}}", f"needs a list of sections ({', '.join(NAMES)}), got a section. "
         "A list is given whole: env.wrappers=[...]."),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_place(wrappers: str, message: str) -> None:
    override = f"env.wrappers={wrappers}"
    with pytest.raises(UserError) as error:
        resolve(["catch_dqn"], [override])
    assert str(error.value) == f"command line: {override}: {message}"
