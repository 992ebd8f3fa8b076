"""The options that backbones share, on each of them, with every value."""

import copy
import itertools
from typing import get_args

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from sandbox.core.errors import UserError
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.densenet import DenseNet
from sandbox.networks.layers.activations import Activation, activations_of
from sandbox.networks.layers.initial import Initial
from sandbox.networks.layers.norms import Norm
from sandbox.networks.layers.pooling import Pooling
from sandbox.networks.resnet import ResNet
from tests.networks.test_backbones import CONFIGS

VALUES = {
    "activation": get_args(Activation),
    "norm": get_args(Norm),
    "dropout": (0.5,),
    "spectral_norm": (True,),
    "initial": get_args(Initial),
    "pooling": get_args(Pooling),
    "dilation": (2,),
    "block": ("basic", "preactivation"),
    "grid": (1, 3),
}
CASES = [(config, option, value) for config in CONFIGS for option, values in VALUES.items() for value in values]
SHAPE = (2, 72, 75)


def _with(config, **options):
    return type(config).model_validate({**config.model_dump(), **options})


def _offers(config, option: str, value) -> bool:
    try:
        _with(config, **{option: value})
    except ValidationError:
        return False
    return option in type(config).model_fields


OFFERED = [case for case in CASES if _offers(*case)]


def test_which_options_each_backbone_offers() -> None:
    """All have activation, norm, dropout, spectral_norm and initial; convolutions also dilation, if their sides can."""
    lacking = {
        (config.name, option)
        for config, option in itertools.product(CONFIGS, [*VALUES][:7])
        if not any(_offers(config, option, value) for value in VALUES[option])
    }
    without_pooling = ("mlp", "nature", "strided", "resnet", "capsules", "compact")
    assert lacking == {
        *((name, "pooling") for name in without_pooling),
        ("mlp", "dilation"),
        ("strided", "dilation"),
    }


@pytest.mark.parametrize(("config", "option", "value"), OFFERED, ids=lambda part: getattr(part, "name", str(part)))
def test_every_value(config, option: str, value) -> None:
    """Shapes stay right, every weight of encoder and decoder has a finite gradient, and no_grad changes nothing."""
    config = _with(config, **{option: value})
    torch.manual_seed(0)
    encoder = config.make(SHAPE)
    decoder = mirror(config, encoder.out_features, SHAPE)
    images = torch.rand(3, *SHAPE)
    logits = decoder(encoder(images))
    assert logits.shape == images.shape
    (logits - images).square().mean().backward()
    for name, weight in itertools.chain(encoder.named_parameters(), decoder.named_parameters()):
        assert weight.grad is not None, name
        assert bool(weight.grad.isfinite().all()), name
    before = copy.deepcopy(encoder.state_dict())
    for layer in encoder.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.eval()
    with torch.no_grad():
        assert torch.equal(encoder(images), encoder(images))
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_dropout_renames_nothing(config) -> None:
    """So an encoder with dropout takes the weights of one without."""
    kept = [name for name in _with(config, dropout=0.3).make(SHAPE).state_dict() if ".random." not in name]
    assert kept == list(config.make(SHAPE).state_dict())


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_the_activation_is_that_of_all_layers(config) -> None:
    found = set(activations_of(_with(config, activation="softplus").make(SHAPE)))
    assert found == {"softplus"}


@pytest.mark.parametrize("config", [ResNet(channels=(3, 5), block="preactivation"), DenseNet(growth=2)])
def test_maxout_in_front_of_a_convolution_pairs_channels(config) -> None:
    """An odd number is refused, an even one has as many features as its maps."""
    if config.name == "resnet":
        with pytest.raises(UserError) as error:
            _with(config, activation="maxout").make(SHAPE)
        message = "activation=maxout pairs channels, but 3 are odd. Give an even number of channels."
        assert str(error.value) == message
    else:
        encoder = _with(config, activation="maxout").make(SHAPE)
        assert encoder(torch.rand(2, *SHAPE)).shape == (2, encoder.out_features)
