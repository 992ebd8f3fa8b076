"""Checks that every environment makes: reset masks, actions, pending resets and saved states."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import Space, spaces

from sandbox.core.errors import UserError

_ROUNDING = 1e-5  # relative errors of actions that were scaled to their bounds


def reset_mask(options: dict[str, Any] | None, num_envs: int) -> np.ndarray:
    """Return the environments to reset, [N] bool: `options["reset_mask"]`, or all.

    Raises:
        ValueError: If the mask has another shape or type, or selects no environment.
    """
    mask = np.asarray((options or {}).get("reset_mask", np.ones(num_envs, bool)))
    if mask.shape != (num_envs,) or mask.dtype != np.bool_ or not mask.any():
        raise ValueError(f"options['reset_mask'] must be bool, of shape ({num_envs},), with at least one True")
    return mask


def legal(actions: np.ndarray, space: Space[Any], single: Space[Any]) -> np.ndarray:
    """Return the actions [N, ...] in the dtype of `space`; those of a Box are clipped if rounding took them outside.

    Args:
        actions: One action for each environment, [N, ...].
        space: Action space of all environments together.
        single: Action space of one environment, for the message.

    Raises:
        ValueError: For actions outside the space, or of another shape or type.
    """
    given, kind = np.asarray(actions), np.dtype(space.dtype)
    if given.shape != space.shape or not np.can_cast(given.dtype, kind, "same_kind"):
        raise ValueError(
            f"actions must be {kind} of shape {space.shape}, one of {single} for each environment; "
            f"got {given.dtype} of shape {given.shape}"
        )
    cast = given.astype(kind)
    if isinstance(space, spaces.Box):
        inside = cast.clip(space.low, space.high)
        if not (abs(cast - inside) <= _ROUNDING * np.maximum(abs(inside), 1)).all():
            raise ValueError(f"illegal action in {_few(given)}; each must be in {single}")
        return inside
    if not _contains(space, cast):
        raise ValueError(f"illegal action in {_few(given)}; each must be in {single}")
    return cast


def _contains(space: Space[Any], actions: np.ndarray) -> bool:
    """Return whether the actions are in a space; for one Discrete space each, several times faster than `contains`."""
    if not isinstance(space, spaces.MultiDiscrete):
        return space.contains(actions)
    numbers = actions - space.start
    return bool(numbers.min() >= 0 and (numbers < space.nvec).all())


def require_reset(ended: np.ndarray) -> None:
    """Refuse a step while environments wait for a reset.

    Args:
        ended: Environments that wait for a reset, [N] bool.

    Raises:
        RuntimeError: Names the environments and says how to reset them.
    """
    if ended.any():
        raise RuntimeError(
            f"environments {_few(np.flatnonzero(ended))} have not been reset; "
            "call reset(), or reset(options={'reset_mask': terminated | truncated}) after an episode's end"
        )


def require_same_rules(state: Mapping[str, Any], rules: Mapping[str, Any], num_envs: int) -> None:
    """Refuse a saved state that was made with other options or another number of copies.

    An option that is missing in the state was added after it was saved; this is no error.

    Args:
        state: A saved state, with its `rules` and `ended` [N].
        rules: Options of this environment, with its `name`.
        num_envs: Number of copies N of this environment.

    Raises:
        UserError: Names the options that differ.
    """
    saved = state.get("rules", {"name": "something else"})
    if saved.get("name") != rules["name"]:
        raise UserError(f"this state belongs to another environment: {saved.get('name')}, not {rules['name']}")
    if differ := [
        f"{key} is {saved[key]} there, {rules.get(key)} here" for key in saved if saved[key] != rules.get(key)
    ]:
        raise UserError(f"this state belongs to other options of {rules['name']}: {', '.join(differ)}")
    if len(state["ended"]) != num_envs:
        raise UserError(f"this state belongs to another num_envs: {len(state['ended'])} there, {num_envs} here")


def _few(values: np.ndarray) -> str:
    """Format an array for a message; long ones are shortened."""
    return np.array2string(values, threshold=10, edgeitems=3, separator=", ")
