"""Actors of a run in processes of Ray. No code is sent to them: an actor gets a config."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sandbox.config.yaml_text import Origin
from sandbox.core.closing import when_unused
from sandbox.core.compute import Compute, choose
from sandbox.core.errors import UserError
from sandbox.core.processes import ALONE
from sandbox.core.rng import Rng
from sandbox.interfaces.acting import Delivery, Lost, Order, RemoteAgent
from sandbox.interfaces.agent import TransitionLearner
from sandbox.interfaces.environment import Environment, spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.stream import Stream
from sandbox.runs.config import AgentRun
from sandbox.runs.own_members import own
from sandbox.runs.ray_connection import connect
from sandbox.runs.remembered_members import words_of_members
from sandbox.runs.resolve import checked
from sandbox.streams.actor import Actor
from sandbox.streams.experience import ReplayConfig, ReplaySampler
from sandbox.streams.ray_options import RayActors
from sandbox.streams.remote_experience import RemoteExperience, load_weights

_STORE = 500_000_000  # bytes for weights and deliveries in a cluster of our own


class EnvSource:
    """The environments of a run, and actors in them."""

    def __init__(self, config: AgentRun) -> None:
        self._config = config

    def __call__(self, num_envs: int) -> Environment:
        """Make an environment of this number of copies."""
        return self._config.env.make(num_envs)

    def experience(
        self,
        replay: ReplayConfig,
        actors: RayActors,
        sampler: ReplaySampler,
        agent: TransitionLearner,
        rng: Rng,
        compute: Compute,
    ) -> Stream:
        """Return the stream of a replay that actors fill.

        Raises:
            UserError: If several processes learn, or there is no Ray or no cluster.
        """
        if compute.processes is not ALONE:
            raise UserError("agent.stream.actors: a run with actors learns in one process; start it without torchrun")
        with closing(self(1)) as env:
            spec = spec_of(env)
        pool = RayPool(self._config, actors.count, replay.num_envs, actors.address)
        return RemoteExperience(replay, actors, sampler, pool, spec, agent, rng, compute.device)


class RemoteActor:
    """An actor, as it lives in its process."""

    def __init__(self, actor: int, settings: str, members: Sequence[str], seed: int, share: int, total: int) -> None:
        """Build this actor's share of a run's environments, and its agent.

        Args:
            actor: Number of the actor.
            settings: The run's config in JSON.
            members: Files of members from outside of this package.
            seed: Seed of the random streams.
            share: Number of environments of each actor.
            total: Number of environments of all actors.
        """
        torch.set_num_threads(1)
        for member in members:
            own.add(Path(member))
        config = checked(json.loads(settings), {(): Origin("the run's config")}).require_agent("the run")
        self._actor, self._first, self._total = actor, actor * share, total
        rng, env = Rng(seed), config.env.make(share)
        agent = config.agent.make(spec_of(env), rng, choose("cpu"), NO_RUNS)
        assert isinstance(agent, RemoteAgent), "the stream requires it"
        self._network, self._explorer = agent.acting()
        self._acting, self._version = Actor(env, agent, rng), -1

    def act(self, weights: dict[str, np.ndarray], version: int, steps: int, length: int) -> Delivery:
        """Act for `length` steps; the other arguments are those of an `Order`."""
        if version != self._version:
            load_weights(self._network, weights)
            self._version = version
        self._explorer.begin_at(steps, self._first, self._total)
        taken = [self._acting.step()._replace(state=None) for _ in range(length)]
        return Delivery(self._actor, taken, version, *self._acting.take_games())


class RayPool:
    """Actors in processes of Ray; a cluster of our own listens on the loopback address, without a dashboard."""

    def __init__(self, config: AgentRun, count: int, num_envs: int, address: str | None) -> None:
        self._config, self._share, self._total = config, num_envs // count, num_envs
        self._actors: dict[int, Any] = {}
        self._orders: dict[Any, tuple[int, Any]] = {}  # the actor that works on each order, with its handle
        self._cpus = 0 if address is None else 1  # of each actor; on this machine the system shares them out
        connect("agent.stream.actors.address=", address, num_cpus=count, object_store_memory=_STORE)
        when_unused(self, _disconnect)

    def start(self, actor: int, seed: int) -> None:
        """Start an actor, or start it again."""
        import ray

        self._orders = {ref: (index, handle) for ref, (index, handle) in self._orders.items() if index != actor}
        if actor in self._actors:
            ray.kill(self._actors[actor])
        members = words_of_members(self._config)[1::2]
        self._actors[actor] = ray.remote(num_cpus=self._cpus, max_restarts=0)(RemoteActor).remote(
            actor, self._config.model_dump_json(), members, seed, self._share, self._total
        )

    def share(self, weights: dict[str, np.ndarray]) -> Any:
        """Put weights where all actors can read them."""
        import ray

        return ray.put(weights)

    def order(self, actor: int, order: Order) -> None:
        """Let an actor act."""
        handle = self._actors[actor]
        ref = handle.act.remote(order.weights, order.version, order.steps, order.length)
        self._orders[ref] = (actor, handle)

    def receive(self, seconds: float) -> Delivery | Lost | None:
        """Return the next delivery or death; None if there is none in this time.

        Raises:
            UserError: If the actor's program failed, as it would again.
        """
        import ray

        done, _ = ray.wait(list(self._orders), num_returns=1, timeout=seconds)
        if not done:
            return None
        actor, _ = self._orders.pop(done[0])
        try:
            delivery: Delivery = ray.get(done[0])
        except ray.exceptions.RayTaskError as error:
            raise UserError(f"actor {actor} failed: {' '.join(str(error.cause).split())}") from error
        except ray.exceptions.RayError as error:
            return Lost(actor, str(error).strip().splitlines()[0])
        return delivery


def _disconnect() -> None:
    import ray

    ray.shutdown()
