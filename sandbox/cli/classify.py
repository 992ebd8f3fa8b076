"""`sandbox classify`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli import _print
from sandbox.cli._generator import Own
from sandbox.cli._options import RUNS, Json, Run, Runs
from sandbox.core.messages import say

if TYPE_CHECKING:
    from sandbox.cli._generator import Restored
    from sandbox.storage.run_folder import RunFolder


def classify(
    run: Run = "latest",
    runs: Runs = RUNS,
    images: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Number of test images; by default all.")
    ] = None,
    own: Own = None,
    out: Annotated[Path | None, typer.Option(help="PNG of the misclassified images to write, sorted by class.")] = None,
    as_json: Json = False,
) -> None:
    """Classify test images: prints the error with its 95 % interval, and the confusion matrix.

    Your own images get a class and its probability each.

    \b
    sandbox classify latest
    sandbox classify mnist_dbn_s0 --out wrong.png
    sandbox classify mnist_dbn_s0 --images 1000 --json
    sandbox classify mnist_dbn_s0 --from scans/
    """
    from sandbox.cli._generator import able_on_images, note_if_fewer
    from sandbox.core.errors import UserError
    from sandbox.evaluate.confusion import confusion
    from sandbox.interfaces.capabilities import HasClassifier
    from sandbox.media.grid import grid, save_png

    restored = able_on_images(runs, run, HasClassifier, "classify images")
    folder, generator, classes = restored.folder, restored.generator, restored.classes
    if own is not None:
        if images is not None or out is not None:
            raise UserError("--images and --out are about test images: leave them out with --from")
        _classify_own(restored, own, as_json)
        return
    data = restored.data
    if data.test_labels is None:
        raise UserError(f"the test images of {folder.name} have no labels, so the error cannot be measured")
    note_if_fewer("--images", images, len(data.test), "test images")
    test, labels = data.test[:images], data.test_labels[:images]
    with _trained(folder):
        found = confusion(generator, test, labels)
    if out is not None and len(found.wrong):
        save_png(out, grid(test[found.wrong]))
    if as_json:
        places = zip(found.wrong.tolist(), labels[found.wrong].tolist(), found.guesses.tolist(), strict=True)
        _print.as_json(
            {
                "run": folder.name,
                "images": len(test),
                "classes": classes,
                "error": found.error,
                "error_ci95": found.error_ci95,
                "confusion": found.counts.tolist(),
                "wrong": [{"image": image, "class": label, "guess": guess} for image, label, guess in places],
            }
        )
        return
    say(f"error {100 * found.error:.2f} ± {100 * found.error_ci95:.2f} % of {len(test):,} test images")
    counts = found.counts.tolist()
    names = classes if len(classes) == len(counts) else [str(number) for number in range(len(counts))]
    rows = [[name, *(str(count or "·") for count in row)] for name, row in zip(names, counts, strict=True)]
    _print.table(rows, ["is \\ taken for", *names])
    if out is not None:
        say(str(out) if len(found.wrong) else "every image is classified correctly: nothing is written")


@contextmanager
def _trained(folder: "RunFolder") -> Iterator[None]:
    """Turn the refusal of a generator that has not learned its classes yet into advice."""
    from sandbox.core.errors import UserError
    from sandbox.interfaces.generator import UntrainedError

    try:
        yield
    except UntrainedError as error:
        raise UserError(f"{error} Train it further: sandbox resume {folder.name} --steps {2 * error.steps}") from None


def _classify_own(restored: "Restored", own: Path, as_json: bool) -> None:
    """Print the class of each of a person's own images."""
    import torch

    found = restored.own(own)
    with _trained(restored.folder):
        p = torch.cat([restored.generator.classify(x).cpu() for x in torch.split(found.images, 500)])
    best = p.max(1)
    names = [restored.classes[guess] for guess in best.indices.tolist()]
    guesses = list(zip(map(str, found.files), names, best.values.tolist(), strict=True))
    if as_json:
        rows = [{"file": file, "class": name, "probability": probability} for file, name, probability in guesses]
        _print.as_json({"run": restored.folder.name, "images": rows})
        return
    _print.table([[file, name, f"{probability:.3f}"] for file, name, probability in guesses], ["file", "class", "p"])
