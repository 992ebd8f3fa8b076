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
    average.update()
    network = average.network
    assert network.get_parameter("weight").tolist() == pytest.approx([1.2, 1.2])
    assert network.get_buffer("running_mean").tolist() == pytest.approx([1.0, 1.0])
    assert network.get_buffer("num_batches_tracked").item() == 7


def test_the_average_is_in_evaluation_mode_and_the_network_stays_in_training() -> None:
    current = nn.BatchNorm1d(2)
    average = WeightAverage(current, 0.5)
    average.update()
    assert current.training
    assert not average.network.training
