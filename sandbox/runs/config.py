"""The config of a run: `AgentRun` trains an agent in an environment, `GeneratorRun` a generator on a data set."""

from abc import abstractmethod
from contextlib import closing
from typing import Any, ClassVar, Literal, NoReturn

from pydantic import Field, NonNegativeInt, SerializeAsAny, field_validator

from sandbox.config.base import Config
from sandbox.config.numbers import NumImages, Seed
from sandbox.core.compute import DeviceName, PrecisionName
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.environments.config import EnvConfig
from sandbox.interfaces.agent import AgentConfig
from sandbox.interfaces.dataset import DataConfig
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner_config import LearnerConfig
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.storage.reference import LATEST
from sandbox.training.loop import Periods

_ENDINGS = (".gif", ".html", ".json", ".jsonl", ".md", ".mp4", ".npz", ".png", ".webm", ".yaml", ".yml", ".zip")


class LoggerConfig(Config):
    """Options of the logger. Every run writes metrics.jsonl; these are its mirrors."""

    wandb: Literal["auto", "online", "offline", "off"] = Field(
        default="auto", description="mode of Weights & Biases; auto is online with an API key, else offline"
    )
    project: str = Field(default="sandbox", min_length=1, description="project in Weights & Biases")
    entity: str | None = Field(None, min_length=1, description="user or team in Weights & Biases; null is your default")
    group: str | None = Field(None, min_length=1, max_length=128, description="group of the run in Weights & Biases")
    job_type: str | None = Field(None, min_length=1, max_length=64, description="type of the run in Weights & Biases")
    tags: tuple[str, ...] = Field((), max_length=64, description="tags of the run in Weights & Biases")
    notes: str | None = Field(None, max_length=10_000, description="notes on the run in Weights & Biases")
    tensorboard: bool = Field(default=False, description="write TensorBoard event files too")

    @property
    def about(self) -> dict[str, Any]:
        """The entity, group, job type, tags and notes of the run in Weights & Biases."""
        return self.model_dump(include={"entity", "group", "job_type", "tags", "notes"})


class RunOptions(Periods):
    """Options that every run has."""

    name: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=100,
        description="name of the run's folder; null makes one from the config file and the seed",
    )
    seed: Seed = Field(0, description="seed of all random streams")
    device: DeviceName = Field("auto", description="where to compute; auto is CUDA if there is a device")
    precision: PrecisionName = Field(
        "fp32", description="precision of matrix products; auto is bf16 if the device multiplies in it natively"
    )
    threads: NonNegativeInt = Field(0, le=1_024, description="CPU threads of PyTorch; 0 leaves the choice to PyTorch")
    snapshots: NonNegativeInt = Field(
        4, le=10_000, description="number of evenly spaced snapshots of the learner that are never deleted"
    )
    encoder_from: str | None = Field(
        None,
        min_length=1,
        description="run whose encoder initializes this run's encoder (a dbn also initializes the decoder of an "
        "autoencoder); null starts from random weights",
    )
    logger: LoggerConfig = Field(LoggerConfig(), description="where metrics go besides metrics.jsonl")

    @field_validator("name")
    @classmethod
    def _names_a_run(cls, name: str | None) -> str | None:
        if name == LATEST:
            raise ValueError("`latest` stands for the newest run; choose another name")
        if name is not None and name.lower().endswith(_ENDINGS):
            raise ValueError(f"{name} is the name of a file; leave the ending out")
        return name


class RunConfig(RunOptions):
    """The config of a run: its source, its learner, and the options that every run has.

    Attributes:
        sections: Names of the sections of the source and the learner.
    """

    sections: ClassVar[tuple[str, str]]

    @property
    @abstractmethod
    def learner(self) -> LearnerConfig:
        """The section of the agent or the generator."""

    @abstractmethod
    def spec(self, runs: OtherRuns) -> Spec:
        """Return the shapes of the run's environment or data set."""

    @abstractmethod
    def require_agent(self, run: str) -> "AgentRun":
        """Return this config.

        Args:
            run: Name of the run, for the message; it may begin with the option that named the run.

        Raises:
            UserError: If the run trains a generator.
        """

    @abstractmethod
    def require_generator(self, run: str, task: str) -> "GeneratorRun":
        """Return this config.

        Args:
            run: Name of the run, for the message.
            task: Verb phrase for what only generators can do, such as `draw samples`.

        Raises:
            UserError: If the run trains an agent.
        """


class AgentRun(RunConfig):
    """A run that trains an agent in an environment."""

    sections: ClassVar[tuple[str, str]] = ("env", "agent")

    overlap: bool = Field(
        False, description="step the environments in a background thread during updates; results are unchanged"
    )
    evaluate_episodes: NumImages = Field(20, description="episodes of an evaluation during training")
    keep_replay: bool = Field(
        False,
        description="save a finished run with its replay, so that `resume --steps` continues it exactly; without, the "
        "replay is refilled first, and the folder is small",
    )
    demos: str | None = Field(
        None,
        min_length=1,
        description="demonstrations that fill the replay buffer at the start: a file of `sandbox play ENV --record "
        "FILE`; null has none",
    )
    demos_sha256: str | None = Field(
        None, description="SHA-256 of the demonstrations; null is replaced by the file's when the run begins"
    )
    env: SerializeAsAny[EnvConfig] = Field(description="the environment")
    agent: SerializeAsAny[AgentConfig] = Field(description="the agent")

    @property
    def learner(self) -> AgentConfig:
        """The section of the agent."""
        return self.agent

    def spec(self, runs: OtherRuns) -> Spec:
        """Return the shapes of the environment."""
        with closing(self.env.make(1)) as env:
            return spec_of(env)

    def require_agent(self, run: str) -> "AgentRun":
        """Return this config."""
        return self

    def require_generator(self, run: str, task: str) -> NoReturn:
        """Raise `UserError`: an agent does not do this."""
        raise UserError(f"{run} is an agent and cannot {task}. To see it play: `sandbox watch {run}`")


class GeneratorRun(RunConfig):
    """A run that trains a generator on a data set."""

    sections: ClassVar[tuple[str, str]] = ("data", "generator")

    data: SerializeAsAny[DataConfig] = Field(description="the data set")
    generator: SerializeAsAny[GeneratorConfig] = Field(description="the generator")

    @property
    def learner(self) -> GeneratorConfig:
        """The section of the generator."""
        return self.generator

    def spec(self, runs: OtherRuns) -> Spec:
        """Return the shapes of the data set."""
        return self.data.make(Rng(self.seed), runs).spec

    def require_agent(self, run: str) -> NoReturn:
        """Raise `UserError`: a generator does not act."""
        raise UserError(f"{run} is a generator and cannot play; give an agent's run")

    def require_generator(self, run: str, task: str) -> "GeneratorRun":
        """Return this config."""
        return self


RUN_KINDS: tuple[type[RunConfig], ...] = (AgentRun, GeneratorRun)
