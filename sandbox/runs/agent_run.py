"""`BuiltAgentRun`: an agent that was built for its environment."""

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Self

from sandbox.core.allocations import TRAINED
from sandbox.core.compute import Compute, choose
from sandbox.core.processes import ALONE, Processes
from sandbox.core.rng import Rng
from sandbox.evaluate.agents import Episodes, play_episodes
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import RenderError
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.runs.actions import require_actions
from sandbox.runs.config import AgentRun
from sandbox.runs.demonstrations import fill_replay
from sandbox.runs.evaluation_settings import EvaluationSettings, never
from sandbox.runs.feature_classifiers import FeatureClassifiers
from sandbox.runs.memory import require_room, within_memory
from sandbox.runs.ray_actors import EnvSource
from sandbox.runs.registry import require_methods
from sandbox.runs.sharing import shared_by
from sandbox.storage.run_folder import RunFolder
from sandbox.training.batch_norm import freeze_batch_norms
from sandbox.training.loop import Run
from sandbox.viewer.episode import PlayerSlot, episodes
from sandbox.viewer.episode_video import record_video

_MOST_ENVS = 16  # environments that an evaluation steps together, at most


@dataclass(frozen=True)
class BuiltAgentRun:
    """An agent, with the config, shapes, random streams and device that it was built with."""

    config: AgentRun
    spec: Spec
    rng: Rng
    compute: Compute
    learner: Agent

    @classmethod
    def build(cls, config: AgentRun, runs: OtherRuns, processes: Processes = ALONE) -> Self:
        """Build the agent.

        Args:
            config: The config.
            runs: Access to other runs.
            processes: Processes that train it together.

        Raises:
            UserError: If it does not fit the environment, or its class lacks a method.
        """
        rng, compute = Rng(config.seed), choose(config.device, config.precision, config.overlap)
        compute = replace(compute, processes=shared_by(processes, config))
        with within_memory(config, compute, TRAINED):
            spec = config.spec(runs)
            require_actions(config, spec)
            learner = config.agent.make(spec, rng, compute, runs)
        require_methods("agents", config.agent.name, learner, Agent)
        freeze_batch_norms(learner)
        return cls(config, spec, rng, compute, learner)

    def ready_to_resume(self) -> Run:
        """Return the agent with its stream, ready to go on from a checkpoint."""
        with within_memory(self.config, self.compute):
            require_room(self.config, self.compute, self.spec, self.learner)
            stream = self.config.agent.stream.make(EnvSource(self.config), self.learner, self.rng, self.compute)
        return Run(self.learner, stream, self.rng)

    def ready_to_begin(self) -> Run:
        """Return the agent with its stream, ready to begin: with the config's demonstrations in its replay buffer."""
        renders = self.config.media_period > 0
        self.config.env.examine(renders=renders, together=renders or self.config.evaluate_period > 0)
        run = self.ready_to_resume()
        fill_replay(run, self.config)
        return run

    def evaluate(self, settings: EvaluationSettings, stopping: Callable[[], bool] = never) -> dict[str, Any]:
        """Play whole episodes and return statistics of their returns.

        An agent that was just restored gives the same numbers for the same seed. An agent's own random numbers (broken
        ties, an evaluation epsilon) go on from one call to the next.

        Raises:
            Stopped: As soon as `stopping()` is true.
        """
        return dict(self.play(settings, stopping).statistics())

    def play(self, settings: EvaluationSettings, stopping: Callable[[], bool] = never) -> Episodes:
        """Play whole episodes; see `evaluate`."""
        seed = Rng(settings.seed).integer("evaluate") % 2**31
        with closing(self.config.env.make(min(settings.episodes, _MOST_ENVS))) as env:
            return play_episodes(self.learner, env, settings.episodes, seed, stopping)

    def evaluate_in_training(self, stopping: Callable[[], bool]) -> dict[str, Any]:
        """Evaluate as the config says; see `evaluate`."""
        return self.evaluate(EvaluationSettings(self.config.evaluate_episodes, self.config.seed), stopping)

    def evaluate_fully(self, settings: EvaluationSettings, classifiers: FeatureClassifiers) -> dict[str, Any]:
        """Evaluate as `sandbox evaluate` does: the agent's evaluation settings, then `evaluate`."""
        return {**self.config.agent.evaluation_settings(), **self.evaluate(settings)}

    def save_media(self, folder: RunFolder, step: int) -> dict[str, Path]:
        """Write a video of one episode; returns its path by kind, or nothing if the environment has no frames."""
        place = folder.videos / f"step_{step:012d}.mp4"
        with closing(self.config.env.make(1, for_people=True)) as env, suppress(RenderError):
            first = islice(episodes([PlayerSlot(self.learner)], env, seed=self.config.seed), 1)
            for _ in record_video(first, place, fps=env.fps):
                pass
            return {"videos": place}
        return {}

    def require_agent(self, run: str) -> Self:
        """Return this run; see `RunConfig.require_agent`."""
        return self

    @property
    def nonfinite_inputs(self) -> str:
        """A likely cause of a loss that is not finite."""
        return "rewards or observations that are not finite"
