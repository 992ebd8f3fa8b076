"""Options of actors in processes of Ray."""

from typing import Any, Literal

from pydantic import Field

from sandbox.config.base import Config
from sandbox.config.numbers import Length, NumEnvs, Steps
from sandbox.core.errors import UserError
from sandbox.interfaces.acting import ActorSource


class RayActors(Config):
    """Actors in processes of Ray, on this machine or in a cluster. Such a run is not repeatable to the bit."""

    engine: Literal["ray"] = Field(default="ray", description="what starts the actors")
    count: NumEnvs = Field(default=4, description="actors, each with its share of `replay.num_envs` environments")
    length: Length = Field(default=16, description="steps of each environment that an actor delivers at a time")
    weights_period: Steps = Field(default=100, description="updates between two copies of the weights for the actors")
    address: str | None = Field(
        default=None, description="HOST:PORT of a Ray cluster; null starts one on this machine's loopback address"
    )


def require_shares(actors: RayActors | None, num_envs: int) -> None:
    """Raise `ValueError` if the environments cannot be divided equally among the actors."""
    if actors is not None and num_envs % actors.count:
        more = -(-num_envs // actors.count) * actors.count
        raise ValueError(
            f"{actors.count} actors cannot have equal shares of replay.num_envs={num_envs}; set it to {more}"
        )


def require_actors(source: Any) -> ActorSource:
    """Return a source of environments that can start actors.

    Raises:
        UserError: If it cannot.
    """
    if not isinstance(source, ActorSource):
        raise UserError("agent.stream.actors: only a run can start actors; leave the option out")
    return source
