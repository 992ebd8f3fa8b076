"""Every backbone: shapes, bytes, its decoder, and what it refuses."""

import pytest
import torch

from sandbox import catalog
from sandbox.errors import UserError
from sandbox.networks.impala import Impala
from sandbox.networks.mlp import MLP
from sandbox.networks.nature import Nature

CONFIGS = [MLP(hidden=(12, 7)), Nature(channels=(2, 3, 4), hidden=9), Impala(channels=(2, 3), hidden=9)]
BARE = Nature(channels=(2, 3, 4), hidden=None)


def test_these_are_all_of_them() -> None:
    assert sorted(config.name for config in CONFIGS) == sorted(catalog.backbones())


@pytest.mark.parametrize("config", [*CONFIGS, BARE], ids=lambda config: config.name)
@pytest.mark.parametrize("shape", [(1, 84, 84), (4, 84, 84), (3, 37, 50)])
def test_the_decoder_mirrors_the_encoder(config, shape: tuple[int, ...]) -> None:
    encoder = config.make(shape)
    images = torch.randint(0, 256, (2, *shape), dtype=torch.uint8)
    features = encoder(images)
    assert features.shape == (2, encoder.out_features)
    torch.testing.assert_close(features, encoder(images / 255))  # bytes are scaled into [0, 1]
    assert config.mirror(encoder.out_features, shape)(features).shape == (2, *shape)


@pytest.mark.parametrize("config", [CONFIGS[0], CONFIGS[2]], ids=lambda config: config.name)
def test_small_images(config) -> None:
    encoder = config.make((1, 8, 8))
    assert config.mirror(5, (1, 8, 8))(torch.zeros(3, 5)).shape == (3, 1, 8, 8)
    assert encoder(torch.zeros(3, 1, 8, 8)).shape == (3, encoder.out_features)


def test_nature_is_the_network_of_2015() -> None:
    encoder = Nature().make((4, 84, 84))
    shapes = [tuple(p.shape) for p in encoder.parameters() if p.dim() > 1]
    assert shapes == [(32, 4, 8, 8), (64, 32, 4, 4), (64, 64, 3, 3), (512, 3136)]


def test_nature_without_its_hidden_layer_is_the_map_below_it() -> None:
    """What an implicit quantile network multiplies by its fractions' embedding: 64 channels of 7x7 after a ReLU."""
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
            "backbone impala needs images [C, H, W] of at least 8x8, got (6,). Choose another",
        ),
    ],
)
def test_what_a_backbone_cannot_take(config, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(UserError) as error:
        config.make(shape)
    assert str(error.value).startswith(message)
