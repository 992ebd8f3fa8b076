"""Shares of dead and saturated units, by hand."""

import threading

import pytest
import torch
from torch import nn

from sandbox.networks.unit_watch import UnitWatch, limits

Shares = dict[tuple[str, str], float]


def shares(network: nn.Module, *batches: torch.Tensor) -> Shares:
    with UnitWatch({"network": network}) as watch:
        for batch in batches:
            network(batch)
    return {key: round(float(share), 6) for key, share in watch.shares().items()}


def with_biases(*biases: float, activation: nn.Module) -> nn.Sequential:
    """A layer that adds one number to these biases, and an activation function."""
    layer = nn.Linear(1, len(biases))
    with torch.no_grad():
        layer.weight.fill_(1)
        layer.bias.copy_(torch.tensor(biases))
    return nn.Sequential(layer, activation)


def test_three_of_eight_units_are_dead() -> None:
    """Inputs are 0 and 1: units with a bias of -1 or less are 0 for both, and one of -0.5 is 0 for one only."""
    network = with_biases(-3, -2, -1, -0.5, 0, 1, 2, 3, activation=nn.ReLU())
    assert shares(network, torch.tensor([[0.0], [1.0]])) == {("dead", "network"): 3 / 8}
    assert shares(network, torch.tensor([[0.0]])) == {("dead", "network"): 5 / 8}


def test_a_unit_is_dead_in_all_passes_of_an_update_or_not_at_all() -> None:
    network = with_biases(-3, -2, -1, -0.5, activation=nn.ReLU())
    assert shares(network, torch.tensor([[2.5]]), torch.tensor([[0.0]])) == {("dead", "network"): 1 / 4}


def test_a_channel_of_maps_is_a_unit_and_so_is_a_feature_of_a_sequence() -> None:
    maps = torch.zeros(2, 4, 3, 3)
    maps[1, 2, 0, 1] = maps[0, 3, 2, 2] = 1.0
    assert shares(nn.ReLU(), maps) == {("dead", "network"): 1 / 2}
    sequences = torch.zeros(2, 5, 4)
    sequences[0, 3, 1] = 1.0
    assert shares(nn.ReLU(), sequences) == {("dead", "network"): 3 / 4}


def test_layers_are_weighted_by_their_units() -> None:
    network = nn.Sequential(nn.ReLU(), nn.Linear(2, 6), nn.ReLU())
    nn.init.zeros_(network[1].weight)
    nn.init.ones_(network[1].bias)
    assert shares(network, -torch.ones(3, 2)) == {("dead", "network"): 2 / 8}


@pytest.mark.parametrize(
    ("activation", "biases", "share"),
    [
        (nn.Sigmoid(), (-6, -4, 0, 4, 6), 2 / 5),  # below 0.01 beyond -4.6 for inputs up to 1, above 0.99 from 4.6
        (nn.Tanh(), (-5, -2, 0, 2, 3), 2 / 5),  # 0.99 is the tanh of 2.65
        (nn.Hardtanh(-2, 2), (-4, -2, 0, 2, 4), 3 / 5),
        (nn.ELU(), (-7, -3, 0, 3, 7), 1 / 5),  # the lower limit only
        (nn.SELU(), (-7, 0, 0, 0, 7), 1 / 5),
    ],
)
def test_units_at_their_limits_are_saturated(activation: nn.Module, biases: tuple[float, ...], share: float) -> None:
    network = with_biases(*biases, activation=activation)
    assert shares(network, torch.tensor([[0.0], [1.0]])) == {("saturated", "network"): share}


@pytest.mark.parametrize("activation", [nn.LeakyReLU(), nn.PReLU(), nn.GELU(), nn.Softplus(), nn.ReLU6()])
def test_rectifiers_of_all_kinds_have_no_limits(activation: nn.Module) -> None:
    network = with_biases(-1, 2, activation=activation)
    dead = 0.5 if isinstance(activation, nn.ReLU6) else 0.0
    assert shares(network, torch.tensor([[0.0], [0.5]])) == {("dead", "network"): dead}
    assert limits(nn.PReLU()) is None


def test_each_network_has_its_own_share() -> None:
    one, other = with_biases(-1, 1, activation=nn.ReLU()), with_biases(-1, -1, activation=nn.ReLU())
    with UnitWatch({"one": one, "other": other}) as watch:
        one(torch.zeros(1, 1))
        other(torch.zeros(1, 1))
    assert {key: float(share) for key, share in watch.shares().items()} == {
        ("dead", "one"): 0.5,
        ("dead", "other"): 1.0,
    }


def test_acting_is_left_out() -> None:
    """Passes without gradients, those of another thread, and those after the watch."""
    network = nn.ReLU()
    with UnitWatch({"network": network}) as watch:
        with torch.no_grad():
            network(torch.zeros(1, 2))
        thread = threading.Thread(target=network, args=(torch.zeros(1, 2),))
        thread.start()
        thread.join()
    network(torch.zeros(1, 2))
    assert watch.shares() == {}
    assert not network._forward_hooks
