"""Metrics, films, sample grids and checkpoints for Weights & Biases, online or in files that can be sent later.

The environment variables that name a run or its mode are overruled by the config; only `auto` heeds a WANDB_MODE that
keeps runs offline, and says so. Those that say who and where (WANDB_API_KEY, WANDB_ENTITY, WANDB_BASE_URL, ...) work
as W&B describes them.
"""

import os
import secrets
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from sandbox.core.errors import UserError

Mode = Literal["auto", "online", "offline"]

_FINISH_SECONDS = 120.0


class WeightsAndBiases:
    """A W&B run called `name`, kept under `folder`/wandb; a resumed run goes on under the same id.

    `auto` is online if there is a key that the server takes, else offline with one line on standard error that says
    how to send the run later. `config` is the resolved config of the run.

    Raises:
        UserError: if `mode` is online and there is no key, or the server does not take it; for an impossible project.
    """

    def __init__(self, mode: Mode, project: str, name: str, folder: Path, config: Mapping[str, Any]) -> None:
        self._folder = folder
        self._broken = False
        self._last_checkpoint: tuple[int, Path] | None = None
        why_not = None if mode == "offline" else why_not_online(mode)
        if mode == "online" and why_not:
            raise UserError(
                f"logger.wandb=online, but {why_not}. "
                "Run `wandb login` or set WANDB_API_KEY, or use logger.wandb=auto, offline or off."
            )
        self._offline = mode == "offline" or why_not is not None
        about = {"project": project, "name": name, "dir": str(folder), "id": _id_in(folder), "config": dict(config)}
        self._run = _start("offline" if self._offline else "online", about)
        if why_not:
            _say(f"{why_not}, so this run is kept offline; after `wandb login`, send it with: {self.where}")
        self._run.define_metric("step")
        self._run.define_metric("*", step_metric="step")

    @property
    def where(self) -> str:
        """How to see the run: its address, or the command that sends it."""
        if not self._offline:
            return str(self._run.url)
        return f"wandb sync {shlex.quote(str(self._folder / 'wandb'))}/offline-run-*"

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """One row; `step` is a metric and the others' axis, because W&B's own step may never go back."""
        self._try(lambda: self._run.log({**metrics, "step": step}))

    def media(self, step: int, name: str, path: Path) -> None:
        """The file itself is handed over: W&B would scale arrays of floats, and encode films anew."""
        import wandb

        kind = wandb.Image if path.suffix == ".png" else wandb.Video
        self._try(lambda: self._run.log({name: kind(str(path)), "step": step}))

    def checkpoint(self, step: int, folder: Path) -> None:
        """Online, the learner's files of each checkpoint; offline, where each would be a copy, of the last one."""
        self._last_checkpoint = (step, folder)
        if not self._offline:
            self._try(self._keep_checkpoint)

    def close(self, summary: Mapping[str, Any]) -> None:
        """Finish the run; what cannot be sent in time stays on the disk, and a line says how to send it."""
        if self._offline:
            self._try(self._keep_checkpoint)
        self._try(lambda: self._run.summary.update(dict(summary)))
        self._try(self._finish)

    def _try(self, action: Callable[[], object]) -> None:
        """A mirror must not end the run it shows: what goes wrong in W&B is said once, and W&B left alone after it."""
        if self._broken:
            return
        try:
            action()
        except Exception as error:
            self._broken = True
            _say(f"stopped by {error!r}; the run goes on without it, and metrics.jsonl has everything")

    def _finish(self) -> None:
        try:
            self._run.finish()
        except TimeoutError:
            kept = shlex.quote(str(Path(self._run.dir).parent))
            _say(f"not everything was sent within {_FINISH_SECONDS:.0f} s; send the rest with: wandb sync {kept}")

    def _keep_checkpoint(self) -> None:
        """Log the learner and the manifest, not the replay: that can be gigabytes, and only a resume here needs it."""
        import wandb

        if self._last_checkpoint is None:
            return
        step, folder = self._last_checkpoint
        artifact = wandb.Artifact(f"{self._run.name}-{self._run.id}", type="checkpoint", metadata={"step": step})
        for file in sorted(folder.iterdir()):
            if file.name.startswith("learner") or file.name == "manifest.json":
                artifact.add_file(str(file), skip_cache=True)
        self._run.log_artifact(artifact, aliases=["latest", f"step-{step}"])


def why_not_online(mode: Mode) -> str | None:
    """What keeps a run from being online, if anything: the environment (of `auto` only), the key, or the server."""
    import wandb

    asked = os.environ.get("WANDB_MODE")
    if mode == "auto" and asked in ("offline", "dryrun", "disabled"):
        return f"WANDB_MODE={asked} is set"
    # For the whole process: while WANDB_MODE has it offline W&B looks for no key, and it greets unless silent.
    wandb.setup(wandb.Settings(mode="online", silent=True))
    try:
        return None if wandb.login(prompt=False, verify=True) else "no Weights & Biases key was found"
    except wandb.errors.Error as error:
        return f"Weights & Biases said: {str(error).splitlines()[0].rstrip('.')}"


def _start(mode: Literal["online", "offline"], about: dict[str, Any]) -> Any:
    """A run of its own that prints nothing and leaves the standard streams alone."""
    import wandb

    wandb.setup(wandb.Settings(mode=mode, silent=True))
    settings = wandb.Settings(
        console="off",
        silent=True,
        use_dot_wandb=False,
        save_code=False,
        finish_timeout=_FINISH_SECONDS,
        finish_timeout_raises=True,
    )
    try:
        return wandb.init(mode=mode, resume="allow", reinit="create_new", settings=settings, **about)
    except wandb.errors.Error as error:
        raise UserError(f"Weights & Biases refuses this run: {error} Use logger.wandb=offline or off.") from error


def _id_in(folder: Path) -> str:
    """The run's id in W&B, drawn once for a run folder (not from the run's seed: runs of one seed are not one run)."""
    file = folder / "wandb" / "id"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(secrets.token_hex(4))
    return file.read_text().strip()


def _say(line: str) -> None:
    print(f"wandb: {line}", file=sys.stderr)
