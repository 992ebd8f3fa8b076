"""A run to hand on: weights, config, log and card, in a folder that is a run folder again, and holds no pickle."""

import shutil
from pathlib import Path

from sandbox.core.errors import UserError
from sandbox.report import markdown
from sandbox.report.run_readme import run_readme
from sandbox.report.run_record import RunRecord
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.files import write_whole
from sandbox.storage.run_folder import RunFolder


def export(folder: RunFolder, place: Path) -> None:
    """Make `place`, whole or not at all: what is needed to use the newest good checkpoint, but not to resume from it.

    It can be watched, evaluated, sampled and built on as any run; replay, environments and W&B's files stay behind.
    The card begins with the lines that the Hugging Face Hub reads.

    Raises:
        UserError: if there is something at `place` already, or no good checkpoint.
    """
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UserError(f"{place} is there already: choose another place with --out, or remove it first.")
    checkpoint, names = Checkpoints(folder.checkpoints).newest("learner")
    record = RunRecord.read(folder)
    fresh = place.with_name(f".{place.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        weights = fresh / "checkpoints" / checkpoint.name
        weights.mkdir(parents=True)
        for name in [*names, "manifest.json"]:
            shutil.copyfile(checkpoint / name, weights / name)
        for file in (folder.config, folder.card, folder.metrics, folder.summary, folder.evaluation):
            if file.is_file():
                shutil.copyfile(file, fresh / file.name)
        readme = fresh / folder.readme.name
        markdown.write(run_readme(record), readme)
        write_whole(readme, _front(record) + readme.read_text("utf-8"))
        if place.exists():
            place.rmdir()
        fresh.rename(place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _front(record: RunRecord) -> str:
    """What the Hub reads of a model: https://huggingface.co/docs/hub/model-cards."""
    kind = "reinforcement-learning" if record.is_agent else "unconditional-image-generation"
    tags = "".join(f"- {tag}\n" for tag in (record.learner["name"], record.source["name"]))
    return f"---\nlibrary_name: rl-sandbox\npipeline_tag: {kind}\ntags:\n{tags}---\n\n"
