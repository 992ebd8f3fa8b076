"""What a run does to its folder and to the world: log lines, scores, films and grids, checkpoints."""

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from sandbox.config.yaml_text import Origin
from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.core.stateful import Stateful
from sandbox.evaluate.agents import Stopped
from sandbox.evaluate.collapse import CollapseWatch
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.generator import Filters, Previews
from sandbox.logger.jsonl import Jsonl
from sandbox.logger.sink import Sink
from sandbox.media.grid import balanced, grid, save_png
from sandbox.media.picture import picture_of
from sandbox.runs.build import BuiltRun, learner_parts
from sandbox.runs.config import RunConfig
from sandbox.runs.evaluation import score
from sandbox.runs.resolve import checked
from sandbox.storage.checkpoint import Checkpoints, write_tree
from sandbox.storage.run_folder import RunFolder
from sandbox.training.batch_norm import paused_batch_norms
from sandbox.viewer.episode import PlayerSlot, episodes
from sandbox.viewer.episode_video import record_video

_FILTERS = 64
_ALL = 1_000_000  # snapshots stay


class ConfigGuard:
    """What a checkpoint belongs to: a run whose config was edited in between must not go on as if it was not.

    Settings are compared as they read today: an option that is younger than the checkpoint had today's default.
    """

    def __init__(self, config: RunConfig) -> None:
        self._config = config

    def state_dict(self) -> dict[str, Any]:
        settings = self._config.model_dump(mode="json")
        return {key: settings[key] for key in ("seed", "precision", "env", "data", "agent", "generator")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises UserError if the run was started with other settings, or with ones that are no more."""
        try:
            saved = ConfigGuard(
                checked({"steps": self._config.steps, **state}, {(): Origin("the checkpoint")})
            ).state_dict()
        except UserError as error:
            raise UserError(
                f"this run was saved by another version, whose settings this one does not read: {error} "
                "Resume it with that version (run.json says which), or train a new run."
            ) from None
        if changed := [key for key, value in self.state_dict().items() if value != saved[key]]:
            raise UserError(
                f"config.yaml has another {', '.join(changed)} than when this run was saved. "
                "Put it back to resume, or train a new run with these settings."
            )


class RunRecorder:
    """`truth` is metrics.jsonl, whose length is in every checkpoint; `sink` hands everything to it and its mirrors."""

    def __init__(
        self,
        assembly: BuiltRun,
        folder: RunFolder,
        truth: Jsonl,
        sink: Sink,
        checkpoints: Checkpoints,
        stopping: Callable[[], bool],
    ) -> None:
        self._assembly, self._folder, self._truth, self._sink = assembly, folder, truth, sink
        self._checkpoints, self.stopping = checkpoints, stopping
        self._reached = 0  # the step of the newest line
        self._collapse = CollapseWatch()

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Write a line; the first one after each share of the way that has a snapshot makes it."""
        self._sink.write(step, metrics)
        count, steps = self._assembly.config.snapshots, self._assembly.config.steps
        if step * count // steps > self._reached * count // steps:
            Checkpoints(self._folder.snapshots, kept=_ALL).save(step, learner_parts(self._assembly.learner))
        self._reached = step

    def evaluate(self, step: int) -> dict[str, float] | None:
        """The score now, in environments of its own (or on the test images), as `eval/...`; None if asked to stop."""
        config = self._assembly.config
        try:
            with paused_batch_norms(self._assembly.learner):
                scores = score(self._assembly, config.evaluate_episodes, config.seed, self.stopping)
        except Stopped:
            return None
        if line := self._collapse.look(step, scores):
            note(line)
        return {
            f"eval/{name.removesuffix('_mean')}": value for name, value in scores.items() if isinstance(value, float)
        }

    def show(self, step: int) -> None:
        """A film of one episode; or pictures of samples, of the same latents each time where it can, and of filters."""
        learner, stem = self._assembly.learner, f"step_{step:012d}"
        if not isinstance(self._assembly.source, DataSet):
            place, env = self._folder.videos / f"{stem}.mp4", self._assembly.source(1)
            list(
                record_video(
                    islice(episodes([PlayerSlot(learner)], env, seed=self._assembly.config.seed), 1), place, fps=env.fps
                )
            )
            self._sink.media(step, "videos", place)
            return
        draw = learner.preview if isinstance(learner, Previews) else learner.sample
        with paused_batch_norms(learner):
            pictures = {"samples": (stem, picture_of(draw, self._assembly.source.spec.shape))}
        if isinstance(learner, Filters):
            pictures["filters"] = (f"filters_{stem}", grid(balanced(learner.filters(_FILTERS))))
        for name, (file, picture) in pictures.items():
            place = self._folder.samples / f"{file}.png"
            save_png(place, picture)
            self._sink.media(step, name, place)

    def save(self, step: int, parts: Mapping[str, Stateful]) -> None:
        self._sink.checkpoint(step, self._checkpoints.save(step, self._with_its_own(parts)))

    def load(self, parts: Mapping[str, Stateful]) -> int:
        """Go on from the newest good checkpoint; its step."""
        self._reached = self._checkpoints.load(self._with_its_own(parts))
        return self._reached

    def _with_its_own(self, parts: Mapping[str, Stateful]) -> dict[str, Stateful]:
        return {"config": ConfigGuard(self._assembly.config), **parts, "logger": self._truth}

    def advice(self) -> str:
        """What to do about a loss that is not finite, as far as the config lets one do it."""
        config = self._assembly.config
        clip = any(name.endswith("optimizer") for name in type(config.learner).model_fields)
        causes = [
            "a learning rate that is too large (try a tenth of it)",
            *["gradients without a limit (set clip_norm: 10 in the optimizer's section)"] * clip,
            "rewards or observations that are not finite" if config.agent else "data that are not finite",
        ]
        return f"Likely causes: {', '.join(causes[:-1])}{',' * clip} or {causes[-1]}."

    def keep(self, step: int, batch: Any) -> Path:
        """Put a batch aside for people to look at."""
        place = self._folder.path / f"batch_{step}"
        place.mkdir(exist_ok=True)
        write_tree(place, "batch", batch)
        return place
