"""`BuiltGeneratorRun`: a generator or classifier that was built for its data set."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NoReturn, Self

from sandbox.core.allocations import TRAINED
from sandbox.core.compute import Compute, choose
from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.core.processes import ALONE, Processes
from sandbox.core.progress import progress
from sandbox.core.rng import Rng
from sandbox.evaluate.classifiers import evaluate_classifier
from sandbox.evaluate.feature_extractor import FeatureExtractor
from sandbox.evaluate.generators import evaluate_generator
from sandbox.interfaces.capabilities import HasFilters, HasPreview
from sandbox.interfaces.classifier import Classifier
from sandbox.interfaces.dataset import DataSet, Mixture
from sandbox.interfaces.generator import Generator
from sandbox.interfaces.runs import OtherRuns
from sandbox.media.grid import grid, save_png, weights_as_images
from sandbox.media.image import image_of_samples
from sandbox.runs.config import GeneratorRun
from sandbox.runs.data_facts import DataFacts
from sandbox.runs.evaluation_settings import EvaluationSettings
from sandbox.runs.feature_classifiers import FeatureClassifiers
from sandbox.runs.memory import within_memory
from sandbox.runs.registry import require_methods
from sandbox.runs.sharing import shared_by
from sandbox.storage.run_folder import RunFolder
from sandbox.training.batch_norm import paused_batch_norms
from sandbox.training.loop import Run

_FILTERS = 64  # most filters that an image shows


@dataclass(frozen=True)
class BuiltGeneratorRun:
    """A generator or classifier with its data set, and the config, random streams and device that it was built with."""

    config: GeneratorRun
    rng: Rng
    compute: Compute
    facts: DataFacts
    learner: Generator | Classifier
    load: Callable[[], DataSet]

    @classmethod
    def build(
        cls, config: GeneratorRun, runs: OtherRuns, facts: DataFacts | None = None, processes: Processes = ALONE
    ) -> Self:
        """Load the data and build the generator.

        Args:
            config: The config.
            runs: Access to other runs.
            facts: What is known about the data, which are then loaded only when they are asked for.
            processes: Processes that train it together.

        Raises:
            UserError: If it does not fit the data, or its class lacks a method.
        """
        rng, compute = Rng(config.seed), choose(config.device, config.precision)
        compute = replace(compute, processes=shared_by(processes, config))
        load: Callable[[], DataSet] = partial(_load, config, rng, runs, facts)
        if facts is None:
            with within_memory(config, compute):
                data = load()
            facts, load = DataFacts.of(data), lambda: data
        with within_memory(config, compute, TRAINED):
            learner = config.generator.make(facts.spec, rng, compute, runs)
        if not isinstance(learner, Classifier):
            require_methods("generators", config.generator.name, learner, Generator)
        return cls(config, rng, compute, facts, learner, load)

    @cached_property
    def data(self) -> DataSet:
        """The data set, which is loaded at first use."""
        return self.load()

    def ready_to_resume(self) -> Run:
        """Return the generator with its stream, ready to go on from a checkpoint."""
        with within_memory(self.config, self.compute):
            stream = self.config.generator.stream.make(self.data, self.learner, self.rng, self.compute)
        return Run(self.learner, stream, self.rng)

    def ready_to_begin(self) -> Run:
        """Return the generator with its stream, ready to begin."""
        return self.ready_to_resume()

    def evaluate(self, settings: EvaluationSettings, classifier: FeatureExtractor | None = None) -> dict[str, Any]:
        """Measure the generator on test images; the same seed gives the same numbers.

        Args:
            settings: The seed and the number of images.
            classifier: Its features compare samples with test images; None leaves that comparison out.
        """
        rng = Rng(settings.seed)
        if isinstance(self.learner, Classifier):
            return dict(evaluate_classifier(self.learner, self.data, rng, settings.images))
        mixture = self.config.data if isinstance(self.config.data, Mixture) else None
        return dict(evaluate_generator(self.learner, self.data, rng, settings.images, classifier, mixture))

    def evaluate_in_training(self, stopping: Callable[[], bool]) -> dict[str, Any]:
        """Evaluate without a classifier, whose training may take longer than the run's own."""
        return self.evaluate(EvaluationSettings(seed=self.config.seed))

    def evaluate_fully(self, settings: EvaluationSettings, classifiers: FeatureClassifiers) -> dict[str, Any]:
        """Evaluate as `sandbox evaluate` does: with the classifier of these data, and its name."""
        if isinstance(self.learner, Classifier):
            return self.evaluate(settings)
        about, classifier = classifiers.select(self.config.data, self.data, self.learner)
        return {**self.evaluate(settings, classifier), **about}

    def save_media(self, folder: RunFolder, step: int) -> dict[str, Path]:
        """Write an image of samples, and of the filters if there are any; returns the paths by kind.

        The samples come from the same latents every time if the generator can do that. A classifier has none.
        """
        stem, learner = f"step_{step:012d}", self.learner
        places = {}
        if not isinstance(learner, Classifier):
            sample = learner.preview if isinstance(learner, HasPreview) else learner.sample
            places["samples"] = folder.samples / f"{stem}.png"
            with paused_batch_norms(learner):
                save_png(places["samples"], image_of_samples(sample, self.facts.spec.shape))
        if isinstance(learner, HasFilters):
            places["filters"] = folder.samples / f"filters_{stem}.png"
            save_png(places["filters"], grid(weights_as_images(learner.filters(_FILTERS))))
        return places

    def require_agent(self, run: str) -> NoReturn:
        """Raise `UserError`; see `RunConfig.require_agent`."""
        self.config.require_agent(run)

    @property
    def nonfinite_inputs(self) -> str:
        """A likely cause of a loss that is not finite."""
        return "data that are not finite"


def _load(config: GeneratorRun, rng: Rng, runs: OtherRuns, facts: DataFacts | None) -> DataSet:
    """Load the data set of a run, and compare it with what is known about it.

    Raises:
        UserError: If it cannot be loaded, or its shapes are others.
    """
    with progress.phase("loading data"):
        data = config.data.make(rng, runs)
    if facts is not None and data.spec != facts.spec:
        raise UserError(
            f"the data have changed: this generator was trained on images {list(facts.spec.shape)} of "
            f"{facts.spec.num_classes} classes, and these are {list(data.spec.shape)} of {data.spec.num_classes}. "
            "Put the data back, or name their new place with data.root=FOLDER."
        )
    if facts is not None and DataFacts.of(data).sha256 != facts.sha256:
        note(
            "the data are not those that this run was trained on: images were added, removed or changed. Images that "
            "are still there are in the part that they were in"
        )
    return data
