"""Selects the classifier that compares generated images with real ones, if there is one for the data."""

from pathlib import Path
from typing import NamedTuple

from sandbox.core.rng import Rng
from sandbox.evaluate.feature_extractor import ChannelwiseExtractor, FeatureExtractor, num_classes
from sandbox.interfaces.capabilities import HasTranslation
from sandbox.interfaces.dataset import DataConfig, DataSet, Stacked
from sandbox.interfaces.generator import Generator
from sandbox.interfaces.runs import OtherRuns
from sandbox.runs.feature_classifier import LARGEST, SMALLEST
from sandbox.runs.feature_classifier_store import FeatureClassifierStore

_TRANSLATIONS = (
    "a translator's samples are translations of the few sources that it keeps, not independent samples; `l1` and "
    "`ssim` compare translations of test images with the true images"
)


class Selection(NamedTuple):
    """A classifier, or None, and what `sandbox evaluate` prints about it: its name, or why there is none."""

    about: dict[str, str]
    classifier: FeatureExtractor | None


class FeatureClassifiers:
    """The feature classifiers of a folder of runs; each is trained at first use."""

    def __init__(self, runs: Path, others: OtherRuns) -> None:
        self._folder, self._others = runs / "classifiers", others

    def select(self, config: DataConfig, data: DataSet, generator: Generator) -> Selection:
        """Return the classifier for samples of `generator`.

        For data that depend on the seed, it is the classifier of seed 0, so that all runs on them share one.

        Args:
            config: Config of the data set.
            data: The data set.
            generator: A generator that was trained on it.

        Raises:
            UserError: If the stored classifier was trained on other data, or was changed.
        """
        if len(data.spec.shape) != 3:
            return Selection({}, None)
        if isinstance(generator, HasTranslation):
            return Selection({"fcd_missing": _TRANSLATIONS}, None)
        if isinstance(config, Stacked):
            name, classifier = self._stored(config.channel())
            return Selection({"fcd_classifier": name}, ChannelwiseExtractor(classifier, data.spec.shape[0]))
        if reason := _unfit(data):
            return Selection({"fcd_missing": reason}, None)
        name, classifier = self._stored(config)
        return Selection({"fcd_classifier": name}, classifier)

    def _stored(self, config: DataConfig) -> tuple[str, FeatureExtractor]:
        known = FeatureClassifierStore(self._folder).get(config, config.make(Rng(0), self._others))
        return known.name, known.classifier


def _unfit(data: DataSet) -> str | None:
    """Return why no classifier can be trained on these images, or None."""
    if num_classes(data) < 2:
        return "images are compared by the features of a classifier, and these data have no classes to train one on"
    _, *sides = data.spec.shape
    if min(sides) < SMALLEST or max(sides) > LARGEST:
        size = "x".join(map(str, sides))
        return f"the classifier takes images of {SMALLEST} to {LARGEST} pixels a side, but these are {size}"
    return None
