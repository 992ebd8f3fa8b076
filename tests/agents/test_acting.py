"""Acting by epsilon: by the schedule, by the online network, ties at random."""

from typing import Any

import numpy as np
import pytest
import torch

from sandbox.agents.double_dqn import DoubleDQNConfig
from sandbox.agents.dqn import DQNConfig
from sandbox.agents.drqn import DRQNConfig
from sandbox.agents.iqn import IQNConfig
from sandbox.buffers.replay import Transitions
from sandbox.config.schedules import ApexEpsilon, Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.mlp import MLP
from sandbox.networks.recurrent import LSTM

MANY = 8_000  # environments; three standard deviations of a share are at most 0.017
STACKS = [DQNConfig, DoubleDQNConfig, IQNConfig]
SMALL: dict[Any, dict[str, Any]] = {
    DQNConfig: {},
    DoubleDQNConfig: {},
    IQNConfig: {"hidden_size": 8, "embedding_size": 4, "num_policy_taus": 2},
    DRQNConfig: {"recurrent": LSTM(size=8)},
}


def make(kind: Any, best: int | None, **options: Any) -> Any:
    """An agent that thinks action `best` of four the best (None: all alike), and whose target network does not."""
    config = kind(backbone=MLP(hidden=(8,)), **SMALL[kind], **options)
    agent = config.make(Spec((3,), is_bytes=False, num_actions=4), Rng(0), Compute(torch.device("cpu")), NO_RUNS)
    parts = agent.parts()
    for network, action in ((parts["network"], best), (parts["target"].network, 3)):
        with torch.no_grad():
            network.head.weight.zero_()
            network.head.bias.zero_()
            if action is not None:
                network.head.bias[action] = 1.0
    return agent


def play(agent: Any, count: int = MANY, *, explore: bool) -> np.ndarray:
    actions, _ = agent.act(np.zeros((count, 3), np.float32), agent.initial_state(count), explore=explore)
    return actions


@pytest.mark.parametrize("kind", SMALL)
def test_exploration_is_the_schedules_from_the_first_step_to_the_last(kind: Any) -> None:
    """One published fast DQN is stuck at its end value."""
    agent = make(kind, 0, exploration=Linear(start=1.0, end=0.2, steps=2 * MANY, delay=MANY))
    for epsilon in (1.0, 1.0, 0.6, 0.2, 0.2):
        counts = np.bincount(play(agent, explore=True), minlength=4) / MANY
        assert counts[1:] == pytest.approx([epsilon / 4] * 3, abs=0.017)


@pytest.mark.parametrize("kind", STACKS)
def test_apex_gives_each_environment_an_epsilon_of_its_own(kind: Any) -> None:
    agent = make(kind, 0, exploration=ApexEpsilon(base=0.9, exponent=9))
    for _ in range(2):
        random = play(agent, explore=True).reshape(8, -1) != 0
        expected = 0.75 * ApexEpsilon(base=0.9, exponent=9).epsilons(0, MANY).reshape(8, -1).mean(1)
        assert random.mean(1) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("kind", SMALL)
def test_evaluation_has_an_epsilon_of_its_own_and_leaves_exploration_alone(kind: Any) -> None:
    options = {"exploration": Linear(start=1.0, end=0.5, steps=MANY), "evaluation_epsilon": 0.4}
    agent, other = make(kind, 0, **options), make(kind, 0, **options)
    for _ in range(2):
        counts = np.bincount(play(agent, explore=False), minlength=4) / MANY
        assert counts[1:] == pytest.approx([0.1] * 3, abs=0.017)
        assert play(agent, 100, explore=True).tolist() == play(other, 100, explore=True).tolist()


@pytest.mark.parametrize("explore", [True, False])
@pytest.mark.parametrize("kind", SMALL)
def test_the_online_network_is_played_and_greedily(kind: Any, explore: bool) -> None:
    agent = make(kind, 2, exploration=Linear(start=0.0, end=0.0))
    assert (play(agent, explore=explore) == 2).all()


@pytest.mark.parametrize("explore", [True, False])
@pytest.mark.parametrize("kind", SMALL)
def test_ties_are_broken_at_random(kind: Any, explore: bool) -> None:
    agent = make(kind, None, exploration=Linear(start=0.0, end=0.0))
    counts = np.bincount(play(agent, explore=explore), minlength=4) / MANY
    assert counts == pytest.approx([0.25] * 4, abs=0.017)


@pytest.mark.parametrize("kind", STACKS)
def test_the_recurrent_state_is_the_stack_without_its_oldest(kind: Any) -> None:
    agent = make(kind, 0, frame_stack=3)
    state = agent.initial_state(2)
    assert state.tolist() == [[0.0] * 6] * 2
    for number in (1.0, 2.0, 3.0):
        observations = np.full((2, 3), number, np.float32)
        observations[1] *= 10
        _, state = agent.act(observations, state, explore=True)
    assert state.tolist() == [[2.0] * 3 + [3.0] * 3, [20.0] * 3 + [30.0] * 3]


@pytest.mark.parametrize("kind", STACKS)
def test_the_logged_epsilon_is_the_present_mean_over_the_exploring_environments(kind: Any) -> None:
    ones = torch.ones(4, 1)
    data = Transitions(torch.ones(4, 3), torch.arange(4), ones, ones, ones[:, 0].long(), torch.ones(4, 3))
    agent = make(kind, 0, frame_stack=1, exploration=Linear(start=1.0, end=0.5, steps=20))
    logged = []
    for _ in range(3):
        logged.append(agent.update(data)["epsilon"])
        play(agent, 10, explore=True)
    assert logged == [1.0, 0.75, 0.5]
    apex = make(kind, 0, frame_stack=1, exploration=ApexEpsilon(base=0.5, exponent=2))
    play(apex, 3, explore=True)
    play(apex, 7, explore=False)  # an evaluation has other environments
    assert apex.update(data)["epsilon"] == (0.5 + 0.25 + 0.125) / 3
