"""`sandbox.load`: a run as an object."""

from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from sandbox.api._given import raise_if_stopped, require_numbers
from sandbox.api.shown import ShownImage, ShownVideo, shown_progress
from sandbox.core.errors import UserError
from sandbox.core.progress import progress
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.classifier import Classifier
from sandbox.interfaces.generator import Generator
from sandbox.media.image import image_of_samples
from sandbox.runs import start
from sandbox.runs.agent_run import BuiltAgentRun
from sandbox.runs.build import restore_agent, restore_generator
from sandbox.runs.config import RunConfig
from sandbox.runs.evaluation import evaluate_run
from sandbox.runs.evaluation_settings import EvaluationSettings
from sandbox.runs.exports.write import export_graph
from sandbox.runs.generator_run import BuiltGeneratorRun
from sandbox.runs.resolve import config_of
from sandbox.runs.sessions import match_of
from sandbox.storage.jsonl import read_rows
from sandbox.storage.run_folder import RunFolder
from sandbox.viewer.episode import episodes as play
from sandbox.viewer.episode_video import record_video


class Curve(NamedTuple):
    """A metric over a training: `steps` [L] int64 and `values` [L] float64."""

    steps: np.ndarray
    values: np.ndarray


class LoadedRun:
    """A run: its config, its metrics, and its agent or generator at one checkpoint, by default the newest.

    Attributes:
        path: The run folder.
        name: Its name.
    """

    def __init__(self, folder: RunFolder) -> None:
        """Look at a run folder; the learner is restored when it is needed."""
        self._folder, self.path, self.name = folder, folder.path, folder.name
        self._state: Any = None

    def __repr__(self) -> str:
        step = self._folder.step if self._folder.at is None else self._folder.at
        return f"<run {self.path}, step {step}>"

    @property
    def config(self) -> RunConfig:
        """The config, with all defaults."""
        return config_of(self._folder)

    @property
    def metrics(self) -> dict[str, Curve]:
        """Every metric of the log, by name; a run that is still training is read as far as it goes."""
        rows = read_rows(self._folder.metrics) if self._folder.metrics.exists() else []
        names = dict.fromkeys(name for row in rows for name in row if name != "step")
        found = {name: [(row["step"], row[name]) for row in rows if name in row] for name in names}
        return {
            name: Curve(np.array([step for step, _ in pairs], np.int64), np.array([value for _, value in pairs], float))
            for name, pairs in found.items()
        }

    @property
    def agent(self) -> Agent:
        """The agent.

        Raises:
            UserError: If the run trains a generator.
        """
        return self._agent_run.learner

    @property
    def generator(self) -> Generator:
        """The generator.

        Raises:
            UserError: If the run trains an agent or a classifier.
        """
        learner = self._generator_run.learner
        if isinstance(learner, Classifier):
            raise UserError(f"{self.name} is a classifier, which draws no samples. Use `predict`.")
        return learner

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return what a classifier predicts for images [B, C, H, W] uint8: the probability of each class, [B, K].

        For `targets: numbers` these are the numbers, [B, N].

        Raises:
            UserError: If the run trains no classifier.
        """
        learner = self._generator_run.learner
        if not isinstance(learner, Classifier):
            raise UserError(f"{self.name} trains no classifier, so it predicts nothing")
        return learner.predict(torch.from_numpy(np.ascontiguousarray(images))).float().cpu().numpy()

    def act(self, observations: Any, *, explore: bool = False) -> Any:
        """Choose an action for one observation, or one for each of N.

        An agent with a recurrent state carries it from call to call; `reset` begins a new episode.

        Args:
            observations: [*observation] or [N, *observation], as the environment of the run shows them.
            explore: Whether the agent explores as in its training.

        Returns:
            The action, or an array of N actions.

        Raises:
            UserError: For observations of another shape or type than the agent was trained with, or another N than
                before.
        """
        built = self._agent_run
        try:
            shape, given = tuple(built.spec.shape), np.asarray(observations)
        except ValueError as error:
            raise UserError(f"{self.name} acts on an observation of shape {built.spec.shape}: {error}") from None
        is_one = given.shape == shape
        if not is_one and given.shape[1:] != shape:
            raise UserError(f"{self.name} acts on an observation of shape {shape}, or on N of them; got {given.shape}")
        batch = _as_trained(given[None] if is_one else given, built.spec.is_bytes, self.name)
        if self._state is None:
            self._state = len(batch), built.learner.initial_state(len(batch))
        count, state = self._state
        if count != len(batch):
            raise UserError(f"{self.name} acted on {count} observations, and now on {len(batch)}; call reset() first")
        actions, state = built.learner.act(batch, state, explore=explore)
        self._state = count, state
        return actions[0] if is_one else actions

    def reset(self) -> None:
        """Begin new episodes: drop the agent's recurrent state and the stacked frames."""
        self._state = None

    def sample(self, count: int) -> np.ndarray:
        """Return samples of the generator, [count, ...] float32; images [count, C, H, W] are in [0, 1]."""
        require_numbers(count=count)
        return self.generator.sample(count).float().cpu().numpy()

    def show(self, count: int = 64) -> ShownImage:
        """Return samples of the generator as one image, which a notebook displays."""
        require_numbers(count=count)
        return ShownImage(image_of_samples(self.generator.sample, self._generator_run.facts.spec.shape, count))

    def video(self, *, episodes: int = 1, seed: int = 0, quiet: bool = False) -> ShownVideo:
        """Let the agent play, as `sandbox watch --video` does; a notebook displays the video.

        It is written to the run's folder, `videos/step_STEP_seed_SEED.mp4`, and has at most 3,000 frames.

        Raises:
            UserError: If the run trains a generator, or its environment cannot be shown.
        """
        require_numbers(episodes=episodes, seed=seed)
        path = self._folder.videos / f"step_{self._folder.at or self._folder.step}_seed_{seed}.mp4"
        with shown_progress(quiet=quiet):
            match = match_of(self._folder, None)
            progress.now("rendering the video")
            played = islice(play(match.players, match.env, seed=seed), episodes)
            ends = list(record_video(played, path, fps=match.env.fps))
        return ShownVideo(path, [end.return_ for end in ends])

    def plot(self, *names: str) -> ShownImage:
        """Return curves of metrics as an image, which a notebook displays.

        Raises:
            UserError: Without names, or if the log has no metric of a name; with the names that it has.
        """
        from sandbox.media.curve import pixels_of_curves  # imports matplotlib

        metrics = self.metrics
        if not names:
            raise UserError(f"plot needs the name of a metric: {', '.join(metrics)}")
        for name in names:
            if name not in metrics:
                raise UserError(f"{self.name} has no metric {name!r}; it has {', '.join(metrics)}")
        return ShownImage(pixels_of_curves({name: metrics[name] for name in names}))

    def evaluate(
        self, *, episodes: int = 20, images: int = 10_000, seed: int = 0, quiet: bool = False
    ) -> dict[str, Any]:
        """Evaluate the run, and return the figures of `sandbox evaluate` by name.

        The defaults are not those of the command, which are 200 episodes, 300 images and the seed 12345.

        Raises:
            UserError: For numbers out of bounds.
        """
        require_numbers(episodes=episodes, images=images, seed=seed)
        with shown_progress(quiet=quiet):
            return evaluate_run(self._folder, EvaluationSettings(episodes, seed, images))

    def export(self, path: str | Path) -> Path:
        """Write the agent's policy, the decoder or the classifier to a file that runs without this package.

        Args:
            path: A new file: `.onnx` for an ONNX model, `.pt2` for a program of `torch.export`.

        Returns:
            The path. The file is written only if it computes what the run does.

        Raises:
            UserError: If the file exists, or the run's learner cannot be exported; with the reason.
        """
        export_graph(self._folder, Path(path))
        return Path(path)

    def resume(self, steps: int | None = None, *, quiet: bool = False) -> "LoadedRun":
        """Train on from the newest checkpoint, as `sandbox resume` does.

        Args:
            steps: A new last step, of the whole training; None keeps that of the config.
            quiet: Whether nothing is printed.

        Raises:
            UserError: For a checkpoint of a run (`@STEP`), or if the run has passed the last step already.
            KeyboardInterrupt: If Ctrl-C stopped the training, which is saved.
        """
        if steps is not None:
            require_numbers(steps=steps)
        with shown_progress(quiet=quiet):
            stopped = start.resume(self._folder, [] if steps is None else [f"steps={steps}"], quiet=quiet)
        for restored in ("_agent_run", "_generator_run"):
            vars(self).pop(restored, None)
        raise_if_stopped(stopped)
        return LoadedRun(RunFolder(self._folder.path))

    @cached_property
    def _agent_run(self) -> BuiltAgentRun:
        return restore_agent(self._folder)[0]

    @cached_property
    def _generator_run(self) -> BuiltGeneratorRun:
        return restore_generator(self._folder, "draw samples")[0]


def load(run: str | Path, *, runs: str | Path = "runs") -> LoadedRun:
    """Return a run.

        run = sandbox.load("catch_dqn_s0")
        action = run.act(observation)

    Args:
        run: Its folder, its name or the start of its id in `runs`, or `latest`; `@STEP` behind it means a checkpoint.
        runs: Folder of the run folders.

    Raises:
        UserError: If there is no such run.
    """
    return LoadedRun(RunFolder.find(Path(runs), str(run)))


def _as_trained(batch: np.ndarray, is_bytes: bool, name: str) -> np.ndarray:
    """Return observations with the type of those that the agent was trained with.

    Raises:
        UserError: If they are numbers of another kind.
    """
    if is_bytes and batch.dtype != np.uint8:
        raise UserError(f"{name} acts on bytes (uint8, 0 to 255), got {batch.dtype}")
    if not is_bytes and batch.dtype.kind not in "fiub":
        raise UserError(f"{name} acts on numbers, got {batch.dtype}")
    return batch if is_bytes else batch.astype(np.float32)
