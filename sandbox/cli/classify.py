"""`sandbox classify`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli import _print
from sandbox.cli._options import RUNS, Json, Run, Runs


def classify(
    run: Run = "latest",
    runs: Runs = RUNS,
    images: Annotated[int | None, typer.Option(min=1, help="Number of test images; by default all.")] = None,
    out: Annotated[Path | None, typer.Option(help="PNG of the misclassified images to write, sorted by class.")] = None,
    as_json: Json = False,
) -> None:
    """Classify test images: prints the error with its 95 % interval, and the confusion matrix.

    \b
    sandbox classify latest
    sandbox classify mnist_dbn_s0 --out wrong.png
    sandbox classify mnist_dbn_s0 --images 1000 --json
    """
    from sandbox.cli._generator import able_on_images, note_if_fewer
    from sandbox.core.errors import UserError
    from sandbox.evaluate.confusion import confusion
    from sandbox.interfaces.capabilities import HasClassifier
    from sandbox.interfaces.generator import UntrainedError
    from sandbox.media.grid import grid, save_png

    folder, generator, data = able_on_images(runs, run, HasClassifier, "classify images")
    if data.test_labels is None:
        raise UserError(f"the test images of {folder.name} have no labels, so the error cannot be measured")
    note_if_fewer("--images", images, len(data.test), "test images")
    test, labels = data.test[:images], data.test_labels[:images]
    try:
        found = confusion(generator, test, labels)
    except UntrainedError as error:
        raise UserError(f"{error} Train it further: sandbox resume {folder.name} --steps {2 * error.steps}") from None
    if out is not None and len(found.wrong):
        save_png(out, grid(test[found.wrong]))
    if as_json:
        places = zip(found.wrong.tolist(), labels[found.wrong].tolist(), found.guesses.tolist(), strict=True)
        _print.as_json(
            {
                "run": folder.name,
                "images": len(test),
                "error": found.error,
                "error_ci95": found.error_ci95,
                "confusion": found.counts.tolist(),
                "wrong": [{"image": image, "class": label, "guess": guess} for image, label, guess in places],
            }
        )
        return
    typer.echo(f"error {100 * found.error:.2f} ± {100 * found.error_ci95:.2f} % of {len(test):,} test images")
    rows = [[str(k), *(str(count or "·") for count in row)] for k, row in enumerate(found.counts.tolist())]
    _print.table(rows, ["is \\ taken for", *map(str, range(len(rows)))])
    if out is not None:
        typer.echo(str(out) if len(found.wrong) else "every image is classified correctly: nothing is written")
