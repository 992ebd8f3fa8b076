import json
from typing import Annotated, Literal, Self

import pytest
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError, model_validator

from sandbox.config.base import Config
from sandbox.config.error_messages import explain
from sandbox.config.yaml_text import parse
from sandbox.core.errors import UserError
from sandbox.runs.resolve import resolve


class Wide(Config):
    name: Literal["wide"] = "wide"
    channels: tuple[PositiveInt, PositiveInt] = (1, 2)


class Deep(Config):
    name: Literal["deep"] = "deep"
    layers: tuple[PositiveInt, ...] = (1,)


class Line(Config):
    start: float = 1.0
    end: float = 0.0


class Adam(Config):
    lr: PositiveFloat | None = None


class Brick(Config):
    kilos: PositiveFloat = 1.0


class Wall(Config):
    brick: Brick | None = None
    wood: Line | None = None


class Learner(Config):
    name: Literal["dqn"] = "dqn"
    backbone: Annotated[Wide | Deep, Field(discriminator="name")] = Wide()
    epsilon: Line | PositiveFloat = 0.1
    optimizer: Adam = Adam()
    play: bool = False
    low: NonNegativeInt = 0
    high: int = Field(9, le=9)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low must be at most high = {self.high}")
        return self


class Whole(Config):
    steps: PositiveInt
    name: str | None = Field(None, pattern="^[a-z]+$")
    device: Literal["cpu", "cuda"] = "cpu"
    agent: Learner = Learner()
    counts: dict[str, int] = Field(default_factory=dict)
    walls: tuple[Wall, ...] = ()


def told(text):
    """Return the lines of the message about a YAML text, without the name of its file."""
    raw, origins = parse(text, "f")
    origins[()] = origins.get((), parse("a: 1", "f", lines=False)[1]["a",])
    with pytest.raises(ValidationError) as error:
        Whole.model_validate_json(json.dumps(raw), strict=True)
    return explain(error.value, origins, Whole, raw).splitlines()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("agent: {lerner: 1}",
         "agent.lerner: unknown option. Known: name, backbone, epsilon, optimizer, play, low, high."),
        ("agent: {learning_rate: 1}", "agent.learning_rate: unknown option. Did you mean 'agent.optimizer.lr'?"),
        ("agent: {optimizer: {learning_rate: 1}}",
         "agent.optimizer.learning_rate: unknown option. Did you mean 'agent.optimizer.lr'?"),
        ("lr: 1", "lr: unknown option. Did you mean 'agent.optimizer.lr'?"),
        ("chanels: 1", "chanels: unknown option. Did you mean 'agent.backbone.channels'?"),
        ("stesp: 1", "stesp: unknown option. Did you mean 'steps'?"),
        ("counts: {a: many}", "counts.a: needs a whole number, got 'many'."),
        ("counts: {a: 1.5}", "counts.a: needs a whole number, got 1.5."),
        ("counts: {a: true}", "counts.a: needs a whole number, got true."),
        ("counts: {a: null}", "counts.a: needs a whole number, got null."),
        ("counts: {a: '5'}", "counts.a: needs a whole number, got '5'. Leave the quotes out."),
        ("counts: {a: [1, 2]}", "counts.a: needs a whole number, got [1, 2]."),
        ("counts: 3", "counts: needs a section, got 3."),
        ("name: 3", "name: needs text, got 3. Put it in quotes."),
        ("name: A B", "name: needs text that matches ^[a-z]+$, got 'A B'."),
        ("device: cudaa", "device: needs 'cpu' or 'cuda', got 'cudaa'. Did you mean 'cuda'?"),
        ("device: [cpu]", "device: needs 'cpu' or 'cuda', got [cpu]."),
        ("agent: {play: yes}", "agent.play: needs true or false, got 'yes'."),
        ("agent: {play: 1}", "agent.play: needs true or false, got 1."),
        ("agent: {low: -1}", "agent.low: needs a value >= 0, got -1."),
        ("agent: {high: 10}", "agent.high: needs a value <= 9, got 10."),
        ("agent: {low: 5, high: 4}", "agent: low must be at most high = 4."),
        ("agent: {optimizer: {lr: 0}}", "agent.optimizer.lr: needs a value > 0, got 0."),
        ("agent: {optimizer: {lr: .inf}}", "agent.optimizer.lr: needs a finite number, got .inf."),
        ("agent: {optimizer: 3}", "agent.optimizer: needs a section (lr), got 3."),
        ("agent: dqn", "agent: needs a section (name, backbone, epsilon, optimizer, play, low, high), got 'dqn'. "
         "Did you mean agent.name=dqn?"),
        ("agent: {name: dqm}", "agent.name: unknown agent 'dqm'. Did you mean 'dqn'? Known: dqn."),
        ("agent: {backbone: {name: dep}}",
         "agent.backbone.name: unknown backbone 'dep'. Did you mean 'deep'? Known: wide, deep."),
        ("agent: {backbone: {name: 3}}", "agent.backbone.name: unknown backbone '3'. Known: wide, deep."),
        ("agent: {backbone: {layers: [1]}}", "agent.backbone.name: missing. Known: wide, deep."),
        ("agent: {backbone: deep}",
         "agent.backbone: needs a section, got 'deep'. Did you mean agent.backbone.name=deep?"),
        ("agent: {backbone: {name: deep, chanels: 1}}", "agent.backbone.chanels: unknown option. Known: name, layers."),
        ("agent: {backbone: {name: deep, layers: [3, 0]}}", "agent.backbone.layers.1: needs a value > 0, got 0."),
        ("agent: {backbone: {name: deep, layers: 3}}", "agent.backbone.layers: needs a list, got 3."),
        ("agent: {backbone: {name: wide, channels: [1]}}",
         "agent.backbone.channels: needs at least 2 values, got [1]."),
        ("agent: {backbone: {name: wide, channels: [1, 2, 3]}}",
         "agent.backbone.channels: needs at most 2 values, got [1, 2, 3]."),
        ("agent: {epsilon: few}", "agent.epsilon: needs a section (start, end) or a number, got 'few'."),
        ("agent: {epsilon: {stat: 1}}", "agent.epsilon.stat: unknown option. Did you mean 'agent.epsilon.start'?"),
        ("walls: [{brik: {}}]", "walls.0.brik: unknown option. Did you mean walls='[{brick: {}}]'?"),
        ("walls: [{brick: {}}, {brik: {}}]",
         "walls.1.brik: unknown option. Did you mean walls='[{brick: {}}, {brick: {}}]'?"),
        ("walls: [{brick: {}, wod: {}}]", "walls.0.wod: unknown option. "
         "Did you mean walls='[{brick: {}, wood: {}}]'?"),
        ("walls: [{brick: {kilo: 2}}]",
         "walls.0.brick.kilo: unknown option. Did you mean walls='[{brick: {kilos: 2}}]'?"),
        ("walls: [{brick: {}}, {brick: {kilos: 0}}]", "walls.1.brick.kilos: needs a value > 0, got 0."),
        ("walls: [brick]", "walls.0: needs a section (brick, wood), got 'brick'. "
         "Did you mean walls='[{brick: {}}]'?"),
        ("walls: [{brick: {}}, wood]", "walls.1: needs a section (brick, wood), got 'wood'. "
         "Did you mean walls='[{brick: {}}, {wood: {}}]'?"),
        ("walls: [{kilo: 2}]", "walls.0.kilo: unknown option. Did you mean walls='[{brick: {kilos: 2}}]'?"),
        ("agent: {total_timesteps: 2}", "agent.total_timesteps: unknown option. Did you mean 'steps'?"),
        ("walls: [stone]", "walls.0: needs a section (brick, wood), got 'stone'."),
        ("walls: brick", "walls: needs a list of sections (brick, wood), got 'brick'. "
         "Did you mean walls='[{brick: {}}]'?"),
        ("walls: stone", "walls: needs a list of sections (brick, wood), got 'stone'."),
        ("walls: {brick: {}}", "walls: needs a list of sections (brick, wood), got a section. "
         "Did you mean walls='[{brick: {}}]'?"),
        ("walls: {0: {}}",
         "walls: needs a list of sections (brick, wood), got a section. A list is given whole: walls=[...]."),
        ("wood: {}", "wood: unknown option. Did you mean walls='[{wood: {}}]'?"),
        ("kilos: 2", "kilos: unknown option. Did you mean walls='[{brick: {kilos: 2}}]'?"),
        ("agent: {layers: [3]}",
         "agent.layers: unknown option. Did you mean 'agent.backbone.layers' with agent.backbone.name=deep?"),
        ("agent: {backbone: {name: deep}, layers: [3]}",
         "agent.layers: unknown option. Did you mean 'agent.backbone.layers'?"),
        ("agent: {backbone: {name: deep}, channels: 3}",
         "agent.channels: unknown option. Did you mean 'agent.backbone.channels' with agent.backbone.name=wide?"),
        ("agent: {epsilon: -1}", "agent.epsilon: needs a section (start, end) or a value > 0, got -1."),
    ],
)  # fmt: skip
def test_one_mistake_is_one_line(line, message):
    assert told(f"steps: 5\n{line}") == [f"f:2: {message}"]


def test_what_is_missing_is_told_at_the_section_around_it():
    assert told("seed: 1\n")[-1] == "f: steps: missing. It needs a whole number."


def test_every_mistake_is_told_at_once_in_the_order_of_the_lines():
    assert told("device: gpu0\nagent:\n  play: 3\n  backbone: {name: depp}\n  lr: x\nsteps: many\nsede: 0\n") == [
        "f:1: device: needs 'cpu' or 'cuda', got 'gpu0'.",
        "f:3: agent.play: needs true or false, got 3.",
        "f:4: agent.backbone.name: unknown backbone 'depp'. Did you mean 'deep'? Known: wide, deep.",
        "f:5: agent.lr: unknown option. Did you mean 'agent.optimizer.lr'?",
        "f:6: steps: needs a whole number, got 'many'.",
        "f:7: sede: unknown option. Known: steps, name, device, agent, counts, walls.",
    ]


def test_a_long_value_is_cut():
    (line,) = told(f"steps: {'x' * 500}")
    assert line == f"f:1: steps: needs a whole number, got '{'x' * 56}...."


def test_a_config_full_of_mistakes_is_explained_in_part() -> None:
    wrappers = ", ".join(["{flicker: {pp: 1}}"] * 2_000)
    with pytest.raises(UserError) as error:
        resolve(["catch_dqn"], [f"env.wrappers=[{wrappers}]"])
    said = str(error.value)
    assert "and 1980 more" in said
    assert len(said) < 20_000
