"""`sandbox push`."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from sandbox.cli._options import RUNS, Run, Runs
from sandbox.core.errors import UserError
from sandbox.core.messages import say
from sandbox.core.progress import progress


def push(
    run: Run = "latest",
    runs: Runs = RUNS,
    repo: Annotated[
        str | None, typer.Option(metavar="USER/NAME", help="Repository; by default the run's name in your account.")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Make the repository private if it is new.")] = False,
) -> None:
    """Upload a run to the Hugging Face Hub, as `sandbox export` writes it: a model with its card.

    Needs `pip install "rl-sandbox[hub]"` and a token (`hf auth login`, or HF_TOKEN).

    \b
    sandbox push pong_dqn_s0
    sandbox push latest --repo me/pong --private
    """
    from sandbox.core.messages import note
    from sandbox.report.export import export
    from sandbox.storage.run_folder import RunFolder

    folder = RunFolder.find(runs, run)
    api = hub(folder.path)
    progress.now("uploading")
    try:
        name = repo or f"{api.whoami()['name']}/{folder.name}"
        with tempfile.TemporaryDirectory() as scratch:
            place = Path(scratch) / folder.name
            export(folder, place)
            address = api.create_repo(name, exist_ok=True, private=private or None)
            size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
            note(f"uploading {size:,} bytes to {name}")
            api.upload_folder(repo_id=name, folder_path=place, commit_message=f"{folder.name} ({folder.id})")
    except (OSError, ValueError) as error:  # all that the library raises are of these kinds
        raise UserError(
            f"the Hugging Face Hub: {str(error).splitlines()[0].rstrip('.')}. Log in with `hf auth login` or HF_TOKEN, "
            f"or choose --repo USER/NAME. `sandbox export {folder.path}` makes the same folder here."
        ) from error
    say(address)


def hub(folder: Path) -> Any:
    """Return a client of the Hub.

    Raises:
        UserError: If huggingface_hub is not installed.
    """
    try:
        from huggingface_hub import HfApi
    except ImportError:
        raise UserError(
            'sending a run to the Hub needs huggingface_hub: pip install "rl-sandbox[hub]". '
            f"`sandbox export {folder}` makes the same folder here, without it."
        ) from None
    return HfApi(library_name="rl-sandbox")
