"""Batches from a replay that actors in other processes fill: actors, replay and learner.

Papers: Horgan et al. 2018, "Distributed Prioritized Experience Replay" (Ape-X); Moritz et al. 2018, "Ray: A Distributed
Framework for Emerging AI Applications".
Deviations: new transitions get the largest priority, as in one process, not one that the actor computes; updates keep
    their ratio to agent steps (`update_period`), where Ape-X lets both sides run freely.
"""

import time
from typing import Any

import numpy as np
import torch

from sandbox.buffers.replay import Replay
from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.environments.interaction import EnvStep
from sandbox.interfaces.acting import Actors, Delivery, Lost, Order, RemoteAgent
from sandbox.interfaces.agent import TransitionLearner
from sandbox.interfaces.spec import Spec
from sandbox.streams.actor import game_metrics
from sandbox.streams.experience import ReplayConfig, ReplaySampler
from sandbox.streams.ray_options import RayActors

_ORDERS = 2  # of an actor at a time: it works on one while the delivery of the other waits for the learner
_DEATHS = 3  # of an actor in a row, without a delivery, that end the training
_PATIENCE = 1.0  # seconds of waiting for a delivery, after which the run may stop


class RemoteExperience:
    """Hands out a batch as soon as one is due, and keeps the actors at work.

    Neither side runs away: the learner makes one update for every `update_period` steps, and an actor goes on only
    when the learner has taken the steps from before its last order.
    """

    def __init__(
        self,
        config: ReplayConfig,
        actors: RayActors,
        sampler: ReplaySampler,
        processes: Actors,
        spec: Spec,
        agent: TransitionLearner,
        rng: Rng,
        device: torch.device,
    ) -> None:
        """Begin with an empty replay; the actors are started when the first batch is asked for.

        Args:
            config: Options of the replay.
            actors: Options of the actors.
            sampler: Draws the batches.
            processes: The actors.
            spec: Shapes of the observations and actions.
            agent: The agent that learns.
            rng: The run's random streams.
            device: Where the replay is.

        Raises:
            UserError: If the agent cannot act in other processes.
        """
        if not isinstance(agent, RemoteAgent):
            raise UserError("agent.stream.actors: this agent cannot act in other processes; leave the option out")
        self._config, self._options, self._sampler, self._rng = config, actors, sampler, rng
        self._network, self._explorer = agent.acting()
        self._actors, num_envs = processes, config.num_envs
        generator = rng.numpy("replay")
        packed = config.packs(spec, device.type)
        self.replay = Replay(config.capacity, num_envs, spec, agent.frame_stack, generator, device, packed=packed)
        self._unused, self._clock = Counter(), Counter()  # as in `Experience`
        self._steps, self._updates, self._starts = Counter(), Counter(), Counter()
        # The observations after the newest steps, and where an episode goes on there.
        self._latest = np.zeros((num_envs, *spec.shape), np.uint8 if spec.is_bytes else np.float32)
        self._open = np.zeros(num_envs, bool)
        self._begun = False
        self._weights: Any = None
        self._version = 0  # of the weights
        self._deaths = [0] * actors.count
        self._report = _Report()

    @property
    def step(self) -> int:
        """Agent steps in the replay before the latest batch."""
        return self._clock.value

    def __next__(self) -> Any:
        """Return the next batch; None after a second without a delivery, and about once a second in the warm-up."""
        if not self._begun:
            if self.replay.is_empty and self._steps.value:  # as in `Experience`
                self._unused.value, self._open[:] = self._config.update_period - self._config.warmup, False
            self._begin()
        until = time.monotonic() + _PATIENCE
        while self._steps.value < self._config.warmup or self._unused.value < self._config.update_period:
            began = time.monotonic()
            found = self._actors.receive(_PATIENCE)
            self._report.waited += time.monotonic() - began
            if isinstance(found, Lost):
                self._replace(found)
            elif found is not None:
                self._take(found)
            if time.monotonic() >= until:
                return None
        self._unused.value -= self._config.update_period
        self._clock.value = self._steps.value
        self._updates.value += 1
        self._report.updates += 1
        self._explorer.begin_at(self._steps.value, 0, self._config.num_envs)
        return self._sampler.sample(self.replay, self._clock.value)

    def _begin(self) -> None:
        self._begun = True
        self._end_episodes(np.ones(self._config.num_envs, bool))  # those of a checkpoint, whose actors are gone
        for actor in range(self._options.count):
            self._start(actor)
        note(
            f"{self._options.count} actors on Ray: this run loses nothing when it is resumed, but it is not repeatable "
            "to the bit"
        )

    def _start(self, actor: int) -> None:
        """Start an actor with random streams that no actor has had before, and give it orders."""
        self._starts.value += 1
        self._actors.start(actor, self._rng.integer(f"actor/{self._starts.value}"))
        for _ in range(_ORDERS):
            self._order(actor)

    def _order(self, actor: int) -> None:
        updates = self._updates.value
        if self._weights is None or updates - self._version >= self._options.weights_period:
            weights = {name: weight.cpu().numpy() for name, weight in self._network.state_dict().items()}
            self._weights, self._version = self._actors.share(weights), updates
        self._actors.order(actor, Order(self._weights, self._version, self._steps.value, self._options.length))

    def _take(self, delivery: Delivery) -> None:
        """Store the steps of an actor, and let it go on."""
        envs = self._envs(delivery.actor)
        for step in delivery.steps:
            self._add(step, envs)
        self._deaths[delivery.actor] = 0
        self._report.take(delivery, self._updates.value)
        self._order(delivery.actor)

    def _add(self, step: EnvStep, envs: np.ndarray) -> None:
        observations = step.observations.copy()  # Ray's arrays cannot be written, which PyTorch warns of
        self.replay.add(observations, step.actions, step.rewards, step.terminated, envs)
        self.replay.add_last(step.next_observations, step.ended, envs)
        self._latest[envs], self._open[envs] = step.next_observations, ~step.ended
        before, self._steps.value = self._steps.value, self._steps.value + len(envs)
        self._unused.value += max(0, self._steps.value - max(before, self._config.warmup))

    def _replace(self, lost: Lost) -> None:
        """Start an actor again that has died; its episodes end where its last delivery did.

        Raises:
            UserError: If it dies again and again before it delivers.
        """
        self._deaths[lost.actor] += 1
        if self._deaths[lost.actor] >= _DEATHS:
            raise UserError(f"actor {lost.actor} died {_DEATHS} times before it delivered a step: {lost.reason}")
        note(f"actor {lost.actor} died ({lost.reason}); another one takes its place")
        self._report.restarts += 1
        mine = np.zeros(self._config.num_envs, bool)
        mine[self._envs(lost.actor)] = True
        self._end_episodes(mine)
        self._start(lost.actor)

    def _end_episodes(self, where: np.ndarray) -> None:
        """Truncate the episodes that go on in some environments [N] with the newest observations."""
        self.replay.add_last(self._latest, where & self._open)
        self._open &= ~where

    def _envs(self, actor: int) -> np.ndarray:
        share = self._config.num_envs // self._options.count
        return np.arange(actor * share, (actor + 1) * share)

    def metrics(self) -> dict[str, float]:
        """Return means over the games that ended since the last call, and the work of both sides since then."""
        found, self._report = self._report.metrics(), _Report(self._report.restarts)
        return found

    def parts(self) -> dict[str, Stateful]:
        """Return the replay, the counters and the sampler; the actors begin new episodes when a run is resumed."""
        counters: dict[str, Stateful] = {"owed": self._unused, "clock": self._clock, "starts": self._starts}
        return {"replay": self.replay, **counters, "actors": self, **self._sampler.parts()}

    def state_dict(self) -> dict[str, Any]:
        """Return the counters, and the newest observations."""
        counts = {"steps": self._steps.value, "updates": self._updates.value}
        return {**counts, "latest": self._latest, "open": self._open}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._steps.value, self._updates.value = state["steps"], state["updates"]
        self._latest[:], self._open[:] = state["latest"], state["open"]


class _Report:
    """Games, delays and updates since the last line of the log."""

    def __init__(self, restarts: int = 0) -> None:
        self.began, self.waited, self.updates, self.restarts = time.monotonic(), 0.0, 0, restarts
        self._finished: list[tuple[float, int]] = []
        self._successes: list[float] = []
        self._staleness: list[int] = []

    def take(self, delivery: Delivery, updates: int) -> None:
        self._finished += delivery.finished
        self._successes += delivery.successes
        self._staleness.append(updates - delivery.version)

    def metrics(self) -> dict[str, float]:
        seconds = max(time.monotonic() - self.began, 1e-9)
        stale = {"actors/staleness": float(np.mean(self._staleness))} if self._staleness else {}
        return {
            **game_metrics(self._finished, self._successes),
            **stale,
            "actors/batches_per_second": self.updates / seconds,
            "actors/learner_waiting": self.waited / seconds,
            "actors/restarts": float(self.restarts),
            "exact": 0.0,
        }


def load_weights(network: torch.nn.Module, weights: dict[str, np.ndarray]) -> None:
    """Load weights that an order brought."""
    network.load_state_dict({name: torch.from_numpy(np.array(weight)) for name, weight in weights.items()})
