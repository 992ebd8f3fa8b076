"""Filters and feature maps of the first convolution of an agent."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from viewer.test_agent_panels import DEEP, TABULAR, make, played

from sandbox.agents.dqn import DQNConfig
from sandbox.agents.random import RandomConfig
from sandbox.envs.catch import CatchConfig
from sandbox.envs.grid_world import GridWorldConfig
from sandbox.interfaces.agent import Inspectable
from sandbox.networks.impala import Impala
from sandbox.networks.mlp import MLP
from sandbox.viewer._canvas import BLUE, CARD, CORAL
from sandbox.viewer.convolution import FirstConvolution, first_convolution


class OneLayer(Inspectable):
    """An agent of one convolution, and the activation function behind it."""

    def __init__(self, activation: nn.Module | None) -> None:
        layer = nn.Conv2d(2, 2, (1, 2), bias=False)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor([[[[2.0, -4.0]], [[0.0, 1.0]]], [[[0.0, 0.0]], [[1.0, 0.0]]]]))
        self.network = nn.Sequential(layer, *([activation] if activation else []))

    def update(self, batch):
        return {}

    def parts(self):
        return {"network": self.network}

    def network_input(self, observations, state):
        return torch.from_numpy(observations)

    def q_values(self, network_input, state):
        return self.network(network_input).flatten(1)

    def epsilon(self, *, explore):
        return 0.0


def found(agent: object) -> FirstConvolution:
    convolution = first_convolution(agent)
    assert convolution is not None
    return convolution


class Seen:
    """A decision on an input of two images of 1x3 pixels."""

    observations = np.array([[[[1, 0, 1]], [[1, 2, 3]]]], np.float32)
    state = None


def test_filters_by_hand() -> None:
    """Two images beside each other and a column between them, on one scale: from coral for -4 to blue for 4."""
    filters = found(OneLayer(None)).filters()
    assert filters.shape == (2, 1, 5, 3)
    half = [round((a + b) / 2) for a, b in zip(CARD, BLUE, strict=True)]
    np.testing.assert_allclose(filters[0, 0, 0], half, atol=1)
    assert filters[0, 0, 1].tolist() == list(CORAL)
    assert filters[0, 0, 2].tolist() == filters[0, 0, 3].tolist() == list(CARD)
    assert filters[1, 0, 0].tolist() == list(CARD)


def test_feature_maps_by_hand() -> None:
    """The first filter gives 2 * 1 - 4 * 0 + 2 = 4 and 2 * 0 - 4 * 1 + 3 = -1, the second one gives 1 and 2."""
    rectified = found(OneLayer(nn.ReLU())).maps(Seen())
    assert rectified.tolist() == [[[255, 0]], [[round(255 / 4), round(255 / 2)]]]
    raw = found(OneLayer(None)).maps(Seen())
    assert raw.tolist() == [[[255, 0]], [[round(255 * 2 / 5), round(255 * 3 / 5)]]]


@pytest.mark.parametrize("name", DEEP)
def test_maps_are_those_of_the_first_layer(name: str) -> None:
    agent, slot = played(DEEP[name], CatchConfig().make(1))
    layer = next(module for module in agent.parts()["network"].modules() if isinstance(module, nn.Conv2d))
    network_input = agent.network_input(slot.decision.observations, slot.decision.state)
    with torch.no_grad():
        maps = F.relu(layer(network_input))[0]
    np.testing.assert_allclose(found(agent).maps(slot.decision), 255 * maps / maps.max(), atol=0.51)
    assert not layer._forward_hooks


def test_the_first_convolution_of_impala_has_no_activation_behind_it() -> None:
    agent, slot = played(DQNConfig(backbone=Impala(), frame_stack=2), CatchConfig().make(1), steps=4)
    convolution = found(agent)
    assert convolution.maps(slot.decision).shape[0] == convolution.filters().shape[0] == 16


def test_at_most_32_are_shown() -> None:
    agent, slot = played(DQNConfig(frame_stack=4), CatchConfig().make(1), steps=1)
    agent.parts()["network"].encoder.convolutions[0] = nn.Sequential(nn.Conv2d(4, 40, 8, 4), nn.Conv2d(40, 32, 1))
    assert len(found(agent).filters()) == len(found(agent).maps(slot.decision)) == 32


@pytest.mark.parametrize("config", [*TABULAR.values(), RandomConfig(), DQNConfig(backbone=MLP())])
def test_agents_without_convolutions_have_none(config) -> None:
    assert first_convolution(make(config, GridWorldConfig(observe="features").make(1))) is None


def test_a_convolution_with_a_spectral_norm() -> None:
    """Its filters are the normalized ones, and showing them changes nothing."""
    agent, slot = played(DQNConfig(backbone=Impala(channels=(2,), hidden=4, spectral_norm=True)), CatchConfig().make(1))
    layer = agent.parts()["network"].encoder.convolutions[0]
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    convolution = found(agent)
    assert convolution.maps(slot.decision).shape[0] == 2
    assert convolution.filters().shape[0] == 2
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())
