"""The interfaces every room is built against: what a loop may ask of a learner, an agent and a stream."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from sandbox.config import Config
from sandbox.device import Compute
from sandbox.seeding import Rng

Metrics = Mapping[str, torch.Tensor | float]
# What a stateful agent carries: None, a tensor [N, ...], or a tuple or dict of states. A tuple is a memory, so is a
# dict's `memory`; a dict's `attention` [N, h, w] is where the agent looked.
State = Any


@dataclass(frozen=True)
class Spec:
    """What a source delivers: the shape of one observation or image, whether it is bytes, the actions or classes.

    `source_shape`: of what an image can be translated from, None where there is no such thing.
    """

    shape: tuple[int, ...]
    is_bytes: bool = True
    num_actions: int = 0
    num_classes: int = 0
    source_shape: tuple[int, ...] | None = None


class Stateful(Protocol):
    """Anything with a place in the checkpoint: a tree of tensors, arrays, numbers, strings, lists and dicts."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Any) -> Any: ...


class Learner(Protocol):
    """Something that improves a batch at a time and owns its optimisers."""

    def update(self, batch: Any) -> Metrics:
        """Learn from one batch; metrics are 0-d tensors or numbers, and nothing here waits for the device.

        An agent may be acting in the meantime: what `act` reads changes only after `Compute.beside.wait()`.
        """

    def parts(self) -> dict[str, Stateful]:
        """Everything that decides what comes next, by name."""


class Agent(Learner, Protocol):
    """A learner that acts, for N environments at once."""

    def initial_state(self, num_envs: int) -> State:
        """The carried state at an episode's start, zeros. A dict's `reward` [N] will be told after each step."""

    def act(self, observations: np.ndarray, state: State, *, explore: bool) -> tuple[np.ndarray, State]:
        """[N, *observation] -> actions [N] int64 and the next carried state."""


class Stream(Protocol):
    """An endless, restorable iterator of batches; it keeps the run's clock."""

    @property
    def step(self) -> int:
        """Agent steps (environments) or updates (data sets) so far."""

    def __next__(self) -> Any: ...
    def metrics(self) -> dict[str, float]:
        """What happened since the last call, e.g. `env/return`."""

    def parts(self) -> dict[str, Stateful]: ...


class StreamConfig(Config):
    """Says which batches a learner eats."""

    @abstractmethod
    def make(self, source: Any, learner: Any, rng: Rng, compute: Compute) -> Stream:
        """`source` is a `DataSet`, or a function from a number of copies to an `Environment`."""


class LearnerConfig(Config):
    """Config of an agent or a generator; `stream` says what it eats."""

    stream: StreamConfig

    @abstractmethod
    def make(self, spec: Spec, rng: Rng, compute: Compute) -> Any: ...


class AgentConfig(LearnerConfig):
    """A file under `agents/` defines exactly one."""


class Counter:
    """A number with a place in the checkpoint."""

    def __init__(self) -> None:
        self.value = 0

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.value = state["value"]


def each(change: Callable[..., Any], state: State, *others: State) -> State:
    """The same state with each of its tensors changed; `change` is also given those in its place in `others`."""
    if isinstance(state, dict):
        return {name: each(change, part, *(other[name] for other in others)) for name, part in state.items()}
    if isinstance(state, tuple):
        return tuple(each(change, *parts) for parts in zip(state, *others, strict=True))
    return None if state is None else change(state, *others)


def carry_on(state: State, rewards: np.ndarray, ended: np.ndarray) -> State:
    """After a step: who wants to know the last rewards [N] is told; zeros where an episode ended [N]."""
    if isinstance(state, dict) and "reward" in state:
        state = state | {"reward": torch.from_numpy(rewards).to(state["reward"], copy=True)}
    return zero_where(state, ended)


def zero_where(state: State, ended: np.ndarray) -> State:
    """Zero the carried state of the environments [N] whose episode ended."""
    if not ended.any():
        return state
    keep = torch.from_numpy(~ended)
    return each(lambda part: part * keep.view(-1, *[1] * (part.dim() - 1)).to(part), state)
