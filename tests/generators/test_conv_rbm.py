"""The convolutional restricted Boltzmann machine: one update by hand, its backbone, what it learns, and bad input."""

import itertools
from typing import Any

import pytest
import torch
from torch import nn

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators._boltzmann.conv_rbm_layer import ConvRBMLayer, ConvRBMTraining, Phases
from sandbox.generators._boltzmann.rbm_layer import Phases as DensePhases
from sandbox.generators._boltzmann.rbm_layer import RBMLayer, RBMTraining
from sandbox.generators.conv_rbm import ConvRBM, ConvRBMConfig
from sandbox.interfaces.capabilities import HasEncoder, HasFilters, HasGibbsChain, HasLikelihood, HasReconstruction
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.base import PooledConvolution
from sandbox.ops import convolutional_boltzmann as ops
from sandbox.ops.units import BERNOULLI
from sandbox.runs.resolve import resolve

SPEC = Spec((1, 6, 8))
DIGITS = ["data={name: digits, binarize: threshold}", "steps=5"]


def constant(value: float) -> dict[str, float]:
    return {"start": value, "end": value}


def make(
    spec: Spec = SPEC, rng: Rng | None = None, filters: int = 3, visible: str = "bernoulli", **learning: Any
) -> ConvRBM:
    config = ConvRBMConfig.model_validate(
        {
            "backbone": {"channels": [filters], "kernel": 3, "padding": 0},
            "visible": {"name": visible},
            "learning": {"lr": constant(0.1), "momentum": constant(0.5), **learning},
            "sample_steps": 5,
            "ais": {"num_temperatures": 50, "burn_in": 5},
        }
    )
    return config.make(spec, rng or Rng(0), choose("cpu"), NO_RUNS)


def layer_of(machine: ConvRBM) -> ConvRBMLayer:
    layer = machine.parts()["machine"]
    assert isinstance(layer, ConvRBMLayer)
    return layer


def batch(count: int = 8, seed: int = 0, shape: tuple[int, ...] = SPEC.shape) -> torch.Tensor:
    white = torch.rand(count, *shape, generator=torch.Generator().manual_seed(seed)) < 0.3
    return white.to(torch.uint8) * 255


def test_one_update_by_hand() -> None:
    """Velocity = momentum * velocity + gradient per position - decay * weight, parameter += lr * velocity."""
    rng = Rng(0)
    machine = make(rng=rng, weight_decay=0.2, sparsity={"target": 0.04, "cost": 3.0})
    machine.update(batch())
    layer, v = layer_of(machine), batch(seed=1).float() / 255
    layer.rbm().weight.mul_(50)  # so that data and samples differ
    before = [tensor.clone() for tensor in layer.rbm()[:3]]
    speeds = [layer.get_buffer(f"{name}_velocity").clone() for name in ("weight", "visible_bias", "hidden_bias")]
    device, state = rng.state_dict()["torch"]["conv_rbm/gibbs"]
    old = ops.ConvRBMParameters(*before, 0, 2)
    _, model = ops.gibbs(old, v, 1, torch.Generator(device).set_state(state))
    machine.update(batch(seed=1))
    both = torch.cat([v, model])
    p = ops.detection_probabilities(ops.detection_inputs(old, both), 2)
    gradient = ops.gradient(old, both, p, 8)  # of 4 * 6 positions
    expected = [
        gradient.weight / 24 - 0.2 * before[0],
        gradient.visible_bias / 24,
        gradient.hidden_bias / 24 + 3 * (0.04 - p[:8].mean((0, 2, 3))),
    ]
    for new, earlier, velocity, part in zip(layer.rbm()[:3], before, speeds, expected, strict=True):
        torch.testing.assert_close(new, earlier + 0.1 * (0.5 * velocity + part))


def test_it_starts_with_the_means_of_the_first_batch_and_the_target() -> None:
    """Detection units of a block of four have the probability 0.04, and a pixel the mean of all pixels."""
    machine = make(lr=constant(0.0), sparsity={"target": 0.04})
    metrics = machine.update(batch(100))
    assert float(metrics["hidden_on"]) == pytest.approx(0.04, rel=0.02)
    white = float((batch(100) == 255).float().mean())
    assert float(layer_of(machine).visible_bias.sigmoid()) == pytest.approx(white, abs=1e-3)


def test_the_first_batch_leaves_an_encoder_as_it_was_handed_over() -> None:
    machine = make(lr=constant(1e-30))
    rbm = layer_of(machine).rbm()
    rbm.weight.fill_(0.3)
    rbm.hidden_bias.fill_(-2.0)
    machine.update(batch())
    assert bool((rbm.weight == 0.3).all())
    assert bool((rbm.hidden_bias == -2.0).all())


def test_persistent_chains_go_on() -> None:
    machine = make(chains={"name": "persistent", "count": 30})
    layer = layer_of(machine)
    for number in range(3):
        before = layer.chains.clone()
        machine.update(batch(seed=number))
        assert layer.chains.shape == (30, *SPEC.shape)
        assert not torch.equal(layer.chains, before)
    assert len(layer_of(make()).chains) == 0


def test_a_filter_as_large_as_the_image_learns_as_the_dense_machine() -> None:
    """With blocks of one unit; the dense machine has a visible bias for each pixel, which is 0 here."""
    compute, size = choose("cpu"), 4
    rates = {"lr": constant(0.1), "momentum": constant(0.5), "weight_decay": 0.1}
    convolution, linear = nn.Conv2d(1, 5, size), nn.Linear(size * size, 5)
    training = ConvRBMTraining.model_validate({**rates, "sparsity": None})
    ours = ConvRBMLayer(PooledConvolution(convolution, 1), (1, size, size), training, BERNOULLI, Rng(0), "x")
    theirs = RBMLayer(linear, RBMTraining.model_validate(rates), BERNOULLI, Rng(0), "x", compute)
    convolution.weight.data.copy_(torch.randn(5, 1, size, size, generator=torch.Generator().manual_seed(0)))
    linear.weight.data.copy_(convolution.weight.data.flatten(1))
    for step in range(3):
        v = batch(9, step, (1, size, size)).float() / 255  # 6 of data, 3 of the model
        p = ops.detection_probabilities(ops.detection_inputs(ours.rbm(), v), 1)
        torch.testing.assert_close(p.flatten(1), theirs.hidden_means(v.flatten(1)))
        ours.step(ours.gradient(Phases(v, p, 6)), step)
        theirs.step(theirs.gradient(DensePhases(v.flatten(1), p.flatten(1), 6)), step)
        torch.testing.assert_close(ours.rbm().weight.flatten(1).T, theirs.rbm().weight)
        torch.testing.assert_close(ours.rbm().hidden_bias, theirs.rbm().hidden_bias)
        ours.visible_bias.zero_()
        theirs.visible_bias.zero_()


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_the_forward_pass_of_the_backbone_is_the_code(visible: str) -> None:
    machine = make(visible=visible)
    for number in range(20):
        machine.update(batch(seed=number))
    network = machine.parts()["network"]
    assert isinstance(network, nn.Module)
    images = batch(5, seed=9).float() / 255
    v = images if visible == "bernoulli" else images / 0.3  # the deviation of a pixel
    with torch.no_grad():
        torch.testing.assert_close(network.get_submodule("encoder")(v), machine.encode(images))


def strokes() -> torch.Tensor:
    """All 4x4 images with one horizontal line of three pixels, and all with a vertical one."""
    images = torch.zeros(16, 1, 4, 4)
    for place, (along, across) in enumerate(itertools.product(range(2), range(4))):
        images[place, 0, across, along : along + 3] = 1
        images[place + 8, 0, along : along + 3, across] = 1
    return images


def exact_log_likelihood(machine: ConvRBM, images: torch.Tensor) -> float:
    """Enumerate the 65,536 images."""
    every = (torch.arange(2**16)[:, None] >> torch.arange(16) & 1).float().view(-1, 1, 4, 4)
    rbm = layer_of(machine).rbm()
    log_partition = torch.cat([-ops.free_energy(rbm, part) for part in every.split(2**13)]).logsumexp(0)
    return float(-ops.free_energy(rbm, images).mean() - log_partition)


@pytest.mark.parametrize("chains", ["persistent", "contrastive"])
def test_learning_raises_the_exact_likelihood(chains: str) -> None:
    """Independent pixels, each with its mean, have -7.6 nats; all 16 images with equal probability -2.8."""
    data = strokes()
    learning = {"chains": {"name": chains, "steps": 5}, "lr": {"start": 1.0, "end": 0.0, "steps": 1_500}}
    config = ConvRBMConfig.model_validate(
        {"backbone": {"channels": [8], "kernel": 3, "padding": 1}, "learning": {**learning, "sparsity": None}}
    )
    machine = config.make(Spec((1, 4, 4)), Rng(0), choose("cpu"), NO_RUNS)
    machine.update(data)
    before = exact_log_likelihood(machine, data)
    for _ in range(1_500):
        machine.update(data)
    after = exact_log_likelihood(machine, data)
    assert after > -5.5
    assert before < -7.5


def test_the_likelihood_is_that_of_enumeration_within_its_bracket() -> None:
    config = ConvRBMConfig.model_validate(
        {
            "backbone": {"channels": [8], "kernel": 3, "padding": 1},
            "learning": {"lr": constant(0.5), "sparsity": None},
            "ais": {"num_temperatures": 1_000, "burn_in": 100},
        }
    )
    machine = config.make(Spec((1, 4, 4)), Rng(0), choose("cpu"), NO_RUNS)
    for _ in range(200):
        machine.update(strokes())
    estimate, exact = machine.log_likelihood(strokes()), exact_log_likelihood(machine, strokes())
    assert (estimate.kind, estimate.density) == ("ais", False)
    assert estimate.low is not None
    assert estimate.high is not None
    mean = float(estimate.nats.mean())
    assert mean == pytest.approx(exact, abs=0.1)
    assert mean - estimate.low <= exact <= mean + estimate.high


def test_the_density_of_real_pixels_is_one_of_pixels() -> None:
    """Without weights it is a product of normal distributions: mean 0.3 b and deviation 0.3 of each pixel."""
    machine = make(visible="gaussian")
    layer_of(machine).rbm().weight.zero_()
    layer_of(machine).visible_bias.fill_(1.5)
    offsets = 0.4 * torch.rand(5, *SPEC.shape, generator=torch.Generator().manual_seed(0))
    images = torch.cat([0.45 + offsets, 0.45 - offsets])  # whose mean is the base of the annealing: nothing is left
    estimate = machine.log_likelihood(images)
    assert estimate.density
    expected = torch.distributions.Normal(0.45, 0.3).log_prob(images).sum((1, 2, 3))
    torch.testing.assert_close(estimate.nats.float(), expected, atol=1e-3, rtol=0)


def test_gray_images_are_refused() -> None:
    gray = batch()
    gray[3, 0, 1, 1] = 100
    with pytest.raises(UserError) as refused:
        make().update(gray)
    assert str(refused.value) == (
        "generator.name=conv_rbm has binary units, but these images are gray. "
        "Add data.binarize=threshold (black and white) or data.binarize=sample (each gray value is a probability), "
        "or take real-valued units: generator.visible.name=gaussian."
    )
    make(visible="gaussian").update(gray)


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_shapes_and_ranges_and_looking_changes_nothing(visible: str) -> None:
    machine, twin = make(visible=visible), make(visible=visible)
    for interface in (HasLikelihood, HasReconstruction, HasEncoder, HasFilters, HasGibbsChain):
        assert isinstance(machine, interface)
    assert machine.encode(batch(5)).shape == (5, 3 * 2 * 3)
    for images in (
        machine.sample(7),
        machine.reconstruct(batch(7)),
        machine.decode(torch.zeros(7, 18)),
        next(machine.gibbs_chain(7)),
    ):
        assert images.shape == (7, *SPEC.shape)
        assert 0 <= images.min() <= images.max() <= 1
    assert torch.equal(machine.filters(2), layer_of(machine).rbm().weight[:2])
    ours, theirs = machine.update(batch()), twin.update(batch())
    assert {key: float(value) for key, value in ours.items()} == {key: float(value) for key, value in theirs.items()}


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        (
            "{name: nature}",
            "the layers of nature cannot be coupled to a convolutional Boltzmann machine; those of lenet can",
        ),
        (
            "{activation: tanh}",
            "pooling=probabilistic_max takes the place of sigmoids: activation must be sigmoid, got tanh",
        ),
        (
            "{activation: relu, pooling: max}",
            "the units of this machine are sigmoids: activation must be sigmoid, got relu",
        ),
        ("{pooling: max}", "this machine pools by probabilities: pooling must be probabilistic_max, got max"),
        ("{hidden: [9]}", "this machine couples convolutions alone: hidden must be [], got [9]"),
        (
            "{norm: batch}",
            "nothing stands between the layers of this machine: leave out norm, dropout, spectral_norm and dilation",
        ),
        (
            "{channels: [4, 4]}",
            "conv_rbm couples one convolution, but channels=[4, 4] has 2; conv_dbn couples several",
        ),
    ],
)
def test_backbones_that_cannot_be_coupled_are_named(backbone: str, message: str) -> None:
    with pytest.raises(UserError) as refused:
        resolve([], [*DIGITS, f"generator={{name: conv_rbm, backbone: {backbone}}}"])
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("side", "message"),
    [
        (
            9,
            "pooling=probabilistic_max cuts the maps of every convolution into windows of 2x2 units, and those of "
            "images of 9x9 leave a rest. Sides that leave none: 8 and 10. Change the images, or padding and kernel.",
        ),
        (
            3,
            "backbone lenet needs images [C, H, W] of at least 4x4, got (1, 3, 3). "
            "Choose options for smaller ones, or another backbone: mlp takes anything.",
        ),
    ],
)
def test_images_that_cannot_be_pooled(side: int, message: str) -> None:
    with pytest.raises(UserError) as refused:
        make(Spec((1, side, side)))
    assert str(refused.value) == message
