"""Proportional prioritized replay.

Paper: Schaul, Quan, Antonoglou & Silver 2016, "Prioritized Experience Replay", the proportional variant.
Deviations: importance weights are normalized by their maximum in the batch, as in the paper's algorithm; the maximum
    priority is the largest ever seen, not the largest still stored.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from sandbox.buffers.replay import Replay, Transitions
from sandbox.buffers.sum_tree import SumTree
from sandbox.core.errors import UserError
from sandbox.core.stateful import ReplayPart

_LEAST = 1e-6  # added to every |error|, so that transitions without an error can be drawn again
_UNTOUCHED = -1.0  # marks priorities that the learner has not set


class Prioritized(NamedTuple):
    """Transitions drawn by their priorities.

    Attributes:
        transitions: The transitions.
        weights: Weights [B] of their losses, at most 1, which correct for the probabilities.
        priorities: New priorities [B], to be set by `set_priorities`.
    """

    transitions: Transitions
    weights: torch.Tensor
    priorities: torch.Tensor

    def set_priorities(self, errors: torch.Tensor) -> None:
        """Hand back the size of each transition's error, [B] >= 0; the next draw uses them.

        Without this, the transitions keep the priorities that they have.
        """
        self.priorities.copy_(errors)


class Drawn(NamedTuple):
    """Environments and places [B] that were drawn, with weights and priorities as in `Prioritized`."""

    env: np.ndarray
    place: np.ndarray
    weights: torch.Tensor
    priorities: torch.Tensor


Drawable = Callable[[Replay, np.ndarray, np.ndarray], np.ndarray]  # (environments, places) [B] -> which can be drawn


class Priorities(ReplayPart):
    """Priorities (|error| + 1e-6)^`priority_exponent` of the rows of a replay.

    Rows that cannot be drawn have priority 0.
    """

    def __init__(
        self,
        num_envs: int,
        length: int,
        priority_exponent: float,
        generator: np.random.Generator,
        behind: int,
        ahead: int = 1,
    ) -> None:
        """Begin with no rows.

        Args:
            num_envs: Rings of the replay.
            length: Rows of each ring.
            priority_exponent: 0 draws uniformly.
            generator: Generator of the draws.
            behind: Rows before a row that it needs: it is asked for again while they may have been overwritten.
            ahead: Rows that must have followed a row before it can be drawn.
        """
        self._num_envs, self._length, self._priority_exponent = num_envs, length, priority_exponent
        self._behind, self._ahead = behind, ahead
        self._generator, self._tree = generator, SumTree(num_envs * length)
        self._known = np.zeros(num_envs, np.int64)  # places of each ring that have been seen here
        self._largest = 1.0  # of the priorities so far: what new rows get
        self._pending: tuple[np.ndarray, torch.Tensor] | None = None  # rows of the last batch, and its priorities

    def draw(self, replay: Replay, drawable: Drawable, count: int, importance_exponent: float) -> Drawn:
        """Draw one row from each of `count` equal parts of the sum of all priorities.

        Args:
            replay: The replay.
            drawable: Says which rows can be drawn.
            count: Size of the batch.
            importance_exponent: The paper's beta: weights are (1 / probability)^beta.

        Raises:
            UserError: If the last batch's priorities are not numbers >= 0.
        """
        self._read()  # before the rows that have been added since: what they replaced must not come back
        self._take_in(replay, drawable)
        parts = np.arange(count) + self._generator.random(count)
        rows = self._tree.find(parts * (self._tree.total / count))
        env, newest = rows // self._length, replay.span()[1]
        place = newest[env] - (newest[env] - rows) % self._length
        drawn = self._tree.values[rows]
        weights = replay.send((drawn.min() / drawn) ** importance_exponent).float()
        self._pending = rows, torch.full_like(weights, _UNTOUCHED)
        return Drawn(env, place, weights, self._pending[1])

    def _take_in(self, replay: Replay, drawable: Drawable) -> None:
        """Give new rows the largest priority once they can be drawn, and rows that cannot be drawn 0."""
        oldest, newest = replay.span()
        self._tree.write(replay.row(*_places(np.maximum(self._known, oldest), newest)), 0.0)  # what they replaced
        cut = _places(oldest, np.minimum(oldest + self._behind - 1, newest))
        ripe = _places(np.maximum(self._known - self._ahead, oldest), newest - self._ahead)
        env, place = (np.concatenate(pair) for pair in zip(cut, ripe, strict=True))
        rows = replay.row(env, place)
        held = self._tree.values[rows]
        held[len(cut[0]) :] = self._largest
        self._tree.write(rows, np.where(drawable(replay, env, place), held, 0.0))
        self._known = newest + 1

    def _read(self) -> None:
        """Take over the priorities that the learner set; this waits for the device."""
        if self._pending is None:
            return
        (rows, tensor), self._pending = self._pending, None
        errors = tensor.cpu().numpy().astype(np.float64)
        touched = errors != _UNTOUCHED
        bad = touched & ~(np.isfinite(errors) & (errors >= 0))
        if bad.any():
            raise UserError(
                f"{bad.sum()} of {len(errors)} priorities in the last batch are not numbers >= 0; the first is "
                f"{errors[bad][0]:g}. Priorities are the sizes of the learner's errors. Likely causes: a learning rate "
                "that is too large (try a tenth of it), gradients without a limit (set clip_norm: 10 in the "
                "optimizer's section), or rewards or inputs that are not finite."
            )
        priorities = (errors[touched] + _LEAST) ** self._priority_exponent
        self._tree.write(rows[touched], priorities)
        self._largest = max(self._largest, priorities.max(initial=0.0))

    def state_dict(self) -> dict[str, Any]:
        """Return the priorities of the rows that have been written, and counters."""
        self._read()
        used = int(np.minimum(self._known, self._length).max())
        rings = self._tree.values.reshape(self._num_envs, self._length)
        return {"rings": rings[:, :used], "known": self._known, "largest": self._largest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        rings = np.zeros((self._num_envs, self._length))
        rings[:, : state["rings"].shape[1]] = state["rings"]
        self._tree.fill(rings.ravel())
        self._known, self._largest, self._pending = state["known"].copy(), float(state["largest"]), None


def _places(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all places from `first` [N] to `last` [N], both included, as (environment, place)."""
    counts = np.maximum(last - first + 1, 0)
    starts = np.cumsum(counts) - counts
    env = np.repeat(np.arange(len(counts)), counts)
    return env, np.arange(counts.sum()) - starts[env] + first[env]
