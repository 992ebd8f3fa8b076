"""Schedules at their first, middle and last step, and epsilons of Ape-X at the first, middle and last environment."""

import json

import pytest

from sandbox.config.base import Config
from sandbox.config.schedules import ApexEpsilon, EpsilonSchedule, Linear
from sandbox.core.errors import UserError
from sandbox.runs.resolve import resolve


@pytest.mark.parametrize(
    ("step", "value"), [(0, 1.0), (50, 1.0), (51, 0.991), (100, 0.55), (149, 0.109), (150, 0.1), (10_000, 0.1)]
)
def test_linear(step: int, value: float) -> None:
    line = Linear(start=1.0, end=0.1, steps=100, delay=50)
    assert line.at(step) == pytest.approx(value)
    assert line.epsilons(step, 3).tolist() == [line.at(step)] * 3


def test_apex_by_hand() -> None:
    """The epsilon of environment i is base ^ (1 + exponent i / (N - 1)) at every step (Horgan et al. 2018)."""
    assert ApexEpsilon(base=0.5, exponent=2).epsilons(0, 3).tolist() == [0.5, 0.25, 0.125]  # powers 1, 2, 3
    assert ApexEpsilon(base=0.5, exponent=2).epsilons(10**9, 3).tolist() == [0.5, 0.25, 0.125]
    assert ApexEpsilon(base=0.4, exponent=7).epsilons(0, 8).tolist() == pytest.approx(
        [0.4**power for power in range(1, 9)]
    )


def test_the_ends_of_apex() -> None:
    assert ApexEpsilon(base=0.4, exponent=7).epsilons(0, 1).tolist() == [0.4]
    assert ApexEpsilon(base=0.3, exponent=0).epsilons(0, 4).tolist() == [0.3] * 4
    assert ApexEpsilon(base=0.0).epsilons(0, 2).tolist() == [0, 0]
    assert ApexEpsilon(base=1.0).epsilons(0, 2).tolist() == [1, 1]


class Holder(Config):
    exploration: EpsilonSchedule = Linear()


@pytest.mark.parametrize(
    ("section", "meant"),
    [
        ({}, Linear()),
        ({"end": 0.02}, Linear(end=0.02)),
        ({"name": "linear", "start": 0.5}, Linear(start=0.5)),
        ({"base": 0.4, "exponent": 7}, ApexEpsilon(base=0.4, exponent=7)),
        ({"exponent": 3}, ApexEpsilon(exponent=3)),
        ({"name": "apex"}, ApexEpsilon(base=0.4, exponent=7)),
    ],
)
def test_the_options_choose_and_none_is_a_line(section: dict, meant: Config) -> None:
    held = Holder.model_validate_json(json.dumps({"exploration": section}), strict=True)
    assert held.exploration == meant
    assert Holder.model_validate_json(held.model_dump_json(), strict=True) == held
    assert Holder.model_validate({"exploration": section}) == held


@pytest.mark.parametrize("agent", ["dqn", "double_dqn", "iqn"])
def test_agents_take_either_and_apex_replaces_a_files_line(agent: str) -> None:
    plain = resolve([], ["steps=1", "env.name=catch", f"agent.name={agent}", "agent.exploration={base: 0.3}"])
    over = resolve([f"catch_{agent}"], ["agent.exploration={name: apex, base: 0.3}"])
    assert plain.agent.exploration == over.agent.exploration == ApexEpsilon(base=0.3)
    assert isinstance(resolve([f"catch_{agent}"], []).agent.exploration, Linear)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("base=1.5", "agent.exploration.base: needs a value <= 1, got 1.5."),
        ("exponent=-1", "agent.exploration.exponent: needs a value >= 0, got -1."),
        ("name=apxe", "unknown exploration 'apxe'. Did you mean 'apex'? Known: linear, apex."),
        ("{base: 0.4, end: 0.1}", "agent.exploration.end: unknown option. Known: name, base, exponent."),
        ("{name: linear, base: 1}", "agent.exploration.base: unknown option. Known: name, start, end, steps, delay."),
    ],
)
def test_mistakes(word: str, message: str) -> None:
    override = f"agent.exploration{'=' if '{' in word else '.'}{word}"
    with pytest.raises(UserError) as error:
        resolve([], ["steps=1", "env.name=catch", "agent.name=dqn", override])
    said = f"command line: {override}: "
    assert str(error.value) == said + message.removeprefix(f"{override.split('=')[0]}: ")
