"""Random play under random options: 50,000 steps per environment (20,000 of a gym id) break no invariant."""

from types import NoneType, UnionType
from typing import Annotated, Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from sandbox.environments.batch import BatchEnv, BatchEnvConfig
from sandbox.environments.config import EnvConfig
from sandbox.envs._gymnasium import config_of
from sandbox.envs.atari import AtariConfig
from sandbox.envs.gym import GymConfig
from sandbox.runs import registry

NAMES = [name for name in registry.names("envs") if issubclass(registry.config_class("envs", name), BatchEnvConfig)]
COPIES, STEPS, EXAMPLES = 125, 40, 10  # 50,000 steps


def options_of(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any of the options that the environment's config allows."""
    fields = registry.config_class("envs", name).model_fields
    return st.fixed_dictionaries(
        {}, optional={key: values_of(field) for key, field in fields.items() if key not in ("name", "wrappers")}
    )


def values_of(field: FieldInfo) -> st.SearchStrategy[Any]:
    kinds = get_args(field.annotation) if isinstance(field.annotation, UnionType) else (field.annotation,)
    limits = field.metadata
    return st.one_of(
        st.none() if kind is NoneType else st.from_type(Annotated[kind, *limits] if limits else kind) for kind in kinds
    )


def make(name: str, options: dict[str, Any], num_envs: int) -> BatchEnv:
    try:
        return config_of(name, options).bare(num_envs)  # type: ignore[return-value]
    except ValueError:  # options that do not go together
        assume(False)
        raise


@pytest.mark.parametrize("name", NAMES)
def test_nothing_breaks(name: str) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(options_of(name), st.integers(0, 2**31))
    def play(options: dict[str, Any], seed: int) -> None:
        env = make(name, options, COPIES)
        env.action_space.seed(seed)
        observations, _ = env.reset(seed=seed)
        for _ in range(STEPS):
            assert env.observation_space.contains(observations)
            before = env.state_dict()
            observations, rewards, terminated, truncated, _ = env.step(actions := env.action_space.sample())
            assert (rewards.dtype, terminated.dtype, truncated.dtype) == (np.float32, np.bool_, np.bool_)
            assert np.isfinite(rewards).all()
            assert not (terminated & truncated).any()
            assert env.observation_space.contains(observations)
            ended = terminated | truncated
            if ended.any():
                kept = {key: value[~ended] for key, value in env.state_dict().items() if key != "rules"}
                shown = observations
                observations, _ = env.reset(options={"reset_mask": ended})
                assert np.array_equal(observations[~ended], shown[~ended])
                after = env.state_dict()
                assert all(np.array_equal(after[key][~ended], value, equal_nan=True) for key, value in kept.items())
        twin = make(name, options, COPIES)
        twin.load_state_dict(before)
        again, *_ = twin.step(actions)
        assert np.array_equal(again[~ended], observations[~ended])
        assert env.render_frame(0).dtype == np.uint8

    play()


@pytest.mark.parametrize(
    "env",
    [
        pytest.param(AtariConfig(game="breakout"), id="atari", marks=pytest.mark.learning),
        pytest.param(AtariConfig(game="seaquest", protocol="machado2018"), id="machado", marks=pytest.mark.learning),
        pytest.param(GymConfig(id="CartPole-v1"), id="gym"),
    ],
)
def test_nothing_breaks_elsewhere(env: EnvConfig) -> None:
    copies = 16
    play: Any = env.make(copies)
    play.action_space.seed(0)
    observations, _ = play.reset(seed=0)
    for _ in range((20_000 if isinstance(env, GymConfig) else 100_000) // copies):
        observations, rewards, terminated, truncated, infos = play.step(play.action_space.sample())
        assert play.observation_space.contains(observations)
        assert np.isfinite(rewards).all()
        lost = infos.get("life_lost", np.zeros(copies, bool))
        assert not (lost & ~terminated).any()
        if (ended := terminated | truncated).any():
            shown = observations
            observations, _ = play.reset(options={"reset_mask": ended})
            assert np.array_equal(observations[~ended], shown[~ended])
