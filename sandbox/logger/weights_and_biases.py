"""The Weights & Biases sink: metrics, media and checkpoints, sent online or kept in files for a later upload.

The config overrides environment variables that name a run or choose its mode, with one exception: `auto` obeys a
WANDB_MODE that keeps runs offline, and reports it. Variables for user and server (WANDB_API_KEY, WANDB_ENTITY,
WANDB_BASE_URL and others) work as W&B documents them.
"""

import os
import secrets
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from sandbox.core.errors import UserError
from sandbox.core.messages import say

Mode = Literal["auto", "online", "offline"]
Improved = Callable[[int, Mapping[str, float]], Mapping[str, float]]  # step and row -> new entries of the summary

_FINISH_SECONDS = 120.0


class WeightsAndBiases:
    """Mirrors a run to a W&B run; a resumed run keeps its W&B id.

    Args:
        mode: `online`; `offline`; or `auto`, which is online if the server accepts the API key, otherwise offline with
            a message on how to upload the run later.
        project: Name of the W&B project.
        name: Name of the run.
        folder: The run folder; W&B keeps its files in its subfolder `wandb`.
        config: The resolved config of the run.
        about: What W&B shows of the run besides: `entity`, `group`, `job_type`, `tags` and `notes`.
        improved: Returns the best values that a row improves, for the summary.

    Raises:
        UserError: If `mode` is online and the server accepts no key, or the project name is invalid.
    """

    def __init__(
        self,
        mode: Mode,
        project: str,
        name: str,
        folder: Path,
        config: Mapping[str, Any],
        about: Mapping[str, Any] = MappingProxyType({}),
        improved: Improved = lambda step, metrics: {},
    ) -> None:
        self._folder, self._improved = folder, improved
        self._broken = False
        self._last_checkpoint: tuple[int, Path] | None = None
        obstacle = None if mode == "offline" else why_not_online(mode)
        if mode == "online" and obstacle:
            raise UserError(
                f"logger.wandb=online, but {obstacle}. "
                "Run `wandb login` or set WANDB_API_KEY, or use logger.wandb=auto, offline or off."
            )
        self._offline = mode == "offline" or obstacle is not None
        own = {"project": project, "name": name, "dir": str(folder), "id": _run_id(folder), "config": dict(config)}
        self._run = _start("offline" if self._offline else "online", {**about, **own})
        if obstacle:
            _print(f"{obstacle}, so this run is kept offline; after `wandb login`, upload it with: {self.where}")
        self._run.define_metric("step")
        self._run.define_metric("*", step_metric="step")

    @property
    def where(self) -> str:
        """The address of the run, or the command that uploads it."""
        if not self._offline:
            return str(self._run.url)
        return f"wandb sync {shlex.quote(str(self._folder / 'wandb'))}/offline-run-*"

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Log a row. Its `step` is a metric, used as the x-axis, because W&B's own step can never decrease."""
        self._attempt(lambda: self._run.log({**metrics, "step": step}))
        self._attempt(lambda: self._summarize(self._improved(step, metrics)))

    def media(self, step: int, name: str, path: Path) -> None:
        """Log the file itself: given arrays, W&B would rescale floats and encode videos again."""
        import wandb

        kind = wandb.Image if path.suffix == ".png" else wandb.Video
        self._attempt(lambda: self._run.log({name: kind(str(path)), "step": step}))

    def checkpoint(self, step: int, folder: Path) -> None:
        """Log the learner's files: of every checkpoint if online, of the last one if offline, to save space."""
        self._last_checkpoint = (step, folder)
        if not self._offline:
            self._attempt(self._log_checkpoint)

    def close(self, summary: Mapping[str, Any]) -> None:
        """Finish the run; what cannot be uploaded in time stays on disk, and a message says how to upload it."""
        if self._offline:
            self._attempt(self._log_checkpoint)
        self._attempt(lambda: self._summarize(summary))
        self._attempt(self._finish)

    def _attempt(self, action: Callable[[], object]) -> None:
        """Call W&B; a failure is reported and ends the use of W&B, but not the run."""
        if self._broken:
            return
        try:
            action()
        except Exception as error:
            self._broken = True
            _print(f"stopped by {error!r}; the run continues without it, and metrics.jsonl is complete")

    def _summarize(self, entries: Mapping[str, Any]) -> None:
        if entries:
            self._run.summary.update(dict(entries))

    def _finish(self) -> None:
        try:
            self._run.finish()
        except TimeoutError:
            kept = shlex.quote(str(Path(self._run.dir).parent))
            _print(
                f"not everything was uploaded within {_FINISH_SECONDS:.0f} s; upload the rest with: wandb sync {kept}"
            )

    def _log_checkpoint(self) -> None:
        """Log learner and manifest, not the replay buffer, which may be gigabytes and which only a resume needs."""
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
    """Return the reason why a run cannot be online, or None: WANDB_MODE (for `auto` only), the key, or the server."""
    import wandb

    requested = os.environ.get("WANDB_MODE")
    if mode == "auto" and requested in ("offline", "dryrun", "disabled"):
        return f"WANDB_MODE={requested} is set"
    # For the whole process: W&B looks for no key while WANDB_MODE is offline, and prints a greeting unless silent.
    wandb.setup(wandb.Settings(mode="online", silent=True))
    try:
        return None if wandb.login(prompt=False, verify=True) else "no Weights & Biases key was found"
    except wandb.errors.Error as error:
        return f"Weights & Biases said: {str(error).splitlines()[0].rstrip('.')}"


def _start(mode: Literal["online", "offline"], about: dict[str, Any]) -> Any:
    """Start a W&B run that prints nothing and does not capture the standard streams."""
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
        raise UserError(f"Weights & Biases refused this run: {error} Use logger.wandb=offline or off.") from error


def _run_id(folder: Path) -> str:
    """Return the W&B id of a run folder; it is random at first use, not derived from the seed, which runs may share."""
    file = folder / "wandb" / "id"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(secrets.token_hex(4))
    return file.read_text().strip()


def _print(line: str) -> None:
    say(f"wandb: {line}", err=True)
