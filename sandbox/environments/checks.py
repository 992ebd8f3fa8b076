"""What every environment checks: masks, actions, resets, and whose saved state it is."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import Space

from sandbox.core.errors import UserError


def reset_mask(options: dict[str, Any] | None, num_envs: int) -> np.ndarray:
    """Which environments [N] to reset: `options["reset_mask"]`, or all.

    Raises:
        ValueError: if it is no mask, or resets nothing.
    """
    mask = np.asarray((options or {}).get("reset_mask", np.ones(num_envs, bool)))
    if mask.shape != (num_envs,) or mask.dtype != np.bool_ or not mask.any():
        raise ValueError(f"options['reset_mask'] must be bool, of shape ({num_envs},), with at least one True")
    return mask


def legal(actions: np.ndarray, space: Space[Any], single: Space[Any]) -> np.ndarray:
    """The actions [N, ...] in the dtype of the batched `space`.

    Raises:
        ValueError: for actions outside it, or of another kind.
    """
    given, kind = np.asarray(actions), np.dtype(space.dtype)
    if given.shape != space.shape or not np.can_cast(given.dtype, kind, "same_kind"):
        raise ValueError(
            f"actions must be {kind} of shape {space.shape}, one of {single} for each environment; "
            f"got {given.dtype} of shape {given.shape}"
        )
    cast = given.astype(kind)
    if not space.contains(cast):
        raise ValueError(f"illegal action in {_few(given)}; each must be in {single}")
    return cast


def require_reset(ended: np.ndarray) -> None:
    """Refuse to step the environments that wait for a reset, `ended` [N].

    Raises:
        RuntimeError: and says how to reset them.
    """
    if ended.any():
        raise RuntimeError(
            f"environments {_few(np.flatnonzero(ended))} have not been reset; "
            "call reset(), or reset(options={'reset_mask': terminated | truncated}) after an episode's end"
        )


def require_same_rules(state: Mapping[str, Any], rules: Mapping[str, Any], num_envs: int) -> None:
    """Refuse a saved `state` of other rules or another number of copies; it holds its own `rules`, and `ended` [N].

    An option that it lacks is younger than the state, and passes.

    Raises:
        UserError: naming the options that differ.
    """
    there = state.get("rules", {"name": "something else"})
    if there.get("name") != rules["name"]:
        raise UserError(f"this state belongs to another environment: {there.get('name')}, not {rules['name']}")
    if differ := [
        f"{key} is {there[key]} there, {rules.get(key)} here" for key in there if there[key] != rules.get(key)
    ]:
        raise UserError(f"this state belongs to other options of {rules['name']}: {', '.join(differ)}")
    if len(state["ended"]) != num_envs:
        raise UserError(f"this state belongs to another num_envs: {len(state['ended'])} there, {num_envs} here")


def _few(values: np.ndarray) -> str:
    """A message names some of thousands."""
    return np.array2string(values, threshold=10, edgeitems=3, separator=", ")
