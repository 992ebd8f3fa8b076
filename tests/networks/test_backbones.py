"""Every backbone: shapes, bytes, its decoder, and the inputs that it refuses."""

import math

import pytest
import torch
from torch import nn

from sandbox.core.errors import UserError
from sandbox.networks.alexnet import AlexNet
from sandbox.networks.attentive import Attentive
from sandbox.networks.capsules import Capsules
from sandbox.networks.compact import Compact
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.densenet import DenseNet
from sandbox.networks.impala import Impala
from sandbox.networks.inception import Inception
from sandbox.networks.lenet import LeNet
from sandbox.networks.mlp import MLP, fourier_features
from sandbox.networks.nature import Nature
from sandbox.networks.resnet import ResNet
from sandbox.networks.strided import Strided
from sandbox.networks.vgg import VGG
from sandbox.runs import registry

CONFIGS = [
    MLP(hidden=(12, 7)),
    Nature(channels=(2, 3, 4), hidden=9),
    Impala(channels=(2, 4), hidden=9),
    Strided(channels=(2, 3)),
    LeNet(channels=(2, 3), hidden=(9, 7)),
    VGG(channels=(2, 3), hidden=(9,)),
    Compact(channels=2, most_channels=4, last_channels=3, hidden=9),
    AlexNet(channels=(2, 3, 4, 5, 3), hidden=(9, 7)),
    ResNet(channels=(2, 4), blocks=2, grid=2, hidden=(9,)),
    Inception(channels=(8, 16), grid=2, hidden=(9,)),
    DenseNet(growth=4, layers=(1, 2), grid=2, hidden=(9,)),
    Attentive(channels=(2, 4), heads=2, head_size=3, hidden=(9,)),
    Capsules(channels=4, primary=2, primary_size=3, capsules=4, capsule_size=5, hidden=(9, 7)),
]
BARE = Nature(channels=(2, 3, 4), hidden=None)


def test_these_are_all_of_them() -> None:
    assert sorted(config.name for config in CONFIGS) == sorted(registry.backbones())


@pytest.mark.parametrize("config", [*CONFIGS, BARE], ids=lambda config: config.name)
@pytest.mark.parametrize("shape", [(1, 84, 84), (4, 84, 84), (3, 37, 50)])
def test_the_decoder_mirrors_the_encoder(config, shape: tuple[int, ...]) -> None:
    encoder = config.make(shape)
    images = torch.randint(0, 256, (2, *shape), dtype=torch.uint8)
    features = encoder(images)
    assert features.shape == (2, encoder.out_features)
    torch.testing.assert_close(features, encoder(images / 255))  # bytes are scaled into [0, 1]
    assert mirror(config, encoder.out_features, shape)(features).shape == (2, *shape)


SMALLEST = {"nature": 36, "impala": 8, "strided": 4, "lenet": 12, "vgg": 4, "alexnet": 15, "inception": 4}
SMALLEST |= {"densenet": 2, "capsules": 5}


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_small_images(config) -> None:
    """Images of the smallest size work, and all smaller ones are refused with that size."""
    smallest = SMALLEST.get(config.name, 1)
    for side in range(1, smallest):
        with pytest.raises(UserError) as error:
            config.make((1, side, 40))
        size = f"{smallest}x{smallest}"
        assert f"backbone {config.name} needs images [C, H, W] of at least {size}" in str(error.value)
    for side in range(smallest, smallest + 4):
        shape = (2, side, smallest)
        encoder = config.make(shape)
        assert encoder(torch.zeros(3, *shape)).shape == (3, encoder.out_features)
        assert mirror(config, 5, shape)(torch.zeros(3, 5)).shape == (3, *shape)


def test_the_predictions_of_capsules_are_bounded() -> None:
    with pytest.raises(UserError) as error:
        Capsules(primary=64, capsules=100, capsule_size=64).make((1, 84, 84))
    assert str(error.value) == (
        "backbone capsules would predict 26,214,400 numbers for each image: 4,096 primary capsules times 100 last ones "
        "of 64. At most 4,000,000 are possible; choose fewer (primary, capsules, capsule_size) or smaller images."
    )
    assert Capsules(channels=1, primary=32).make((1, 28, 28)).predictions.numel() == 184_320 * 8


def test_fourier_features() -> None:
    """The input 1/6 has the sines and cosines of pi/6 and pi/3."""
    root = math.sqrt(3) / 2
    expected = torch.tensor([[-2 / 3, 0, 0.5, root, 1, 0, root, 0.5, 0, -1]])
    torch.testing.assert_close(fourier_features(torch.tensor([[1 / 6, 0.5]]), 2), expected, atol=1e-6, rtol=0)
    encoder = MLP(hidden=(3,), fourier_octaves=2).make((2,))
    assert encoder.layers[0].in_features == 10
    assert mirror(MLP(hidden=(3,), fourier_octaves=2), 3, (2,))(torch.zeros(1, 3)).shape == (1, 2)


def test_nature_is_the_network_of_2015() -> None:
    encoder = Nature().make((4, 84, 84))
    shapes = [tuple(p.shape) for p in encoder.parameters() if p.dim() > 1]
    assert shapes == [(32, 4, 8, 8), (64, 32, 4, 4), (64, 64, 3, 3), (512, 3136)]


def test_nature_without_its_hidden_layer_returns_the_feature_maps() -> None:
    """An implicit quantile network multiplies this map by its fractions' embedding: 64 channels of 7x7 after a ReLU."""
    whole, bare = Nature().make((4, 84, 84)), Nature(hidden=None).make((4, 84, 84))
    bare.load_state_dict({name: value for name, value in whole.state_dict().items() if "head" not in name})
    images = torch.randint(0, 256, (2, 4, 84, 84), dtype=torch.uint8)
    assert bare.out_features == 3136
    torch.testing.assert_close(whole.head(bare(images)), whole(images))


@pytest.mark.parametrize(
    ("config", "shape", "message"),
    [
        (Nature(), (1, 8, 8), "backbone nature needs images [C, H, W] of at least 36x36, got (1, 8, 8). Choose"),
        (Nature(), (50,), "backbone nature needs images [C, H, W] of at least 36x36, got (50,). Choose"),
        (
            Impala(),
            (6,),
            "backbone impala needs images [C, H, W] of at least 8x8, got (6,). Choose options",
        ),
    ],
)
def test_shapes_that_a_backbone_refuses(config, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(UserError) as error:
        config.make(shape)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("name", ["mlp", "nature"])
def test_layers_are_normalized_before_their_relu(name: str) -> None:
    """At every place over the channels: each hidden layer is a linear map, its normalization, and a ReLU."""
    mlp, nature = MLP(hidden=(12, 7), norm="layer"), Nature(channels=(4, 3, 5), hidden=9, norm="layer")
    encoder = {"mlp": mlp, "nature": nature}[name].make((2, 40, 40))
    layers = [layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    norms = [layer for layer in encoder.modules() if isinstance(layer, nn.LayerNorm)]
    assert [norm.normalized_shape for norm in norms] == [tuple(layer.weight.shape[:1]) for layer in layers]
    x = torch.rand(3, 2, 40, 40, generator=torch.Generator().manual_seed(0))
    expected = x
    for layer, norm in zip(layers, norms, strict=True):
        with torch.no_grad():
            norm.weight.uniform_(0.5, 2.0), norm.bias.uniform_(-1.0, 1.0)
        h = layer(expected.flatten(1) if isinstance(layer, nn.Linear) else expected)
        centered = h - h.mean(1, keepdim=True)
        normal = centered / (centered.square().mean(1, keepdim=True) + norm.eps).sqrt()
        shape = (1, -1, *[1] * (h.dim() - 2))
        expected = (normal * norm.weight.view(shape) + norm.bias.view(shape)).relu()
    torch.testing.assert_close(encoder(x), expected)


@pytest.mark.parametrize("config", [MLP(hidden=(12, 7)), Nature(channels=(2, 3, 4), hidden=9)])
def test_without_normalization_nothing_changes(config) -> None:
    """Weights by their old names, and no others; with it, the same layers start from the same numbers."""
    torch.manual_seed(0)
    plain = config.make((1, 40, 40))
    torch.manual_seed(0)
    normal = config.model_copy(update={"norm": "layer"}).make((1, 40, 40))
    names = {"mlp": ["layers.0", "layers.2"], "nature": [*(f"convolutions.{i}" for i in (0, 2, 4)), "head.0"]}
    assert list(plain.state_dict()) == [f"{n}.{kind}" for n in names[config.name] for kind in ("weight", "bias")]
    weights = [p for p in normal.parameters() if p.dim() > 1]
    assert all(torch.equal(a, b) for a, b in zip((p for p in plain.parameters() if p.dim() > 1), weights, strict=True))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_the_gradient_of_images_can_be_differentiated(config) -> None:
    """Gradient penalties and the contractive autoencoder do so."""
    torch.manual_seed(0)
    encoder = config.model_copy(update={"activation": "elu"}).make((1, 40, 36))
    images = torch.rand(2, 1, 40, 36, requires_grad=True)
    (gradients,) = torch.autograd.grad(encoder(images).square().sum(), images, create_graph=True)
    gradients.square().sum().backward()
    found = [weight.grad for weight in encoder.parameters() if weight.grad is not None]
    assert all(bool(gradient.isfinite().all()) for gradient in found)
    assert any(bool(gradient.any()) for gradient in found)


@pytest.mark.parametrize(
    "config", [config for config in CONFIGS if "grid" in type(config).model_fields], ids=lambda config: config.name
)
def test_instance_norms_and_decoders_that_begin_with_a_single_pixel(config) -> None:
    options = type(config).model_validate({**config.model_dump(), "norm": "instance", "grid": 1})
    codes = torch.rand(3, 5, requires_grad=True)
    mirror(options, 5, (1, 20, 17))(codes).square().sum().backward()
    assert bool(codes.grad.any())


def test_all_branches_of_narrow_inception_modules_learn_with_layer_norms() -> None:
    torch.manual_seed(0)
    decoder = mirror(Inception(norm="layer"), 5, (1, 20, 20))
    decoder(torch.rand(4, 5)).square().sum().backward()
    assert [name for name, weight in decoder.named_parameters() if not weight.grad.abs().max() > 1e-6] == []
