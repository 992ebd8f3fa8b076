"""The target network: when it follows, and what a checkpoint holds."""

import copy

import pytest
import torch
from torch import nn

from sandbox.networks.target import TargetNetwork


def moved(network: nn.Linear) -> nn.Linear:
    """Add one to all weights."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(1)
    return network


@pytest.mark.parametrize("period", [1, 2, 3, 4])
def test_it_follows_every_so_many_updates_and_has_no_gradient(period: int) -> None:
    """A count by twos would keep to a period of 3, but not to one of 4."""
    network = nn.Linear(2, 1)
    target, first = TargetNetwork(network, period), copy.deepcopy(network)
    x = torch.randn(4, 2, requires_grad=True)
    for update in range(1, 9):
        target.follow(moved(network))
        followed = first.weight + period * (update // period)
        torch.testing.assert_close(target.network.weight, followed)
    assert not any(weight.requires_grad for weight in target.parameters())
    assert torch.equal(target(x), target.network(x))


def test_recurrent_weights_are_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU, cuDNN warns of a deep copy's weights and copies them at every call."""
    flattened: list[nn.Module] = []
    monkeypatch.setattr(nn.RNNBase, "flatten_parameters", lambda module: flattened.append(module))
    network = nn.Sequential(nn.Linear(2, 3), nn.LSTM(3, 4))
    flattened.clear()
    target = TargetNetwork(network, 1)
    assert flattened == [target.network[1]]


@pytest.mark.parametrize("before", [1, 2])
def test_a_restored_one_follows_at_the_same_update(before: int) -> None:
    network = nn.Linear(2, 1)
    saved, other = TargetNetwork(network, 3), TargetNetwork(nn.Linear(2, 1), 3)
    for _ in range(before):
        saved.follow(moved(network))
    other.load_state_dict(saved.state_dict())
    for update in range(before + 1, 6):
        for each in (saved, other):
            each.follow(network)
        assert torch.equal(saved.network.weight, other.network.weight)
        assert torch.equal(other.network.weight, network.weight) == (update >= 3)
        moved(network)
        if update == 3:
            break
