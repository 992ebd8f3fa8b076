"""Tables of a learner's networks, from one real pass through them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.capabilities import HasClassifier, HasEncoder, HasReconstruction
from sandbox.interfaces.classifier import Classifier
from sandbox.interfaces.dataset import DataSet
from sandbox.networks.summary import Row, Trace, num_parameters
from sandbox.networks.trained import trained_networks
from sandbox.runs.agent_run import BuiltAgentRun
from sandbox.runs.build import BuiltRun, RunsIn, build
from sandbox.runs.config import GeneratorRun
from sandbox.runs.data_facts import DataFacts
from sandbox.runs.generator_run import BuiltGeneratorRun
from sandbox.runs.resolve import config_of
from sandbox.storage.run_folder import RunFolder

_IMAGES = 2_048  # random images to train on, at least


@dataclass(frozen=True)
class NetworkTables:
    """The layers of a learner's networks.

    Attributes:
        used: Layers of each network that is called.
        unused: Number of parameters of each network that is not called, such as that of a later stage.
        parameters: Number of parameters of the used ones; shared ones count once.
    """

    used: Mapping[str, Sequence[Row]]
    unused: Mapping[str, int]
    parameters: int

    @property
    def multiply_adds(self) -> int:
        """Number of multiply-adds of all used networks, for one input each."""
        return sum(row.multiply_adds for rows in self.used.values() for row in rows)


def untrained(folder: RunFolder) -> BuiltRun:
    """Build a run again as it was at its beginning, without its data if possible."""
    config, facts = config_of(folder), DataFacts.read(folder)
    if isinstance(config, GeneratorRun) and facts is not None:
        return BuiltGeneratorRun.build(config, RunsIn(folder.path.parent), facts)
    return build(config, folder.path.parent)


def network_tables(built: BuiltRun) -> NetworkTables:
    """Return the layers of each network of a learner. The learner is used up: it must not be trained afterwards.

    An agent acts once. A generator is updated once on a batch of random images, so that no data are needed; if that
    does not reach all layers of its networks, it also encodes, reconstructs, classifies and samples.
    """
    networks = trained_networks(built.learner.parts())
    passes = _acts(built) if isinstance(built, BuiltAgentRun) else _passes(built)
    with Trace(networks) as trace:
        for run_pass in passes:
            with suppress(UserError):  # the learner is not trained for this yet
                run_pass()
            if all(row.field for rows in _used(trace).values() for row in rows):
                break
    used = _used(trace)
    others = {name: num_parameters({name: network}) for name, network in networks.items() if name not in used}
    unused = {name: count for name, count in others.items() if count}
    return NetworkTables(used, unused, num_parameters({name: networks[name] for name in used}))


def _used(trace: Trace) -> dict[str, list[Row]]:
    return {name: rows for name, rows in trace.rows().items() if any(row.field for row in rows)}


def _acts(built: BuiltAgentRun) -> Iterator[Callable[[], Any]]:
    agent = built.learner
    with closing(built.config.env.make(1)) as env:
        observations, _ = env.reset(seed=0)
        yield lambda: agent.act(observations, agent.initial_state(1), explore=False)


def _passes(built: BuiltGeneratorRun) -> Iterator[Callable[[], Any]]:
    learner = built.learner
    batch_size = dict(built.config.generator.stream).get("batch_size", _IMAGES)
    images = made_up(built.facts, max(_IMAGES, 2 * batch_size))
    stream = built.config.generator.stream.make(images, learner, built.rng, built.compute)
    yield lambda: learner.update(next(stream))
    if isinstance(learner, HasEncoder):
        yield lambda: learner.encode(images.test)
    if isinstance(learner, HasReconstruction):
        yield lambda: learner.reconstruct(images.test)
    if isinstance(learner, HasClassifier):
        yield lambda: learner.classify(images.test)
    if isinstance(learner, Classifier):
        yield lambda: learner.predict(images.test)
    else:
        yield lambda: learner.sample(2)


def made_up(facts: DataFacts, count: int) -> DataSet:
    """Return a data set of random images or points, of which there are `count` to train on and two to test."""
    spec, rng = facts.spec, Rng(0).torch("images", torch.device("cpu"))

    def images(number: int, shape: tuple[int, ...]) -> torch.Tensor:
        values = torch.rand(number, *shape, generator=rng)
        if not spec.is_bytes:
            return values
        return ((values.round() if facts.binary else values) * 255).to(torch.uint8)

    def labels(number: int) -> torch.Tensor | None:
        return torch.arange(number) % spec.num_classes if spec.num_classes else None

    def numbers(number: int) -> torch.Tensor | None:
        return torch.rand(number, spec.num_numbers, generator=rng) if spec.num_numbers else None

    source = spec.source_shape
    return DataSet(
        train=images(count, spec.shape),
        test=images(2, spec.shape),
        binary=facts.binary,
        train_labels=labels(count),
        test_labels=labels(2),
        train_numbers=numbers(count),
        test_numbers=numbers(2),
        train_sources=None if source is None else images(count, source),
        test_sources=None if source is None else images(2, source),
        classes=facts.classes,
    )
