"""`sandbox evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sandbox.cli import _print
from sandbox.cli._complete import complete_evaluated, complete_varied
from sandbox.cli._options import RUNS, Json, Runs
from sandbox.config.numbers import LARGEST_SEED
from sandbox.core.messages import say

if TYPE_CHECKING:
    from sandbox.storage.run_folder import RunFolder

_EPISODES = 200  # by default
_MISSING = "_missing"  # ends the name of a result that could not be computed; its value is the reason


def evaluate(
    run: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN [key=value…]",
            help="Runs, each by its folder, name, id, or `latest`.",
            autocompletion=complete_evaluated,
        ),
    ] = None,
    runs: Runs = RUNS,
    episodes: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Number of episodes (agents); by default 200.")
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(
            min=2, max=100_000, help="Largest number of test images and of samples (generators); by default 300."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the episodes or samples.")] = 12345,
    vary: Annotated[
        str | None,
        typer.Option(
            metavar="OPTION=VALUE,VALUE,…",
            help="Evaluate with each value of an option.",
            autocompletion=complete_varied,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", "--picture", help="PNG of several runs or of --vary; by default in the first run's samples/."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Evaluate a run's newest checkpoint, on episodes or images that it was not trained on.

    Agents play whole episodes with the `evaluation_epsilon` of their config (0 is greedy); the score is the raw return.
    Generators are measured on the test images; likelihoods are in nats.

    Samples are compared with as many test images by the features of a small classifier of the data set: `fcd` (the
    Fréchet classifier distance), `kid`, `precision`, `recall`, `density` and `coverage`. The classifier is trained at
    first use (half a minute of processor time for MNIST) and kept in the folder `classifiers` of the runs; results
    of two classifiers cannot be compared. Points are compared with the mixture that they come from: `modes`,
    `high_quality`, `reverse_kl`, `js`, and `w1` on a line or `sliced_w1` in the plane. Each has a `_floor`, the value
    for as many training images instead of samples: `fcd_in_floors` is about 1 at best. Results depend on the number
    of images, so compare equal numbers only; to count the modes of stacked_mnist, and for results to publish, add
    `--images 10000`.

    Translators are compared with the true images, by `l1` and `ssim`, next to guesses that need no training.
    Conditional generators have a `class_accuracy`: how often the classifier finds the class that was asked for.
    Generators that cluster images have a `code_accuracy` on test images.

    If a result cannot be computed, the reason is printed after the other results; with `--json`, its key is the name of
    the result followed by `_missing`.

    Overrides, `key=value`, change the run's environment or data set, or options that are read in evaluation only, such
    as `agent.evaluation_epsilon` and `generator.ais`. The results replace those in the run's evaluation.json, from
    which `sandbox report` takes them, and are logged to the run's W&B run, if it has one, as `evaluation/...`.

    Several runs are compared: agents on the same episodes, generators on the same test images. The output is a table,
    the difference of each run from the first one with its 95 % interval, and a plot. The interval is that of the
    episodes or images; runs with other training seeds may differ more.

    With `--vary`, agents are evaluated with several values of one option and the same seed. The output is a table of
    mean returns with 95 % intervals, and a plot. A wrapper that the run does not have is added as the outermost one.

    \b
    sandbox evaluate latest
    sandbox evaluate catch_dqn_s0 --episodes 1000 --json
    sandbox evaluate digits_vae_s0 --images 10000
    sandbox evaluate mnist_dbm_s0 data.binarize=sample
    sandbox evaluate drqn_s0 dqn_s0 --plot comparison.png
    sandbox evaluate drqn_s0 dqn_s0 --vary env.wrappers.flicker.p=0.1,0.2,...,1.0
    sandbox evaluate latest --vary env.length=10,20,30 --plot lengths.png
    """
    from sandbox.config.files import is_option
    from sandbox.core.errors import UserError
    from sandbox.evaluate.generators import IMAGES
    from sandbox.report.run_readme import write_readme
    from sandbox.runs.evaluation import evaluate_run
    from sandbox.runs.evaluation_settings import EvaluationSettings
    from sandbox.storage.run_folder import RunFolder

    overrides = [word for word in run or [] if is_option(word, runs)]
    words = [word for word in run or [] if word not in overrides] or ["latest"]
    folders = [RunFolder.find(runs, word) for word in words]
    for folder in folders:
        _require_fitting(folder, episodes, images)
    if vary is not None:
        if overrides:
            raise UserError(f"--vary changes one option and nothing else: leave {' '.join(overrides)} out")
        from sandbox.cli._vary import compare

        compare(folders, vary, episodes or _EPISODES, seed, plot, as_json)
        for folder in folders:
            write_readme(folder)
        return
    settings = EvaluationSettings(episodes or _EPISODES, seed, images or IMAGES)
    if len(folders) > 1:
        from sandbox.cli._compare import compare_evaluations

        def keep(folder: RunFolder, result: dict[str, Any]) -> None:
            if _write_result(folder, result, overrides):
                write_readme(folder)

        compare_evaluations(folders, overrides, settings, plot, as_json, keep)
        return
    if plot is not None:
        raise UserError("--plot shows several runs or several values: give another run or --vary, or leave --plot out")
    result = evaluate_run(folders[0], settings, overrides)
    if _write_result(folders[0], result, overrides):
        write_readme(folders[0])
    missing = {name: reason for name, reason in result.items() if name.endswith(_MISSING)}
    figures = {name: value for name, value in result.items() if name not in missing}
    if as_json:
        _print.as_json(figures | missing)
        return
    width = max(map(len, figures))
    for name, value in figures.items():
        say(f"{name:<{width}}  {f'{value:.4g}' if isinstance(value, float) else value}")
    for name, reason in missing.items():
        say(f"{name.removesuffix(_MISSING)} is missing: {reason}")


def _require_fitting(folder: "RunFolder", episodes: int | None, images: int | None) -> None:
    """Raise `UserError` for `--images` with an agent's run, or `--episodes` with a generator's."""
    from sandbox.core.errors import UserError
    from sandbox.runs.config import AgentRun
    from sandbox.runs.resolve import config_of

    if isinstance(config_of(folder), AgentRun):
        if images is not None:
            raise UserError(f"{folder.name} is an agent, which --images does not concern; did you mean --episodes?")
    elif episodes is not None:
        raise UserError(f"{folder.name} is a generator, which --episodes does not concern; did you mean --images?")


def _write_result(folder: "RunFolder", result: dict[str, Any], overrides: list[str]) -> bool:
    """Write the result to evaluation.json, which reports and the run's README read; return whether that was done.

    A run that logs to Weights & Biases logs the result there too. Results of RUN@STEP are not written.
    """
    from json import dumps

    from sandbox.core.messages import note
    from sandbox.runs.wandb_evaluation import log_evaluation
    from sandbox.storage.files import write_whole
    from sandbox.storage.jsonl import json_safe

    if folder.at is not None:
        return False
    written = {**result, **({"overrides": overrides} if overrides else {})}
    try:
        write_whole(folder.evaluation, dumps(json_safe(written), indent=2, allow_nan=False) + "\n")
    except OSError as error:
        note(f"{folder.evaluation} was not written: {error.strerror}; reports will not show this score")
        return False
    log_evaluation(folder, result, overrides)
    return True
