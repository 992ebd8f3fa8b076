"""`sandbox evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sandbox.cli import _print
from sandbox.cli._options import RUNS, Json, Runs

if TYPE_CHECKING:
    from sandbox.storage.run_folder import RunFolder

_EPISODES = 200  # unless another number is asked for
_MISSING = "_missing"  # ends the name of a figure that cannot be found: the value is the reason


def evaluate(
    run: Annotated[
        list[str] | None, typer.Argument(metavar="RUN [key=value…]", help="A folder, a name, an id, or `latest`.")
    ] = None,
    runs: Runs = RUNS,
    episodes: Annotated[
        int | None, typer.Option(min=1, help="Whole episodes to play (agents); 200 by default.")
    ] = None,
    images: Annotated[
        int | None, typer.Option(min=2, help="Test images, and samples, at most (generators); 300 by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the episodes, or of the samples.")] = 12345,
    vary: Annotated[
        str | None, typer.Option(metavar="OPTION=VALUE,VALUE,…", help="Score with each value of an env option.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="The PNG of --vary; in the first RUN's samples/ by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say how good a run's newest checkpoint is, on episodes or images it has not learnt from.

    Agents play as their config's `evaluation_epsilon` says (0 is greedy) and are scored by raw returns. Generators
    are measured on the test images, in nats where they have a likelihood.

    Their samples are compared with as many test images on the features of a small classifier of these data: `fcd`,
    the Fréchet classifier distance, `kid`, `precision`, `recall`, `density` and `coverage`. It is trained at first use
    (half a minute of processor time for MNIST) and stays in `classifiers` beside the runs; figures of two classifiers
    cannot be compared. Points are compared with the mixture that they come from: `modes`, `high_quality`,
    `reverse_kl`, `js`, and on a line `w1`, in the plane `sliced_w1`. Beside each stands its `_floor`, what as many
    training images have: `fcd_in_floors` is about 1 at best. Floors fall with more images, so only figures of equally
    many can be compared; to count the modes of stacked_mnist, and for figures to publish, add `--images 10000`.

    Translators are measured against the true images: `l1` and `ssim`, beside those of guesses that need no learning.
    Generators of classes have a `class_accuracy`, of samples, by that classifier; those that sort images by themselves
    a `code_accuracy`, of test images.

    Where a figure cannot be found, the reason is told below the others; with --json it is the figure's `_missing`.

    Overrides, `key=value`, change what it is scored on, options of its environment or of its data set, and how, such
    as `agent.evaluation_epsilon` and `generator.ais`. What was found is kept in the run's evaluation.json, in place of
    what an earlier call found; `sandbox report` shows it.

    With `--vary`, agents play in their environment with one option changed, every value with the same seed: a table of
    mean returns with 95 % intervals, and a picture. A wrapper that a run has not is put around those that it has.

    \b
    sandbox evaluate latest
    sandbox evaluate catch_dqn_s0 --episodes 1000 --json
    sandbox evaluate digits_vae_s0 --images 10000
    sandbox evaluate mnist_dbm_s0 data.binarize=sample
    sandbox evaluate drqn_s0 dqn_s0 --vary env.wrappers.flicker.p=0.1,0.2,...,1.0
    sandbox evaluate latest --vary env.length=10,20,30 --plot lengths.png
    """
    from sandbox.config.files import load
    from sandbox.core.errors import UserError
    from sandbox.evaluate.generators import IMAGES
    from sandbox.report.run_readme import write_readme
    from sandbox.runs.evaluation import evaluate_run
    from sandbox.storage.run_folder import RunFolder

    words = [word for word in run or [] if "=" not in word] or ["latest"]
    overrides = [word for word in run or [] if "=" in word]
    folders = [RunFolder.find(runs, word) for word in words]
    for folder in folders:
        agent = load([folder.config], [], {})[0].get("agent") is not None
        if (images if agent else episodes) is not None:
            kind, given, fits = ("an agent", "images", "episodes") if agent else ("a generator", "episodes", "images")
            raise UserError(f"{folder.name} is {kind}, which --{given} says nothing about; did you mean --{fits}?")
    if vary is not None and overrides:
        raise UserError(f"--vary changes one option and nothing else: leave {' '.join(overrides)} out")
    if vary is not None:
        from sandbox.cli._vary import compare

        compare(folders, vary, episodes or _EPISODES, seed, plot, as_json)
        for folder in folders:
            write_readme(folder)
        return
    if len(folders) > 1:
        raise UserError("several runs are compared along an option: add --vary OPTION=VALUE,VALUE,..., or give one run")
    if plot is not None:
        raise UserError("--plot draws what --vary finds: add --vary OPTION=VALUE,VALUE,..., or leave --plot out")
    result = evaluate_run(folders[0], episodes or _EPISODES, seed, overrides, images or IMAGES)
    if _kept(folders[0], result, overrides):
        write_readme(folders[0])
    missing = {name: reason for name, reason in result.items() if name.endswith(_MISSING)}
    figures = {name: value for name, value in result.items() if name not in missing}
    if as_json:
        _print.as_json(figures | missing)
        return
    width = max(map(len, figures))
    for name, value in figures.items():
        typer.echo(f"{name:<{width}}  {f'{value:.4g}' if isinstance(value, float) else value}")
    for name, reason in missing.items():
        typer.echo(f"{name.removesuffix(_MISSING)} is missing: {reason}")


def _kept(folder: "RunFolder", result: dict[str, Any], overrides: list[str]) -> bool:
    """Write it for reports and the card; a folder that nobody can write into keeps nobody from scoring its run."""
    from json import dumps

    from sandbox.core.messages import note
    from sandbox.logger.jsonl import strict
    from sandbox.storage.files import write_whole

    kept = {**result, **({"overrides": overrides} if overrides else {})}
    try:
        write_whole(folder.evaluation, dumps(strict(kept), indent=2, allow_nan=False) + "\n")
    except OSError as error:
        note(f"{folder.evaluation} was not written: {error.strerror}; reports will not show this score")
        return False
    return True
