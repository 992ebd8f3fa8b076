"""The recurrent state of an agent, a tree of tensors, and the functions that change it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

# None, a tensor [N, ...], or a tuple or dict of states. A tuple is the state of a recurrent core, and so is the entry
# `recurrent` of a dict. The entry `attention` [N, h, w] holds the attention weights.
RecurrentState = Any


def map_state(change: Callable[..., Any], state: RecurrentState, *others: RecurrentState) -> RecurrentState:
    """Apply `change` to each tensor of a state, and to the tensors at the same places in `others`."""
    if isinstance(state, dict):
        return {name: map_state(change, part, *(other[name] for other in others)) for name, part in state.items()}
    if isinstance(state, tuple):
        return tuple(map_state(change, *parts) for parts in zip(state, *others, strict=True))
    return None if state is None else change(state, *others)


def advance_state(state: RecurrentState, rewards: np.ndarray, ended: np.ndarray) -> RecurrentState:
    """Return the state that the next step begins with.

    Args:
        state: The state that `act` returned. If it is a dict with an entry `reward`, that entry receives the rewards.
        rewards: Rewards [N] of the step.
        ended: Where the state is set to zero, [N].
    """
    if isinstance(state, dict) and "reward" in state:
        state = state | {"reward": torch.from_numpy(rewards).to(state["reward"], copy=True)}
    return reset_where(state, ended)


def reset_where(state: RecurrentState, ended: np.ndarray) -> RecurrentState:
    """Set the state of the environments `ended` [N] to zero."""
    if not ended.any():
        return state
    keep = torch.from_numpy(~ended)
    return map_state(lambda part: part * keep.view(-1, *[1] * (part.dim() - 1)).to(part), state)
