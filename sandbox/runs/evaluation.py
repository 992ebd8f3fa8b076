"""Which classifier compares a run's samples with real images, if any can."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sandbox.core.rng import Rng
from sandbox.evaluate.agents import evaluate_agent
from sandbox.evaluate.classifier_store import ClassifierStore
from sandbox.evaluate.feature_classifier import LARGEST, SMALLEST, Channelwise, FeatureExtractor, num_classes
from sandbox.evaluate.generators import IMAGES, evaluate_generator
from sandbox.interfaces.dataset import DataConfig, DataSet, Mixture, Stacked
from sandbox.interfaces.generator import Translates
from sandbox.runs.build import BuiltRun, RunsIn, restore, use_threads
from sandbox.runs.overrides import require_fit
from sandbox.storage.run_folder import RunFolder

_NO_DRAWS = (
    "its samples are what became of the few sources that it keeps, which are no independent draws to compare: "
    "l1 and ssim say how near it comes to the truth of test images"
)


def classifier_of(assembly: BuiltRun, runs: Path) -> tuple[dict[str, str], FeatureExtractor | None]:
    """The classifier of the run's data, in `<runs>/classifiers`, and what to print about it, or why there is none.

    Of data that hang on the seed it is that of seed 0, so that all runs on them have the same.

    Raises:
        UserError: if the one that is there was trained on other data, or was changed.
    """
    config, data = assembly.config.data, assembly.source
    if config is None or not isinstance(data, DataSet) or len(data.spec.shape) != 3:
        return {}, None
    if isinstance(assembly.learner, Translates):
        return {"fcd_missing": _NO_DRAWS}, None
    if isinstance(config, Stacked):
        name, judge = _judge(config.channel(), runs)
        return {"fcd_classifier": name}, Channelwise(judge, data.spec.shape[0])
    if reason := _unfit(data):
        return {"fcd_missing": reason}, None
    name, judge = _judge(config, runs)
    return {"fcd_classifier": name}, judge


def _judge(config: DataConfig, runs: Path) -> tuple[str, FeatureExtractor]:
    known = ClassifierStore(runs / "classifiers").of(config, config.make(Rng(0), RunsIn(runs)))
    return known.name, known.judge


def _unfit(data: DataSet) -> str | None:
    """Why no classifier can be trained on these images."""
    if num_classes(data) < 2:
        return "the images are compared by the features of a classifier, and these have no classes to learn"
    _, *sides = data.spec.shape
    if min(sides) < SMALLEST or max(sides) > LARGEST:
        size = "x".join(map(str, sides))
        return f"the classifier takes images of {SMALLEST} to {LARGEST} pixels a side, but these are {size}"
    return None


def evaluate_run(
    folder: RunFolder, episodes: int, seed: int, overrides: Sequence[str] = (), images: int = IMAGES
) -> dict[str, Any]:
    """What `sandbox evaluate` prints of a run's newest checkpoint, played under `overrides` of its config.

    Raises:
        UserError: for overrides of more than what the run is scored on and how; and for data or an environment that
            the learner was not built for.
    """
    require_fit(folder, overrides)
    assembly, step = restore(folder, overrides)
    use_threads(assembly.config)
    played = assembly.config.learner.model_dump(include={"evaluation_epsilon"})  # of those that explore
    about, judge = classifier_of(assembly, folder.path.parent)
    found = score(assembly, episodes, seed, images=images, judge=judge)
    return {"run": folder.name, "step": step, "seed": seed, **played, **found, **about}


def score(
    assembly: BuiltRun,
    episodes: int,
    seed: int,
    stopping: Callable[[], bool] = lambda: False,
    images: int = IMAGES,
    judge: FeatureExtractor | None = None,
) -> dict[str, float | str]:
    """How good a learner is; a freshly restored one scores the same with the same seed.

    While it is trained there is no `judge` of images: training that would take longer than the evaluation.

    Raises:
        Stopped: as soon as `stopping()`, while episodes are played.
    """
    data = assembly.config.data
    if isinstance(assembly.source, DataSet):
        mixture = data if isinstance(data, Mixture) else None
        return dict(evaluate_generator(assembly.learner, assembly.source, Rng(seed), images, judge, mixture))
    env = assembly.source(min(episodes, 16))
    return dict(evaluate_agent(assembly.learner, env, episodes, Rng(seed).integer("evaluate") % 2**31, stopping))
