"""The recurrent state of an agent, a tree of tensors, and the functions that change it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

# None, a tensor [N, ...], or a tuple or dict of states. A tuple is the state of a recurrent core, and so is the entry
# `recurrent` of a dict. The entry `attention` [N, h, w] holds the attention weights.
RecurrentState = Any


def map_state(change: Callable[..., Any], state: RecurrentState, *others: RecurrentState) -> RecurrentState:
    """The same state with each of its tensors changed; `change` is also given those in its place in `others`."""
    if isinstance(state, dict):
        return {name: map_state(change, part, *(other[name] for other in others)) for name, part in state.items()}
    if isinstance(state, tuple):
        return tuple(map_state(change, *parts) for parts in zip(state, *others, strict=True))
    return None if state is None else change(state, *others)


def advance_state(state: RecurrentState, rewards: np.ndarray, ended: np.ndarray) -> RecurrentState:
    """After a step: who wants to know the last rewards [N] is told; zeros where an episode ended [N]."""
    if isinstance(state, dict) and "reward" in state:
        state = state | {"reward": torch.from_numpy(rewards).to(state["reward"], copy=True)}
    return reset_where(state, ended)


def reset_where(state: RecurrentState, ended: np.ndarray) -> RecurrentState:
    """Zero the carried state of the environments [N] whose episode ended."""
    if not ended.any():
        return state
    keep = torch.from_numpy(~ended)
    return map_state(lambda part: part * keep.view(-1, *[1] * (part.dim() - 1)).to(part), state)
