"""Export of a run: weights, config, log and README, in a folder that is again a run folder and contains no pickle."""

import json
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
    """Copy what is needed to use the newest intact checkpoint of a run, but not to resume its training.

    The copy can be watched, evaluated and sampled, and other runs can build on it. Replay buffer, environments and
    W&B files are not copied. The README starts with the metadata that the Hugging Face Hub reads.

    Args:
        folder: The run.
        place: The new folder; it is written whole or not at all.

    Raises:
        UserError: If `place` exists and is not an empty folder, or the run has no intact checkpoint.
    """
    folder.require_whole("exporting")
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UserError(f"{place} exists already: choose another folder with --out, or remove it first.")
    checkpoint, names = Checkpoints(folder.checkpoints).newest("learner")
    record = RunRecord.read(folder)
    partial = place.with_name(f".{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        weights = partial / "checkpoints" / checkpoint.name
        weights.mkdir(parents=True)
        for name in [*names, "manifest.json"]:
            shutil.copyfile(checkpoint / name, weights / name)
        for file in (folder.config, folder.info, folder.metrics, folder.summary, folder.evaluation):
            if file.is_file():
                shutil.copyfile(file, partial / file.name)
        readme = partial / folder.readme.name
        markdown.write(run_readme(record), readme)
        write_whole(readme, _hub_metadata(record) + readme.read_text("utf-8"))
        if place.exists():
            place.rmdir()
        partial.rename(place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _hub_metadata(record: RunRecord) -> str:
    """Return the front matter of a model card: https://huggingface.co/docs/hub/model-cards."""
    task = "reinforcement-learning" if record.is_agent else "unconditional-image-generation"
    tags = "".join(f"- {json.dumps(str(tag))}\n" for tag in (record.learner["name"], record.source["name"]))
    return f"---\nlibrary_name: rl-sandbox\npipeline_tag: {task}\ntags:\n{tags}---\n\n"
