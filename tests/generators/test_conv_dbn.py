"""The convolutional deep belief net: its stages, its passes up and down, and its backbone."""

from typing import Any

import pytest
import torch
from torch import nn

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators._boltzmann.conv_rbm_layer import ConvRBMLayer
from sandbox.generators.conv_dbn import ConvDBN, ConvDBNConfig
from sandbox.interfaces.capabilities import HasEncoder, HasFilters, HasReconstruction
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops import convolutional_boltzmann as ops

SPEC = Spec((1, 10, 10))


def make(spec: Spec = SPEC, rng: Rng | None = None, **options: Any) -> ConvDBN:
    config = ConvDBNConfig.model_validate(
        {
            "backbone": {"channels": [3, 4], "kernel": 3, "padding": 0},
            "pretraining_steps": 4,
            "learning": {"lr": {"start": 0.5, "end": 0.5}},
            "sample_steps": 3,
            "down_steps": 2,
            **options,
        }
    )
    return config.make(spec, rng or Rng(0), choose("cpu"), NO_RUNS)


def batch(count: int = 8, seed: int = 0) -> torch.Tensor:
    white = torch.rand(count, *SPEC.shape, generator=torch.Generator().manual_seed(seed)) < 0.3
    return white.to(torch.uint8) * 255


def trained(net: ConvDBN, updates: int) -> ConvDBN:
    for number in range(updates):
        net.update(batch(seed=number))
    return net


def layers_of(net: ConvDBN) -> list[ConvRBMLayer]:
    layers = net.parts()["layers"]
    assert isinstance(layers, nn.ModuleList)
    return [layer for layer in layers if isinstance(layer, ConvRBMLayer)]


def encoder_of(net: ConvDBN) -> nn.Module:
    network = net.parts()["network"]
    assert isinstance(network, nn.Module)
    return network.get_submodule("encoder")


def test_layers_learn_one_after_the_other() -> None:
    net = make()
    lower, upper = layers_of(net)
    stages = []
    for number in range(7):
        before = [layer.rbm().weight.clone() for layer in (lower, upper)]
        stages.append(int(net.update(batch(seed=number))["stage"]))
        changed = [not torch.equal(layer.rbm().weight, old) for layer, old in zip((lower, upper), before, strict=True)]
        assert changed == [stages[-1] == 0, stages[-1] == 1]
    assert stages == [0, 0, 0, 0, 1, 1, 1]


def test_a_layer_learns_from_the_pooling_probabilities_below() -> None:
    """Its visible bias starts at the mean of each map of the lower layer over the first batch."""
    net = trained(make(learning={"lr": {"start": 1e-30, "end": 1e-30}}), 4)
    lower, upper = layers_of(net)
    v = batch(seed=4).float() / 255  # black and white, so that nothing is drawn
    pooled = ops.pooling_probabilities(ops.detection_inputs(lower.rbm(), v), 2)
    assert pooled.shape == (8, 3, 4, 4)
    net.update(batch(seed=4))
    expected = ((pooled.mean((0, 2, 3)) * 128 + 1) / 130).logit()  # of 8 * 4 * 4 units
    torch.testing.assert_close(upper.visible_bias, expected)


def test_the_forward_pass_of_the_backbone_is_the_pass_upwards() -> None:
    net = trained(make(), 9)
    images = batch(5, seed=20)
    with torch.no_grad():
        torch.testing.assert_close(encoder_of(net)(images), net.encode(images))
    v = images.float() / 255
    for layer in layers_of(net):
        v = ops.pooling_probabilities(ops.detection_inputs(layer.rbm(), v), 2)
    torch.testing.assert_close(net.encode(images), v.flatten(1))


def test_the_top_layer_has_a_training_of_its_own() -> None:
    chains = {"chains": {"name": "persistent", "count": 7}}
    lower, upper = layers_of(make(top_learning=chains))
    assert (len(lower.chains), len(upper.chains)) == (0, 7)
    assert [len(layer.chains) for layer in layers_of(make(learning=chains))] == [7, 7]


def test_codes_are_those_of_the_layers_that_have_begun() -> None:
    assert make().encode(batch(2)).shape == (2, 3 * 4 * 4)
    assert trained(make(), 4).encode(batch(2)).shape == (2, 3 * 4 * 4)
    assert trained(make(), 5).encode(batch(2)).shape == (2, 4 * 1 * 1)


def test_a_sample_is_sampled_from_the_top_downwards() -> None:
    rng = Rng(0)
    net = trained(make(rng=rng), 9)
    lower, upper = layers_of(net)
    device, state = rng.state_dict()["torch"]["conv_dbn/sample"]
    generator = torch.Generator(device).set_state(state)
    v = upper.noise(5, generator)
    _, pooled = ops.gibbs(upper.rbm(), v, 3, generator)
    expected, _ = ops.gibbs_given_pooling(lower.rbm(), pooled, 2, generator)
    assert torch.equal(net.sample(5), expected)


def test_a_reconstruction_keeps_positions_that_codes_alone_do_not_have() -> None:
    """Images of a stroke at 60 places come back better than from the codes of the lower layer alone."""
    images = torch.zeros(60, *SPEC.shape, dtype=torch.uint8)
    for number in range(60):
        row, column = number % 6, number // 10
        images[number, 0, row : row + 4, column + 1] = 255
    net = make(pretraining_steps=1_000, learning={"lr": {"start": 1.0, "end": 0.1, "steps": 1_000}})
    for _ in range(1_000):
        net.update(images)
    v = images.float() / 255
    blank = float((v - v.mean(0)).square().mean())
    kept = float((net.reconstruct(images) - v).square().mean())
    lost = float((net.decode(net.encode(images)) - v).square().mean())
    assert kept < lost < 0.2 * blank


def test_shapes_and_ranges_and_looking_changes_nothing() -> None:
    net, twin = trained(make(), 5), trained(make(), 5)
    for interface in (HasReconstruction, HasEncoder, HasFilters):
        assert isinstance(net, interface)
    for images in (net.sample(7), net.reconstruct(batch(7)), net.decode(torch.zeros(7, 4))):
        assert images.shape == (7, *SPEC.shape)
        assert 0 <= images.min() <= images.max() <= 1
    assert torch.equal(net.filters(2), layers_of(net)[0].rbm().weight[:2])
    ours, theirs = net.update(batch()), twin.update(batch())
    assert {key: float(value) for key, value in ours.items()} == {key: float(value) for key, value in theirs.items()}


def test_images_whose_upper_maps_leave_a_rest() -> None:
    with pytest.raises(UserError) as refused:
        make(Spec((1, 12, 12)))
    assert str(refused.value) == (
        "pooling=probabilistic_max cuts the maps of every convolution into windows of 2x2 units, and those of images "
        "of 12x12 leave a rest. Sides that leave none: 10 and 14. Change the images, or padding and kernel."
    )
