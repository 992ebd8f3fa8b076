"""Evaluates the newest checkpoint of a run, as `sandbox evaluate` does."""

from collections.abc import Sequence
from typing import Any

from sandbox.core.progress import progress
from sandbox.evaluate.figures import finite
from sandbox.runs.build import RunsIn, restore, use_threads
from sandbox.runs.config import RunConfig
from sandbox.runs.evaluation_settings import EvaluationSettings
from sandbox.runs.feature_classifiers import FeatureClassifiers
from sandbox.runs.overrides import overridden
from sandbox.storage.run_folder import RunFolder


def evaluate_run(folder: RunFolder, settings: EvaluationSettings, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Evaluate a run under overrides of its config; see `evaluate_with`. A figure that is not finite is missing.

    Raises:
        UserError: For an override that `overridden` refuses.
    """
    return dict(finite(evaluate_with(folder, overridden(folder, overrides), settings)))


def evaluate_with(folder: RunFolder, config: RunConfig, settings: EvaluationSettings) -> dict[str, Any]:
    """Evaluate the newest checkpoint of a run under a config that fits its learner.

    Returns:
        `run`, `step` and `seed`, then what the agent's or the generator's evaluation found.
    """
    built, step = restore(folder, config)
    use_threads(config)
    runs = folder.path.parent
    with progress.phase("evaluating"):
        found = built.evaluate_fully(settings, FeatureClassifiers(runs, RunsIn(runs)))
    return {"run": folder.name, "step": step, "seed": settings.seed, **found}
