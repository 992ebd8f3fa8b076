"""The algorithms of Stable-Baselines3, and their keyword arguments as sections of a config.

The options are read from the signatures of the installed classes: numbers, booleans, and lists and dicts of them.
Where Stable-Baselines3 accepts a schedule, a config may give a linear one, in agent steps.
"""

import inspect
from collections.abc import Callable
from functools import reduce
from operator import or_
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import Field, JsonValue, create_model, model_serializer
from sb3_contrib import QRDQN, TQC, TRPO, CrossQ, RecurrentPPO
from stable_baselines3 import A2C, DDPG, DQN, PPO, SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.noise import ActionNoise, NormalActionNoise
from stable_baselines3.common.type_aliases import Schedule

from sandbox.config import numbers
from sandbox.config.base import Config
from sandbox.config.schedules import Linear

ALGORITHMS: dict[str, type[BaseAlgorithm]] = {
    "a2c": A2C,
    "crossq": CrossQ,
    "ddpg": DDPG,
    "dqn": DQN,
    "ppo": PPO,
    "qrdqn": QRDQN,
    "recurrent_ppo": RecurrentPPO,
    "sac": SAC,
    "td3": TD3,
    "tqc": TQC,
    "trpo": TRPO,
}
ACTION_KINDS: dict[str, tuple[str, ...]] = {  # of algorithms that cannot choose from both
    "dqn": ("Discrete",),
    "qrdqn": ("Discrete",),
    **dict.fromkeys(("crossq", "ddpg", "sac", "td3", "tqc"), ("Box",)),
}
REFUSED = {
    "ars": "it tries out whole policies and learns from no batches",
    "maskable_ppo": "it needs masks of legal actions, which environments here do not give",
}

# Types of options by the type hints of Stable-Baselines3; arguments of other types are no options.
_KINDS: dict[Any, Any] = {
    NoneType: NoneType,
    bool: bool,
    int: numbers.Steps,
    float: numbers.NonNegative,
    Schedule: Linear,
    Callable: Linear,
    tuple[int, str]: tuple[numbers.Steps, Literal["step", "episode"]],
    list[int]: list[numbers.Width],
    dict[str, list[int]]: dict[str, list[numbers.Width]],
    dict[str, Any]: dict[str, JsonValue],
    ActionNoise: numbers.NonNegative,
}
_RANGES: dict[str, Any] = {  # of options whose type hint allows too much
    "batch_size": numbers.BatchSize,
    "buffer_size": numbers.Capacity,
    "n_steps": numbers.Length,
    "n_critics": numbers.Depth,
    "n_lstm_layers": numbers.Depth,
    "lstm_hidden_size": numbers.StateSize,
    "n_quantiles": numbers.Width,
    "exploration_fraction": numbers.Probability,
    "exploration_initial_eps": numbers.Probability,
    "exploration_final_eps": numbers.Probability,
    "gae_lambda": numbers.Probability,
    "gamma": numbers.Probability,
    "gradient_steps": Annotated[int, Field(ge=-1, le=1_000_000)],  # -1: as many as agent steps
    "learning_starts": numbers.StepsOrZero,
    "ent_coef": numbers.NonNegative | Annotated[str, Field(pattern=r"^auto(_[0-9.]*[1-9][0-9]*)?$")],
    "target_entropy": numbers.Real | Literal["auto"],
    "tau": numbers.Probability,
}
_LEFT_OUT = {
    *("seed", "verbose", "stats_window_size", "_init_setup_model", "lr_schedule"),  # the run has its own
    *("use_sde", "sde_sample_freq", "log_std_init", "full_std", "use_expln", "squash_output"),  # noise of the policy
    "use_sde_at_warmup",
    *("optimize_memory_usage", "replay_buffer_kwargs", "rollout_buffer_kwargs"),  # would change what is saved
}


class Given(Config):
    """A section that is saved without its defaults, which are those of the installed Stable-Baselines3."""

    @model_serializer(mode="wrap")
    def _given(self, handler: Callable[["Given"], dict[str, Any]]) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if name in self.model_fields_set}


def keywords(section: Config, total_steps: int, num_actions: int = 0) -> dict[str, Any]:
    """Return the given options of a section as keyword arguments.

    Schedules become functions of the remaining share of `total_steps`, as Stable-Baselines3 expects, and a number for
    `action_noise` the Gaussian noise of that standard deviation on `num_actions` numbers.
    """

    def plain(name: str, value: Any) -> Any:
        if isinstance(value, Linear):
            return lambda left: value.at((1 - left) * total_steps)
        if name == "action_noise" and value is not None:
            return NormalActionNoise(np.zeros(num_actions), np.full(num_actions, value))
        return keywords(value, total_steps) if isinstance(value, Given) else value

    return {name: plain(name, value) for name, value in section if name in section.model_fields_set}


def _section(made: type, **sections: type[Given]) -> type[Given]:
    """Return a config class of the keyword arguments of the class `made`; some of them are `sections`."""
    fields: dict[str, Any] = {
        name: (section, Field(default=section(), description=f"keyword arguments of {section.__name__}"))
        for name, section in sections.items()
    }
    for name, parameter in inspect.signature(made).parameters.items():
        hint = parameter.annotation
        branches = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        kinds = [_RANGES.get(name) or _KINDS[branch] for branch in branches if branch in _KINDS]
        if name not in (*_LEFT_OUT, *sections) and set(kinds) - {NoneType}:
            about = f"argument of {made.__name__}: see Stable-Baselines3's manual"
            if name == "action_noise":
                about = "standard deviation of Gaussian noise on the actions, which are scaled to [-1, 1]"
            fields[name] = (reduce(or_, kinds), Field(default=parameter.default, description=about))
    return create_model(made.__name__, __base__=Given, __doc__=f"Keyword arguments of {made.__name__}.", **fields)


def _sections() -> dict[str, Any]:
    """Return the section of each algorithm; its policies for pixels and for features have the same options."""
    policies = {name: next(iter(each.policy_aliases.values())) for name, each in ALGORITHMS.items()}
    sections = {name: _section(each, policy_kwargs=_section(policies[name])) for name, each in ALGORITHMS.items()}
    return {
        name: (section, Field(default=section(), description=f"keyword arguments of {section.__name__}"))
        for name, section in sections.items()
    }


Options: Any = create_model(
    "Options",
    __base__=Given,
    __doc__="Keyword arguments of each algorithm by name, e.g. `ppo: {n_steps: 128}`: see Stable-Baselines3's manual.",
    **_sections(),
)
