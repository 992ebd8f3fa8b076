"""What goes on in agents, and what their values hang on."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sandbox.agents.darqn import DARQNConfig
from sandbox.agents.double_dqn import DoubleDQNConfig
from sandbox.agents.dqn import DQNConfig
from sandbox.agents.drqn import DRQNConfig
from sandbox.agents.iqn import IQNConfig
from sandbox.agents.pqn import PQNConfig
from sandbox.agents.q_learning import QLearningConfig
from sandbox.agents.r2d2 import R2D2Config
from sandbox.agents.rainbow import RainbowConfig
from sandbox.agents.random import RandomConfig
from sandbox.agents.sarsa import SarsaConfig
from sandbox.core.compute import choose
from sandbox.core.rng import Rng
from sandbox.envs.catch import CatchConfig
from sandbox.envs.grid_world import GridWorldConfig
from sandbox.envs.pong import PongConfig
from sandbox.interfaces.agent import Explains
from sandbox.interfaces.environment import Controls, spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.state import advance_state
from sandbox.networks.nature import Nature
from sandbox.networks.recurrent import LSTM
from sandbox.ops.policies import epsilon_greedy
from sandbox.viewer.agent_panels import PANELS, AgentPanels, action_names, attention_of, memory_of, saliency, values_of
from sandbox.viewer.episode import Decision, Game, PlayerSlot
from sandbox.viewer.view import Bars, Images, Strip

SMALL = Nature(channels=(4, 4, 4), hidden=16)
OPEN = Nature(channels=(4, 4, 4), hidden=None)
DEEP = {
    "dqn": DQNConfig(backbone=SMALL),
    "double_dqn": DoubleDQNConfig(backbone=SMALL),
    "pqn": PQNConfig(backbone=SMALL),
    "rainbow": RainbowConfig(backbone=SMALL),
    "iqn": IQNConfig(backbone=SMALL, num_policy_taus=2000),
    "drqn": DRQNConfig(backbone=OPEN, recurrent=LSTM(size=8)),
    "r2d2": R2D2Config(backbone=SMALL, recurrent=LSTM(size=8)),
    "darqn": DARQNConfig(backbone=OPEN, recurrent=LSTM(size=8)),
}
TABLES = {"q_learning": QLearningConfig(), "sarsa": SarsaConfig()}


def thought_of(config, env, steps=3):
    """The agent, and what it thinks after some steps."""
    agent = config.make(spec_of(env), Rng(0), choose("cpu"), NO_RUNS)
    game = Game(env, [seat := PlayerSlot(agent)])
    frame = game.start(0)
    for _ in range(steps):
        frame, _ = game.step(frame)
    return agent, seat


@pytest.mark.parametrize("name", DEEP)
def test_values_are_those_that_it_acts_by(name, monkeypatch):
    agent, seat = thought_of(DEEP[name], env := CatchConfig().make(1))
    assert isinstance(agent, Explains)
    acted_by, thought = [], seat.thought
    choose_by = epsilon_greedy
    monkeypatch.setattr(
        f"sandbox.agents.{name}.epsilon_greedy", lambda q, *rest: acted_by.append(q) or choose_by(q, *rest)
    )
    before = advance_state(thought.before, np.full(1, 0.7, np.float32), np.zeros(1, bool))  # r2d2 sees its last reward
    agent.act(thought.observations, before, explore=False)
    told = values_of(agent, replace(thought, before=before))
    assert told == pytest.approx(acted_by[0][0].numpy(), abs=0.005 if name == "iqn" else 1e-6)
    assert told.shape == (env.single_action_space.n,)


@pytest.mark.parametrize("name", ["dqn", "drqn", "r2d2", "darqn", "rainbow"])
def test_asking_changes_nothing(name):
    played = []
    for ask in (False, True):
        config = DEEP[name].model_copy(update={"evaluation_epsilon": 0.5})  # it throws coins, too
        agent = config.make(spec_of(env := CatchConfig().make(1)), Rng(0), choose("cpu"), NO_RUNS)
        game, seat = None, PlayerSlot(agent)
        game = Game(env, [seat])
        frame, actions = game.start(0), []
        while not frame.ended:
            if ask:
                AgentPanels(seat, env.controls[0]).panels(PANELS)
                agent.epsilon(explore=True)
            frame, _ = game.step(frame)
            actions += frame.action
        played.append(actions)
    assert played[0] == played[1]


@pytest.mark.parametrize("name", ["dqn", "drqn", "darqn"])
def test_saliency_is_the_slope_of_the_best_value(name):
    """By finite differences, of the input pixel that matters most."""
    agent, seat = thought_of(DEEP[name], CatchConfig().make(1))
    slopes, thought = saliency(agent, seat.thought), seat.thought
    seen = agent.seen(thought.observations, thought.before)
    assert slopes.shape == tuple(seen.shape[1:])
    place = (0, *np.unravel_index(slopes.argmax(), slopes.shape))
    best = []
    for shift in (-1e-2, 1e-2):
        moved = seen.clone()
        moved[place] += shift
        best.append(agent.values(moved, thought.before).max().item())
    assert abs(best[1] - best[0]) / 2e-2 == pytest.approx(slopes.max(), rel=0.05)


def test_saliency_by_hand():
    class Linear:
        def seen(self, observations, state):
            return torch.from_numpy(observations)

        def values(self, seen, state):
            return seen @ torch.tensor([[1.0, -3.0], [0.5, 2.0]])

        def epsilon(self, *, explore):
            return 0.0

    def slopes(x):
        return saliency(Linear(), Decision(np.array([x], np.float32), None, None, 0)).tolist()

    assert slopes([1.0, 0.0]) == [1.0, 0.5]
    assert slopes([0.0, 1.0]) == [3.0, 2.0]


@pytest.mark.parametrize("name", TABLES)
def test_tables_tell_their_rows(name):
    env = GridWorldConfig(observe="features").make(1)
    agent, seat = thought_of(TABLES[name], env, 1)
    agent._table.q[:] = torch.arange(agent._table.q.numel()).view_as(agent._table.q)
    cell = seat.thought.observations.argmax()
    assert values_of(agent, seat.thought).tolist() == [4 * cell + a for a in range(4)]
    assert saliency(agent, seat.thought).tolist() == [0.0] * len(agent._table.q)


def test_panels_are_of_their_kind():
    _, seat = thought_of(DEEP["darqn"], CatchConfig().make(1))
    mind = AgentPanels(seat, CatchConfig().make(1).controls[0])
    assert mind.offered() == list(PANELS)
    values, memory, sees, attention, slopes = mind.panels(PANELS)
    assert isinstance(values, Bars)
    assert (list(values.names), values.chosen) == (["left", "idle", "right"], seat.thought.action)
    assert isinstance(memory, Strip)
    assert [len(row) for row in memory.rows] == [8, 8]
    for panel in (sees, attention, slopes):
        assert isinstance(panel, Images)
        np.testing.assert_array_equal(panel.images[0], seat.thought.observations[0, 0])
    assert attention.heat.shape == (1, 7, 7)
    assert 0 <= attention.heat.min() <= attention.heat.max() <= 1
    assert [panel.title for panel in mind.panels({"values", "saliency"})] == ["values", "saliency"]


def test_even_attention_is_no_hot_spot():
    _, seat = thought_of(DEEP["darqn"], CatchConfig().make(1))
    seat.thought.after["attention"][:] = 1 / 49
    (panel,) = AgentPanels(seat, Controls()).panels({"attention"})
    assert panel.heat == pytest.approx(0.25)


def test_a_stack_is_seen_frame_by_frame_and_numbers_as_bars():
    _, seat = thought_of(DEEP["dqn"], PongConfig().make(1))
    (sees,) = AgentPanels(seat, Controls()).panels({"sees"})
    assert sees.images.shape == (4, 84, 84)
    _, seat = thought_of(QLearningConfig(), GridWorldConfig(observe="features", layout="classic").make(1), 1)
    (sees,) = AgentPanels(seat, Controls()).panels({"sees"})
    assert isinstance(sees, Bars)
    assert (sees.low, sees.high, sees.values.sum()) == (0, 1, 1)


def test_an_agent_that_does_not_explain_itself_has_no_such_panels():
    agent, seat = thought_of(RandomConfig(), CatchConfig().make(1))
    assert not isinstance(agent, Explains)
    assert AgentPanels(seat, Controls()).offered() == ["sees"]
    assert AgentPanels(seat, Controls()).epsilon(True) is None


def test_epsilon_is_the_schedules_while_exploring():
    agent, _ = thought_of(DEEP["dqn"].model_copy(update={"evaluation_epsilon": 0.25}), CatchConfig().make(1))
    assert (agent.epsilon(explore=True), agent.epsilon(explore=False)) == (1.0, 0.25)
    assert thought_of(DEEP["r2d2"], CatchConfig().make(1))[0].epsilon(explore=True) == pytest.approx(0.4)


def test_bars_show_what_an_action_would_cost_of_the_most_in_this_episode():
    agent, seat = thought_of(QLearningConfig(), GridWorldConfig(observe="features").make(1), 1)
    mind = AgentPanels(seat, Controls())

    def shown(scale):
        agent._table.q[:] = 100 + scale * torch.arange(4).expand_as(agent._table.q)
        (panel,) = mind.panels({"values"})
        assert panel.from_low
        return panel.high, panel.high - panel.low

    assert shown(1.0) == pytest.approx((103.0, 1.05 * 3))
    assert shown(-0.5) == pytest.approx((100.0, 1.05 * 3))
    mind.refresh()
    assert shown(-0.5) == pytest.approx((100.0, 1.05 * 1.5))


def test_what_a_state_holds():
    part = torch.tensor([[0.0, 100.0]])
    assert memory_of({"recurrent": (part,), "reward": part})[0].tolist() == [0.0, 1.0]
    assert memory_of(torch.zeros(1, 3, 84, 84)) == []
    assert memory_of(None) == []
    assert attention_of((part,)) is None


def test_actions_have_their_keys_names():
    assert action_names(Controls({"left": 0, "a": 0, "up+space": 3}, idle=1), 5) == [
        "left",
        "idle",
        "2",
        "up+space",
        "4",
    ]
