"""Acting apart from learning: agents whose copies act in other processes, and what those processes deliver."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import nn

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.stream import Stream


class Explorer(Protocol):
    """An agent's exploration, which may act in some of the environments of a run."""

    def begin_at(self, steps: int, first: int, total: int) -> None:
        """Explore as in environments number `first` and following of `total`, after `steps` agent steps of all."""


class RemoteAgent(ABC):
    """An agent whose copies can act in other processes."""

    @abstractmethod
    def acting(self) -> tuple[nn.Module, Explorer]:
        """Return the network that acts, and the exploration."""


@dataclass(frozen=True)
class Order:
    """A request to an actor.

    Attributes:
        weights: Weights of the acting network by name, or a reference to them.
        version: Number of updates that these weights have had.
        steps: Agent steps of all actors so far.
        length: Steps of each of the actor's environments.
    """

    weights: Any
    version: int
    steps: int
    length: int


@dataclass(frozen=True)
class Delivery:
    """Steps of one actor.

    Attributes:
        actor: Number of the actor.
        steps: The steps of its environments, `EnvStep` without recurrent states.
        version: Number of updates of the weights that it acted by.
        finished: Return and length of each game that ended.
        successes: 1 for a success and 0 for a failure, of the games that say it.
    """

    actor: int
    steps: list[Any]
    version: int
    finished: list[tuple[float, int]]
    successes: list[float]


@dataclass(frozen=True)
class Lost:
    """The death of an actor, with its number and the reason."""

    actor: int
    reason: str


class Actors(Protocol):
    """Processes that act."""

    def start(self, actor: int, seed: int) -> None:
        """Start an actor, or start it again, with the seed of its random streams."""

    def share(self, weights: dict[str, np.ndarray]) -> Any:
        """Return a reference to weights, for orders."""

    def order(self, actor: int, order: Order) -> None:
        """Let an actor act; the actor works on its orders one after the other."""

    def receive(self, seconds: float) -> Delivery | Lost | None:
        """Return the next delivery or death; None if there is none in this time."""


@runtime_checkable
class ActorSource(Protocol):
    """A source of environments that can also start actors."""

    def experience(self, replay: Any, actors: Any, sampler: Any, agent: Any, rng: Rng, compute: Compute) -> Stream:
        """Return the stream of a replay that actors fill; the first four are those of `sandbox.streams`."""
