"""Which classifier compares a run's samples with real images, if any can."""

from functools import partial
from pathlib import Path

from sandbox.assemble import Assembly, collect
from sandbox.dataset import DataConfig, DataSet, Stacked
from sandbox.evaluate.judge import LARGEST, SMALLEST, Channelwise, Judge, num_classes
from sandbox.evaluate.judges import Judges
from sandbox.generator import Translates
from sandbox.seeding import Rng

_NO_DRAWS = (
    "its samples are what became of the few sources that it keeps, which are no independent draws to compare: "
    "l1 and ssim say how near it comes to the truth of test images"
)


def judge_of(assembly: Assembly, runs: Path) -> tuple[dict[str, str], Judge | None]:
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


def _judge(config: DataConfig, runs: Path) -> tuple[str, Judge]:
    known = Judges(runs / "classifiers").of(config, config.make(Rng(0), partial(collect, runs)))
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
