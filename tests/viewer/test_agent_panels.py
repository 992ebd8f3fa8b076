"""Panels of agents: Q-values, recurrent state, network input, attention and saliency."""

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
from sandbox.interfaces.agent import Inspectable
from sandbox.interfaces.environment import Controls, spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.state import advance_state
from sandbox.networks.nature import Nature
from sandbox.networks.recurrent import LSTM
from sandbox.ops.policies import epsilon_greedy
from sandbox.viewer.agent_panels import (
    PANELS,
    AgentPanels,
    action_names,
    attention_of,
    q_values_of,
    recurrent_state_of,
    saliency,
)
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
TABULAR = {"q_learning": QLearningConfig(), "sarsa": SarsaConfig()}


def make(config, env):
    return config.make(spec_of(env), Rng(0), choose("cpu"), NO_RUNS)


def played(config, env, steps=3):
    """Return a new agent, and its slot after some steps."""
    agent = make(config, env)
    slot = PlayerSlot(agent)
    game = Game(env, [slot])
    frame = game.start(0)
    for _ in range(steps):
        frame, _ = game.step(frame)
    return agent, slot


def q_table(agent):
    """Return the Q-values [S, A] of a tabular agent, to be changed in place."""
    return agent.parts()["table"].q


@pytest.mark.parametrize("name", DEEP)
def test_values_are_those_of_the_policy(name, monkeypatch):
    agent, slot = played(DEEP[name], env := CatchConfig().make(1))
    assert isinstance(agent, Inspectable)
    acted_on, decision = [], slot.decision
    monkeypatch.setattr(
        "sandbox.agents._policy.epsilon_greedy",
        lambda values, *rest: acted_on.append(values()) or epsilon_greedy(values, *rest),
    )
    state = advance_state(decision.state, np.full(1, 0.7, np.float32), np.zeros(1, bool))  # r2d2 sees its last reward
    agent.act(decision.observations, state, explore=False)
    values = q_values_of(agent, replace(decision, state=state))
    assert values == pytest.approx(acted_on[0][0].numpy(), abs=0.005 if name == "iqn" else 1e-6)
    assert values.shape == (env.single_action_space.n,)


@pytest.mark.parametrize("name", ["dqn", "drqn", "r2d2", "darqn", "rainbow"])
def test_panels_change_nothing(name):
    episodes = []
    for show in (False, True):
        config = DEEP[name].model_copy(update={"evaluation_epsilon": 0.5})  # so that acting draws random numbers, too
        slot = PlayerSlot(make(config, env := CatchConfig().make(1)))
        game = Game(env, [slot])
        frame, actions = game.start(0), []
        while not frame.is_last:
            if show:
                AgentPanels(slot, env.controls[0]).panels(PANELS)
                slot.agent.epsilon(explore=True)
            frame, _ = game.step(frame)
            actions += frame.actions
        episodes.append(actions)
    assert episodes[0] == episodes[1]


@pytest.mark.parametrize("name", ["dqn", "drqn", "darqn"])
def test_saliency_is_the_gradient_of_the_best_value(name):
    """Saliency equals the finite difference at the input pixel with the largest gradient."""
    agent, slot = played(DEEP[name], CatchConfig().make(1))
    gradients, decision = saliency(agent, slot.decision), slot.decision
    network_input = agent.network_input(decision.observations, decision.state)
    assert gradients.shape == tuple(network_input.shape[1:])
    pixel = (0, *np.unravel_index(gradients.argmax(), gradients.shape))
    best = []
    for shift in (-1e-2, 1e-2):
        shifted = network_input.clone()
        shifted[pixel] += shift
        best.append(agent.q_values(shifted, decision.state).max().item())
    assert abs(best[1] - best[0]) / 2e-2 == pytest.approx(gradients.max(), rel=0.05)


@pytest.mark.parametrize("options", [{"dropout": 0.5}, {"activation": "rrelu"}, {"spectral_norm": True}])
def test_saliency_changes_nothing_and_draws_nothing(options):
    agent, slot = played(DQNConfig(backbone=SMALL.model_copy(update=options)), CatchConfig().make(1))
    network = agent.parts()["network"]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first = saliency(agent, slot.decision)
    assert np.array_equal(saliency(agent, slot.decision), first)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(module.training for module in network.modules())


def test_saliency_by_hand():
    class Linear(Inspectable):
        def network_input(self, observations, state):
            return torch.from_numpy(observations)

        def q_values(self, network_input, state):
            return network_input @ torch.tensor([[1.0, -3.0], [0.5, 2.0]])

        def epsilon(self, *, explore):
            return 0.0

    def gradients(x):
        return saliency(Linear(), Decision(np.array([x], np.float32), None, None, 0)).tolist()

    assert gradients([1.0, 0.0]) == [1.0, 0.5]
    assert gradients([0.0, 1.0]) == [3.0, 2.0]


@pytest.mark.parametrize("name", TABULAR)
def test_values_of_tables_are_their_rows(name):
    agent, slot = played(TABULAR[name], GridWorldConfig(observe="features").make(1), 1)
    table = q_table(agent)
    table[:] = torch.arange(table.numel()).view_as(table)
    cell = slot.decision.observations.argmax()
    assert q_values_of(agent, slot.decision).tolist() == [4 * cell + a for a in range(4)]
    assert saliency(agent, slot.decision).tolist() == [0.0] * len(table)


def test_each_panel_has_its_kind():
    _, slot = played(DEEP["darqn"], CatchConfig().make(1))
    panels = AgentPanels(slot, CatchConfig().make(1).controls[0])
    assert panels.available() == list(PANELS)
    values, state, network_input, attention, gradients, filters, maps = panels.panels(PANELS)
    assert isinstance(values, Bars)
    assert (list(values.names), values.chosen) == (["left", "stay", "right"], slot.decision.action)
    assert isinstance(state, Strip)
    assert [len(row) for row in state.rows] == [8, 8]
    for panel in (network_input, attention, gradients):
        assert isinstance(panel, Images)
        np.testing.assert_array_equal(panel.images[0], slot.decision.observations[0, 0])
    assert isinstance(filters, Images)
    assert isinstance(maps, Images)
    assert (filters.images.shape, maps.images.shape) == ((4, 8, 8, 3), (4, 20, 20))
    assert attention.heatmap.shape == (1, 7, 7)
    assert 0 <= attention.heatmap.min() <= attention.heatmap.max() <= 1
    assert [panel.title for panel in panels.panels({"Q-values", "saliency"})] == ["Q-values", "saliency"]


def test_uniform_attention_is_shown_faintly():
    _, slot = played(DEEP["darqn"], CatchConfig().make(1))
    slot.decision.next_state["attention"][:] = 1 / 49
    (panel,) = AgentPanels(slot, Controls()).panels({"attention"})
    assert panel.heatmap == pytest.approx(0.25)


def test_a_stack_is_shown_image_by_image_and_features_as_bars():
    _, slot = played(DEEP["dqn"], PongConfig().make(1))
    (panel,) = AgentPanels(slot, Controls()).panels({"network input"})
    assert panel.images.shape == (4, 84, 84)
    _, slot = played(QLearningConfig(), GridWorldConfig(observe="features", layout="classic").make(1), 1)
    (panel,) = AgentPanels(slot, Controls()).panels({"network input"})
    assert isinstance(panel, Bars)
    assert (panel.low, panel.high, panel.values.sum()) == (0, 1, 1)


def test_an_agent_that_is_not_inspectable_has_its_observation_only():
    agent, slot = played(RandomConfig(), CatchConfig().make(1))
    assert not isinstance(agent, Inspectable)
    assert AgentPanels(slot, Controls()).available() == ["network input"]
    assert AgentPanels(slot, Controls()).epsilon(True) is None


def test_epsilon_follows_the_schedule_while_exploring():
    agent = make(DEEP["dqn"].model_copy(update={"evaluation_epsilon": 0.25}), CatchConfig().make(1))
    assert (agent.epsilon(explore=True), agent.epsilon(explore=False)) == (1.0, 0.25)
    assert make(DEEP["r2d2"], CatchConfig().make(1)).epsilon(explore=True) == pytest.approx(0.4)


def test_bars_of_values_are_in_proportion_to_them():
    """1.13 and 1.08 are drawn at 100 % and 96 %; the scale includes 0 and everything seen in the episode."""
    agent, slot = played(QLearningConfig(), GridWorldConfig(observe="features").make(1), 1)
    panels = AgentPanels(slot, Controls())

    def scale(*values):
        q_table(agent)[:] = torch.tensor(values)
        (panel,) = panels.panels({"Q-values"})
        return panel.low, panel.high

    assert scale(1.13, 1.08, 1.0, 0.9) == pytest.approx((0, 1.13))
    assert scale(1.0, -2.0, 0.0, 0.0) == pytest.approx((-2.0, 1.13))
    panels.start_episode()
    assert scale(-3.0, -2.0, -1.0, -4.0) == pytest.approx((-4.0, 0))


def test_parts_of_a_recurrent_state():
    part = torch.tensor([[0.0, 100.0]])
    assert recurrent_state_of({"recurrent": (part,), "reward": part})[0].tolist() == [0.0, 1.0]
    assert recurrent_state_of(torch.zeros(1, 3, 84, 84)) == []
    assert recurrent_state_of(None) == []
    assert attention_of((part,)) is None


def test_actions_have_one_name_or_that_of_their_key():
    names = action_names(Controls({"left": 0, "a": 0, "up+space": 3}, idle=1), 5)
    assert names == ["left", "1", "2", "up+space", "4"]
    assert action_names(Controls({"left": 0}, idle=1, actions=("go", "stay")), 2) == ["go", "stay"]
