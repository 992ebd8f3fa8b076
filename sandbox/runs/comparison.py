"""Compares runs by the same evaluation: agents on the same episodes, generators on the same test images."""

import math
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.core.progress import progress
from sandbox.evaluate.figures import MISSING, finite
from sandbox.ops.statistics import half_interval
from sandbox.report.figures import figure
from sandbox.report.groups import differences
from sandbox.runs.agent_run import BuiltAgentRun
from sandbox.runs.build import restore, use_threads
from sandbox.runs.config import AgentRun, RunConfig
from sandbox.runs.evaluation import evaluate_run
from sandbox.runs.evaluation_settings import EvaluationSettings
from sandbox.runs.overrides import overridden
from sandbox.storage.run_folder import RunFolder

FEWEST = 20  # episodes or images; with fewer, the normal approximation gives too narrow intervals
_CHANGES_THE_VIEW = ("frame_stack", "previous_action_reward")  # wrappers that leave the game as it is
_FCD = ("fcd", "fcd_in_floors", "kid", "precision", "recall", "density", "coverage", "class_accuracy")


class Evaluated(NamedTuple):
    """The result of a run's evaluation.

    Attributes:
        name: Name of the run.
        result: Its figures.
        returns: The returns of an agent's episodes, in the same order for every run; None for a generator.
    """

    name: str
    result: dict[str, Any]
    returns: np.ndarray | None = None


@dataclass(frozen=True)
class Difference:
    """The difference of a figure between two runs.

    Attributes:
        first: Name of the reference run.
        second: Name of the run that is compared with it.
        name: Name of the figure.
        value: The second run's figure less the first run's.
        ci95: Half its 95 % confidence interval.
        count: Number of episodes or images of each run.
        paired: Whether the interval is that of differences between single episodes.
    """

    first: str
    second: str
    name: str
    value: float
    ci95: float
    count: int
    paired: bool

    @property
    def better(self) -> str | None:
        """The run that is better; None if no difference can be seen."""
        if self.count < FEWEST or not abs(self.value) > self.ci95:
            return None
        return self.second if (self.value > 0) == (figure(self.name).better == "↑") else self.first

    @property
    def words(self) -> str:
        """The difference in a sentence."""
        kind = "episodes in pairs" if self.paired else "images"
        words = figure(self.name).words
        if self.count < FEWEST:
            option = "--episodes 200" if self.paired else "--images 300"
            pair = f"{self.first} with {self.second}"
            return f"{words}: {self.count} {kind.split()[0]} are too few to compare {pair}: add {option}"
        size = f"{abs(self.value):.3g} ± {self.ci95:.2g}"
        if self.better is None:
            return (
                f"{words}: no difference between {self.first} and {self.second} can be seen in {self.count} "
                f"{kind} ({size})"
            )
        worse = self.first if self.better == self.second else self.second
        return f"{words}: {self.better} is better than {worse} by {size} ({self.count} {kind})"


def require_comparable(folders: Sequence[RunFolder], overrides: Sequence[str]) -> list[RunConfig]:
    """Return the configs of runs that can be compared.

    Raises:
        UserError: If a run comes twice, or kinds, environments or data sets differ.
    """
    names = names_of(folders)
    places = [folder.path.resolve() for folder in folders]
    if twice := [folder.name for folder, place in zip(folders, places, strict=True) if places.count(place) > 1]:
        raise UserError(f"{twice[0]} is given twice: give each run once")
    configs = [overridden(folder, overrides) for folder in folders]
    agents = [isinstance(config, AgentRun) for config in configs]
    if len(set(agents)) > 1:
        agent, generator = names[agents.index(True)], names[agents.index(False)]
        alone = " and ".join(f"`sandbox evaluate {shlex.quote(name)}`" for name in (agent, generator))
        raise UserError(
            f"{agent} is an agent and {generator} is a generator, which have no figure in common: {alone} evaluate "
            "each alone"
        )
    sources = [_source(config) for config in configs]
    for index, source in enumerate(sources):
        if source != sources[0]:
            _refuse((folders[0], folders[index]), (sources[0], source), configs[0].sections[0], overrides)
    return configs


def names_of(folders: Sequence[RunFolder]) -> list[str]:
    """Return names that tell the runs apart: paths for folders of the same name."""
    names = [folder.name for folder in folders]
    return [folder.name if names.count(folder.name) == 1 else str(folder.path) for folder in folders]


def _source(config: RunConfig) -> dict[str, Any]:
    """Return the options of the environment or data set, without those that change only the agent's view of it."""
    section, _ = config.sections
    source = dict(config.model_dump(mode="json")[section])
    if section == "env":
        source.pop("observe", None)
        source["wrappers"] = [each for each in source["wrappers"] if not {*each} & {*_CHANGES_THE_VIEW}]
    return source


def _refuse(
    folders: tuple[RunFolder, RunFolder], sources: tuple[dict[str, Any], ...], section: str, overrides: Sequence[str]
) -> None:
    first, second = names_of(folders)
    noun = "environments" if section == "env" else "data sets"
    found = differences(sources)
    if "name" in found:
        ours, theirs = found["name"]
        advice = f"evaluate each alone, such as `sandbox evaluate {shlex.quote(second)}`"
        raise UserError(f"{first} ({ours}) and {second} ({theirs}) have different {noun}: {advice}")
    options = ", ".join(f"{section}.{option} is {ours} and {theirs}" for option, (ours, theirs) in found.items())
    advice = "evaluate each alone"
    for index in (0, 1):
        same = [f"{section}.{option}={values[index]}" for option, values in found.items() if values[index] != "-"]
        if len(same) == len(found) and _is_possible(folders, [*overrides, *same]):
            advice = f"add {shlex.join(same)} to evaluate both alike, or {advice}"
            break
    raise UserError(f"{first} and {second} have different {noun} ({options}): {advice}")


def _is_possible(folders: Sequence[RunFolder], overrides: Sequence[str]) -> bool:
    try:
        return _source(overridden(folders[0], overrides)) == _source(overridden(folders[1], overrides))
    except UserError:
        return False


def evaluate_all(
    folders: Sequence[RunFolder], overrides: Sequence[str], settings: EvaluationSettings
) -> Iterator[Evaluated]:
    """Evaluate runs that can be compared, one after the other, with the same seed; see `evaluate_run`.

    Raises:
        UserError: See `require_comparable`; before anything is evaluated.
    """
    configs = require_comparable(folders, overrides)
    names = names_of(folders)
    _note_epsilons(names, configs)
    return (_evaluated(*each, overrides, settings) for each in zip(names, folders, configs, strict=True))


def _note_epsilons(names: Sequence[str], configs: Sequence[RunConfig]) -> None:
    epsilons = [config.learner.evaluation_settings().get("evaluation_epsilon") for config in configs]
    if len({value for value in epsilons if value is not None}) > 1:
        each = ", ".join(f"{name} {value}" for name, value in zip(names, epsilons, strict=True) if value is not None)
        note(f"the evaluation_epsilon differs ({each}); add agent.evaluation_epsilon=0 to compare greedy agents")


def _evaluated(
    name: str, folder: RunFolder, config: RunConfig, overrides: Sequence[str], settings: EvaluationSettings
) -> Evaluated:
    if not isinstance(config, AgentRun):
        return Evaluated(name, evaluate_run(folder, settings, overrides))
    built, step = restore(folder, config)
    use_threads(config)
    assert isinstance(built, BuiltAgentRun)
    with progress.phase(f"evaluating {name}"):
        played = built.play(settings)
    about = {"run": folder.name, "step": step, "seed": settings.seed, **config.agent.evaluation_settings()}
    return Evaluated(name, dict(finite({**about, **played.statistics()})), played.returns_to_pair())


def shared_figures(runs: Sequence[Evaluated]) -> list[str]:
    """Return the figures that every run has and that have a better direction."""
    names = [name for name, value in runs[0].result.items() if figure(name).better and isinstance(value, int | float)]
    if len({run.result.get("fcd_classifier") for run in runs}) > 1:
        note("the runs were measured by different classifiers, so that figures of the classifier are left out")
        names = [name for name in names if name not in _FCD]
    return [name for name in names if all(isinstance(run.result.get(name), int | float) for run in runs)]


def compare(runs: Sequence[Evaluated]) -> list[Difference]:
    """Return the differences of the runs from the first one: of returns, or of all figures with an interval."""
    first, *others = runs
    if first.returns is not None:
        return [_return_difference(first, other) for other in others if _are_finite(first, other)]
    names = [name for name in shared_figures(runs) if all(f"{name}_ci95" in run.result for run in runs)]
    return [_figure_difference(name, first, other) for name in names for other in others]


def _are_finite(*runs: Evaluated) -> bool:
    return all(run.returns is not None and bool(np.isfinite(run.returns).all()) for run in runs)


def _return_difference(first: Evaluated, second: Evaluated) -> Difference:
    """Return the mean difference between paired episodes, with its interval."""
    assert first.returns is not None
    assert second.returns is not None
    same = np.isclose(first.returns, second.returns, rtol=1e-9, atol=1e-12)  # the same rewards in another order
    each = np.where(same, 0.0, second.returns - first.returns)
    return Difference(
        first.name, second.name, "return_mean", float(each.mean()), half_interval(each), len(each), paired=True
    )


def _figure_difference(name: str, first: Evaluated, second: Evaluated) -> Difference:
    """Return the difference of two means.

    Its interval is that of independent means; since the images are the same, it is wider than necessary.
    """
    a, b = first.result, second.result
    ci95 = math.hypot(a[f"{name}_ci95"], b[f"{name}_ci95"])
    return Difference(first.name, second.name, name, b[name] - a[name], ci95, min(a["images"], b["images"]), False)


def reasons(runs: Sequence[Evaluated]) -> list[str]:
    """Return the reasons for missing figures, one line each."""
    return [
        f"{figure(name.removesuffix(MISSING)).words} of {run.name} is missing: {reason}"
        for run in runs
        for name, reason in run.result.items()
        if name.endswith(MISSING)
    ]
