"""The DCGAN backbone and its decoder: sizes, memory layouts, precision, and fast convolutions of few channels."""

import copy

import pytest
import torch
from torch import nn

from sandbox.core.errors import UserError
from sandbox.networks._few_channels import convolve, deconvolve, flatten_maps
from sandbox.networks.decoders.strided import Decoder
from sandbox.networks.strided import PADDING, Strided

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 28, 28), (1, 84, 84), (2, 7, 9), (5, 9, 7)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
def test_encoder_and_decoder_equal_their_layers_in_sequence(shape: tuple[int, ...], bf16: bool) -> None:
    """Although the first layer, and the last one of the decoder, are computed differently; gradients too."""
    torch.manual_seed(0)
    encoder, tolerance = Strided(channels=(6, 5)).make(shape), 2e-2 if bf16 else 1e-5
    decoder = Decoder(Strided(channels=(6, 5)), 7, shape)
    x, z = torch.rand(3, *shape, requires_grad=True), torch.randn(3, 7)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        features, layers = encoder(x), encoder.convolutions(2 * x - 1).flatten(1)
        images = decoder(z)
        plain = decoder.convolutions(decoder.head(z).view(-1, *decoder.start_shape))
    assert features.shape == (3, encoder.out_features)
    assert images.shape == (3, *shape)
    torch.testing.assert_close(features.float(), layers.float(), rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(images.float(), plain.float(), rtol=tolerance, atol=tolerance)
    wanted = [x, *encoder.parameters()]
    for ours, theirs in zip(
        torch.autograd.grad(features.float().square().sum(), wanted),
        torch.autograd.grad(layers.float().square().sum(), wanted),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=5 * tolerance, atol=5 * tolerance * theirs.abs().max().item())


def test_fast_convolutions_have_second_derivatives() -> None:
    """A gradient penalty's own gradient, as through PyTorch's convolutions."""
    layer = nn.Conv2d(1, 5, 4, 2, 1)
    x = torch.rand(2, 1, 9, 8, requires_grad=True)
    found = []
    for y in (convolve(layer, x, PADDING), layer(x)):
        (gradient,) = torch.autograd.grad(y.tanh().sum(), x, create_graph=True)
        found.append(torch.autograd.grad(gradient.square().sum(), layer.weight)[0])
    torch.testing.assert_close(*found)
    up = nn.ConvTranspose2d(5, 1, 4, 2, 1, output_padding=(1, 0))
    y = torch.rand(2, 5, 4, 3)
    torch.testing.assert_close(deconvolve(up, y, PADDING), up(y))


def test_sides_are_halved_and_doubled_back() -> None:
    assert Strided(channels=(4, 8)).make((1, 28, 28)).out_features == 8 * 7 * 7
    assert Strided(channels=(4, 8, 16)).make((1, 84, 84)).out_features == 16 * 10 * 10
    assert Strided(channels=(4, 8)).make((1, 7, 9)).out_features == 8 * 1 * 2


def test_gradients_stay_channels_last() -> None:
    """If the layouts of a map and its gradient differ, elementwise kernels take twenty times as long."""
    maps = torch.rand(2, 3, 4, 5).contiguous(memory_format=torch.channels_last).requires_grad_()
    seen: list[torch.Tensor] = []
    maps.register_hook(seen.append)
    rows = flatten_maps(maps * 1)
    assert torch.equal(rows, maps.reshape(2, -1))
    rows.square().sum().backward()
    assert seen[0].is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(seen[0], 2 * maps)
    layers = [layer for layer in Strided().make((1, 28, 28)).modules() if isinstance(layer, nn.Conv2d)]
    assert all(layer.weight.is_contiguous(memory_format=torch.channels_last) for layer in layers)


def test_the_first_layer_of_a_discriminator_and_the_last_of_a_generator_are_not_normalized() -> None:
    """Radford et al. 2016; epsilon and momentum of batch norm are PyTorch's defaults."""
    encoder, decoder = Strided(channels=(4, 8)).make((1, 28, 28)), Decoder(Strided(channels=(4, 8)), 3, (1, 28, 28))
    kinds = [[type(layer).__name__ for layer in network.convolutions] for network in (encoder, decoder)]
    assert kinds[0] == ["Conv2d", "LeakyReLU", "Conv2d", "BatchNorm2d", "LeakyReLU"]
    assert kinds[1] == ["BatchNorm2d", "ReLU", "ConvTranspose2d", "BatchNorm2d", "ReLU", "ConvTranspose2d"]
    norms = [
        layer for network in (encoder, decoder) for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)
    ]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-5, 0.1)}
    assert (encoder.convolutions[0].bias is None, encoder.convolutions[2].bias is None) == (False, True)


@pytest.mark.parametrize("norm", ["instance", "layer", "group", "none"])
def test_without_batch_norm_images_are_independent(norm: str) -> None:
    encoder = Strided(channels=(4, 8), norm=norm).make((1, 8, 8))
    x = torch.rand(4, 1, 8, 8)
    torch.testing.assert_close(encoder(x)[:1], encoder(x[:1]))
    before = copy.deepcopy(encoder.state_dict())
    encoder(x)
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


@pytest.mark.parametrize(
    ("config", "shape", "message"),
    [
        (
            Strided(),
            (1, 3, 8),
            "backbone strided needs images [C, H, W] of at least 4x4, got (1, 3, 8). "
            "Choose options for smaller ones, or another backbone: mlp takes anything.",
        ),
        (
            Strided(channels=(4, 8, 16), norm="instance"),  # which would make the last pixel 0
            (1, 8, 8),
            "backbone strided needs images [C, H, W] of at least 16x16, got (1, 8, 8). "
            "Choose options for smaller ones, or another backbone: mlp takes anything.",
        ),
    ],
)
def test_shapes_that_are_refused(config: Strided, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(UserError) as error:
        config.make(shape)
    assert str(error.value) == message
