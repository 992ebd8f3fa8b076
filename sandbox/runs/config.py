"""What one YAML file says: a source, a learner, how long, and what to write down on the way."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, SerializeAsAny, create_model, model_validator

from sandbox.config.base import Config
from sandbox.core.compute import DeviceName, PrecisionName
from sandbox.environments.config import EnvConfig
from sandbox.interfaces.agent import AgentConfig
from sandbox.interfaces.dataset import DataConfig
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import LearnerConfig
from sandbox.runs import registry


class LoggerConfig(Config):
    """`wandb`: auto is online with a key, else offline; `project`: in W&B; `tensorboard`: also write event files."""

    wandb: Literal["auto", "online", "offline", "off"] = "auto"
    project: str = "sandbox"
    tensorboard: bool = False


class RunConfig(Config):
    """A run. Periods count steps (agent steps with an env, updates with data); 0 is never."""

    name: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)
    seed: NonNegativeInt = 0
    steps: PositiveInt
    device: DeviceName = "auto"
    precision: PrecisionName = "fp32"
    threads: NonNegativeInt = Field(0, description="CPU threads of PyTorch; 0 leaves its own choice")
    overlap: bool = Field(False, description="agents with replay play on while they learn: faster, else the same")
    log_period: PositiveInt = 1_000
    evaluate_period: NonNegativeInt = 0
    evaluate_episodes: PositiveInt = 20
    media_period: NonNegativeInt = 0
    checkpoint_period: NonNegativeInt = 10_000
    snapshots: NonNegativeInt = Field(4, description="times on the way at which the learner alone is kept for good")
    encoder_from: str | None = Field(None, description="a run whose encoder this one starts with")
    demos: str | None = Field(None, description="a file of `sandbox play ENV --record FILE`, to begin the replay with")
    demos_sha256: str | None = Field(None, description="what the file must be; found out when the run begins")
    logger: LoggerConfig = LoggerConfig()
    env: SerializeAsAny[EnvConfig] | None = None
    data: SerializeAsAny[DataConfig] | None = None
    agent: SerializeAsAny[AgentConfig] | None = None
    generator: SerializeAsAny[GeneratorConfig] | None = None

    @property
    def learner(self) -> LearnerConfig:
        """The agent's or the generator's section."""
        chosen = self.agent or self.generator
        assert chosen is not None  # or validation would have failed
        return chosen

    @model_validator(mode="after")
    def _one_source_one_learner(self) -> Self:
        if problem := pairing_problem(dict(self)):
            raise ValueError(problem)
        return self


def pairing_problem(raw: Mapping[str, Any]) -> str | None:
    """What is wrong with the sources and learners that `raw` has, if anything."""
    given = [key for key in registry.SECTIONS if raw.get(key) is not None]
    if given in (["env", "agent"], ["generator", "data"]):
        return None
    return f"give either env and agent, or data and generator; this gives {' and '.join(given) or 'neither'}"


def section_type(family: str, raw: Any) -> Any:
    """The config class of the member that the section `raw` names; without a known name, a model that asks for one."""
    known = registry.names(family)
    if isinstance(raw, Mapping) and raw.get("name") in known:
        return registry.config_class(family, raw["name"])
    name: Any = Literal[tuple(known)]
    return create_model("Unnamed", name=(name, ...))


def model_for(raw: Mapping[str, Any]) -> type[RunConfig]:
    """`RunConfig` with the members that `raw` names, so that one validation finds every mistake."""
    sections = {key: family for key, family in registry.SECTIONS.items() if raw.get(key) is not None}
    fields: Any = {key: (section_type(family, raw[key]) | None, None) for key, family in sections.items()}
    return create_model("RunConfig", __base__=RunConfig, **fields)
