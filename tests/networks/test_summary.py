"""Tables of networks, counted by hand."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from sandbox.networks.nature import Nature
from sandbox.networks.summary import Row, Trace, num_parameters, size_words, summarize

ALL = (math.inf, math.inf)


def one(network: nn.Module, *inputs: torch.Tensor) -> Row:
    (row,) = summarize(network, *inputs)
    return row


def test_the_network_of_dqn_counted_by_hand() -> None:
    """Mnih et al. 2015 on four frames of 84x84: maps of 20, 9 and 7 pixels, fields of 8, 20 and 36."""
    rows = summarize(Nature().make((4, 84, 84)), torch.zeros(3, 4, 84, 84))
    layers = [row for row in rows if row.parameters]
    assert [row.name for row in layers] == ["convolutions.0", "convolutions.2", "convolutions.4", "head.0"]
    assert [row.kind for row in layers] == ["Conv2d", "Conv2d", "Conv2d", "Linear"]
    assert [row.shape for row in layers] == [(32, 20, 20), (64, 9, 9), (64, 7, 7), (512,)]
    assert [row.parameters for row in layers] == [
        32 * (4 * 8 * 8) + 32,
        64 * (32 * 4 * 4) + 64,
        64 * (64 * 3 * 3) + 64,
        3136 * 512 + 512,
    ]
    assert sum(row.parameters for row in rows) == 1_684_128
    assert [row.field for row in layers] == [(8, 8), (20, 20), (36, 36), ALL]
    assert [row.multiply_adds for row in layers] == [
        20 * 20 * 32 * (4 * 8 * 8),
        9 * 9 * 64 * (32 * 4 * 4),
        7 * 7 * 64 * (64 * 3 * 3),
        3136 * 512,
    ]
    assert [row.multiply_adds for row in rows if row.kind == "ReLU"] == [0] * 4


def test_numbers_are_those_of_one_input_whatever_the_batch() -> None:
    network = Nature().make((1, 36, 36))
    assert summarize(network, torch.zeros(1, 1, 36, 36)) == summarize(network, torch.zeros(7, 1, 36, 36))


@pytest.mark.parametrize(
    ("layer", "inputs", "shape", "parameters", "field", "products"),
    [
        (nn.Conv2d(4, 6, (3, 5), groups=2), (4, 9, 9), (6, 7, 5), 6 * 2 * 15 + 6, (3, 5), 7 * 5 * 6 * 2 * 15),
        (nn.Conv2d(1, 1, 3, dilation=2), (1, 9, 9), (1, 5, 5), 10, (5, 5), 25 * 9),
        (nn.ConvTranspose2d(2, 3, 4, 2, 1), (2, 5, 5), (3, 10, 10), 99, (2, 2), 5 * 5 * 2 * 3 * 16),
        (nn.MaxPool2d(3, 2), (2, 7, 7), (2, 3, 3), 0, (3, 3), 0),
        (nn.AvgPool2d(2), (2, 6, 6), (2, 3, 3), 0, (2, 2), 0),
        (nn.AdaptiveAvgPool2d(1), (2, 6, 6), (2, 1, 1), 0, ALL, 0),
        (nn.BatchNorm2d(2), (2, 6, 6), (2, 6, 6), 4, (1, 1), 0),
        (nn.Linear(5, 3), (5,), (3,), 18, ALL, 15),
        (nn.Linear(5, 3), (7, 5), (7, 3), 18, (1, 1), 7 * 15),  # of each place by itself
        (nn.LSTM(5, 7, batch_first=True), (3, 5), (3, 7), 4 * 7 * (5 + 7 + 2), ALL, 3 * 4 * 7 * (5 + 7)),
        (nn.GRU(5, 7, batch_first=True), (3, 5), (3, 7), 3 * 7 * (5 + 7 + 2), ALL, 3 * 3 * 7 * (5 + 7)),
        (spectral_norm(nn.Conv2d(1, 2, 3)), (1, 5, 5), (2, 3, 3), 20, (3, 3), 9 * 2 * 9),
    ],
)
def test_single_layers_counted_by_hand(
    layer: nn.Module,
    inputs: tuple[int, ...],
    shape: tuple[int, ...],
    parameters: int,
    field: tuple[float, float],
    products: int,
) -> None:
    kind = type(layer).__name__.removeprefix("Parametrized")
    row = one(layer, torch.zeros(2, *inputs))
    assert row[1:] == Row("", kind, shape, parameters, field, products)[1:]


@pytest.mark.parametrize("training", [True, False])
def test_attention_counted_by_hand(training: bool) -> None:
    """Four projections of three places of 8 numbers, and two products of all pairs of places."""
    layer = nn.MultiheadAttention(8, 2, batch_first=True).train(training)
    row = one(layer, *[torch.zeros(2, 3, 8)] * 3)
    assert row.shape == (3, 8)
    assert row.multiply_adds == 4 * 3 * 8 * 8 + 2 * 3 * 3 * 8
    assert row.parameters == 4 * (8 * 8 + 8)


def test_fields_follow_branches_and_not_the_order_of_calls() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide, self.narrow = nn.Conv2d(1, 2, 5, padding=2), nn.Conv2d(1, 2, 1)
            self.after = nn.Conv2d(4, 1, 3, padding=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.after(torch.cat([self.wide(x).relu(), self.narrow(x)], 1))

    fields = {row.name: row.field for row in summarize(Branches(), torch.zeros(1, 1, 8, 8))}
    assert fields == {"wide": (5, 5), "narrow": (1, 1), "after": (7, 7)}


def test_strides_and_pooling_between_layers_widen_the_steps() -> None:
    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(1, 1, 3, stride=2), nn.Conv2d(1, 1, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.second(F.max_pool2d(self.first(x), 2))

    rows = summarize(Pooled(), torch.zeros(1, 1, 31, 31))
    assert [row.field for row in rows] == [(3, 3), (13, 13)]  # 3, then 3 + 1 * 2 = 5, then 5 + 2 * 4


def test_a_kernel_that_is_computed_does_not_widen_the_field() -> None:
    class Computed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right = nn.Parameter(torch.ones(3, 2)), nn.Parameter(torch.ones(2, 3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.conv2d(x, (self.left @ self.right)[None, None])

    assert one(Computed(), torch.zeros(1, 1, 8, 8)).field == (3, 3)


def test_products_in_functions_count_for_the_layer_of_their_weights() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 4)
            self.unused = nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.linear(x, self.layer.weight)

    layer, unused = summarize(Tied(), torch.zeros(3, 6))
    assert layer == Row("layer", "Linear", (4,), 28, ALL, 24)
    assert unused == Row("unused", "Linear", None, 6, None, 0)


def test_a_layer_that_is_called_twice_counts_twice_in_one_pass_and_once_in_two() -> None:
    layer = nn.Linear(3, 3)
    assert one(nn.Sequential(layer, layer), torch.zeros(2, 3)).multiply_adds == 18
    with Trace({"network": layer}) as trace:
        layer(torch.zeros(2, 3))
        layer(torch.zeros(5, 3))
    assert trace.rows()["network"][0].multiply_adds == 9


def test_gradients_are_not_counted_and_nothing_is_left_on_the_network() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    before = summarize(network, torch.zeros(2, 3))
    with Trace({"network": network}) as trace:
        network(torch.ones(2, 3)).sum().backward()
    assert trace.rows()["network"] == before
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_shared_parameters_count_once() -> None:
    layer = nn.Linear(3, 3)
    assert num_parameters({"a": layer, "b": nn.Sequential(layer, nn.Linear(3, 1))}) == 12 + 4


def test_fields_in_words() -> None:
    assert [size_words(size) for size in (None, ALL, (36, 36), (3, 5), (1.5, 1.5))] == ["-", "all", "36", "3x5", "2"]
