"""Copies of the spaces of an environment, because spaces are sources of random numbers."""

from contextlib import suppress
from copy import deepcopy
from typing import Any

import gymnasium
from gymnasium import Space


def own_spaces(env: gymnasium.Env[Any, Any]) -> list[Space[Any]]:
    """Give an environment spaces of its own, and return all spaces that it may sample from.

    An environment that calls `self.action_space.sample()` repeats itself only if that space is seeded, too. Many
    environments have their spaces as attributes of the class, which all copies share.
    """
    inner: Any = env.unwrapped
    with suppress(Exception):  # a property, or no attribute at all
        inner.action_space = deepcopy(inner.action_space)
    with suppress(Exception):
        inner.observation_space = deepcopy(inner.observation_space)
    found: dict[int, Any] = {}
    for each in (inner, env):
        with suppress(AttributeError):  # some have spaces in their wrappers only
            for space in (each.observation_space, each.action_space):
                found[id(space)] = space
    return [space for space in found.values() if isinstance(space, Space)]
