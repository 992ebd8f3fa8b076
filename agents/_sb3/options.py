"""Which of Stable-Baselines3's algorithms there are, and their keyword arguments as sections of a config.

The options are read from the signatures of the installed classes: numbers, true or false, lists and dicts of those.
Where Stable-Baselines3 takes a schedule, a config may give our `Linear`, in agent steps.
"""

import inspect
from collections.abc import Callable
from functools import reduce
from operator import or_
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, JsonValue, NonNegativeFloat, NonNegativeInt, PositiveInt, create_model, model_serializer
from sb3_contrib import QRDQN, TRPO, RecurrentPPO
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.type_aliases import Schedule

from sandbox.config.base import Config
from sandbox.config.schedules import Linear

ALGORITHMS: dict[str, type[BaseAlgorithm]] = {
    "a2c": A2C,
    "dqn": DQN,
    "ppo": PPO,
    "qrdqn": QRDQN,
    "recurrent_ppo": RecurrentPPO,
    "trpo": TRPO,
}
_CONTINUOUS = "it needs continuous actions, agents here choose among Discrete ones"
REFUSED = {
    "ars": "it tries out whole policies and learns from no batches",
    "crossq": _CONTINUOUS,
    "ddpg": _CONTINUOUS,
    "maskable_ppo": "it needs masks of legal actions, which environments here do not give",
    "sac": _CONTINUOUS,
    "td3": _CONTINUOUS,
    "tqc": _CONTINUOUS,
}

_KINDS: dict[Any, Any] = {  # what a config may give, by Stable-Baselines3's type hint; nothing else is an option
    NoneType: NoneType,
    bool: bool,
    int: PositiveInt,
    float: NonNegativeFloat,
    Schedule: Linear,
    tuple[int, str]: tuple[PositiveInt, Literal["step", "episode"]],
    list[int]: list[PositiveInt],
    dict[str, list[int]]: dict[str, list[PositiveInt]],
    dict[str, Any]: dict[str, JsonValue],
}
_FRACTION = Annotated[float, Field(ge=0, le=1)]
_RANGES: dict[str, Any] = {  # of options whose type says too little
    "exploration_fraction": _FRACTION,
    "exploration_initial_eps": _FRACTION,
    "exploration_final_eps": _FRACTION,
    "gae_lambda": _FRACTION,
    "gamma": _FRACTION,
    "gradient_steps": Annotated[int, Field(ge=-1)],  # -1: as many as steps were made
    "learning_starts": NonNegativeInt,
    "tau": _FRACTION,
}
_LEFT_OUT = {
    *("seed", "verbose", "stats_window_size", "_init_setup_model", "lr_schedule"),  # the run has its own
    *("use_sde", "sde_sample_freq", "log_std_init", "full_std", "use_expln", "squash_output"),  # continuous actions
    *("optimize_memory_usage", "replay_buffer_kwargs", "rollout_buffer_kwargs"),  # could undo what is promised
}


class Given(Config):
    """Only what was given is written down: the rest are the defaults of the Stable-Baselines3 that is installed."""

    @model_serializer(mode="wrap")
    def _given(self, handler: Callable[["Given"], dict[str, Any]]) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if name in self.model_fields_set}


def keywords(section: Config, total_steps: int) -> dict[str, Any]:
    """What `section` was given, as Stable-Baselines3 takes it; its schedules go by what is left of `total_steps`."""

    def plain(value: Any) -> Any:
        if isinstance(value, Linear):
            return lambda left: value.at((1 - left) * total_steps)
        return keywords(value, total_steps) if isinstance(value, Given) else value

    return {name: plain(value) for name, value in section if name in section.model_fields_set}


def _section(made: type, **sections: type[Given]) -> type[Given]:
    """The keyword arguments that the class `made` takes and a config can give; some of them are `sections`."""
    fields: dict[str, Any] = {name: (section, section()) for name, section in sections.items()}
    for name, parameter in inspect.signature(made).parameters.items():
        hint = parameter.annotation
        branches = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        kinds = [_RANGES.get(name) or _KINDS[branch] for branch in branches if branch in _KINDS]
        if name not in (*_LEFT_OUT, *sections) and set(kinds) - {NoneType}:
            fields[name] = (reduce(or_, kinds), parameter.default)
    return create_model(made.__name__, __base__=Given, __doc__=f"Keyword arguments of {made.__name__}.", **fields)


def _sections() -> dict[str, Any]:
    """For each algorithm; its policies for pixels and for features take the same options."""
    policies = {name: next(iter(each.policy_aliases.values())) for name, each in ALGORITHMS.items()}
    sections = {name: _section(each, policy_kwargs=_section(policies[name])) for name, each in ALGORITHMS.items()}
    return {name: (section, section()) for name, section in sections.items()}


Options: Any = create_model(
    "Options",
    __base__=Given,
    __doc__="Keyword arguments of each algorithm by its name, such as `ppo: {n_steps: 128}`; see its own documents.",
    **_sections(),
)
