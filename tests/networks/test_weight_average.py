"""The moving average of weights."""

import pytest
import torch
from torch import nn

from sandbox.networks.weight_average import WeightAverage


def test_averages_cover_buffers_and_copy_whole_numbers() -> None:
    current = nn.BatchNorm1d(2)
    average = WeightAverage(current, 0.9)
    with torch.no_grad():
        current.weight.fill_(3.0)
        current.running_mean.fill_(10.0)
        current.num_batches_tracked.fill_(7)
    average.update(1_000)
    network = average.network
    assert network.get_parameter("weight").tolist() == pytest.approx([1.2, 1.2])
    assert network.get_buffer("running_mean").tolist() == pytest.approx([1.0, 1.0])
    assert network.get_buffer("num_batches_tracked").item() == 7


def test_the_average_is_in_evaluation_mode_and_the_network_stays_in_training() -> None:
    current = nn.BatchNorm1d(2)
    average = WeightAverage(current, 0.5)
    average.update(0)
    assert current.training
    assert not average.network.training


@pytest.mark.parametrize(("earlier", "decay"), [(0, 0.1), (1, 2 / 11), (8, 0.5), (89, 0.9090909), (10_000, 0.99)])
def test_the_decay_grows_with_the_number_of_updates(earlier: int, decay: float) -> None:
    """An average with a decay of 0.99 would still be 99 % of the first weights after one update."""
    current = nn.Linear(1, 1)
    nn.init.ones_(current.weight)
    average = WeightAverage(current, 0.99)
    nn.init.zeros_(current.weight)
    average.update(earlier)
    assert average.network.get_parameter("weight").item() == pytest.approx(decay)
