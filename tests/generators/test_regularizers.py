"""Regularizers by hand: packs, minibatch discrimination, feature matching, historical averaging, instance noise."""

from typing import Any

import pytest
import torch
from torch import nn

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators._adversarial.discriminator import Discriminator
from sandbox.generators._adversarial.regularizers import (
    ExponentialDecay,
    InstanceNoise,
    MinibatchDiscrimination,
    MinibatchDiscriminationLayer,
    Regularizers,
    WeightHistory,
)
from sandbox.generators.gan import GAN, GANConfig
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.mlp import MLP
from sandbox.ops.adversarial import feature_matching
from sandbox.runs import registry
from sandbox.runs.resolve import resolve

SPEC = Spec((1, 8, 8))
NEEDS_SINGLE_IMAGES = "infogan"  # refuses all packs
PLAYERS = [
    name
    for name in registry.names("generators")
    if "regularizers" in registry.config_class("generators", name).model_fields and name != NEEDS_SINGLE_IMAGES
]


CPU = choose("cpu")


def make(**options: Any) -> GAN:
    options = {"backbone": {"name": "mlp", "hidden": (32,)}, "latent_size": 4, **options}
    return GANConfig.model_validate(options).make(SPEC, Rng(0), CPU, NO_RUNS)


def images(count: int = 10) -> torch.Tensor:
    return torch.randint(256, (count, *SPEC.shape), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def network(gan: GAN, name: str) -> nn.Module:
    part = gan.parts()[name]
    assert isinstance(part, nn.Module)
    return part


def test_similarities_by_hand() -> None:
    """Two kernels of two dimensions: rows (0, 0), (1, 2), (0, 0) in the first, all alike in the second."""
    layer = MinibatchDiscriminationLayer(MinibatchDiscrimination(num_kernels=2, kernel_size=2), 2)
    with torch.no_grad():
        layer.kernels.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]))
    features = torch.tensor([[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]])
    near = float(torch.exp(torch.tensor(-3.0)))  # |1| + |2|
    expected = torch.tensor([[1 + near, 2.0], [2 * near, 2.0], [1 + near, 2.0]])
    torch.testing.assert_close(layer(features), torch.cat([features, expected], 1))
    assert layer.out_features == 4


def test_images_are_compared_with_real_ones_or_with_generated_ones() -> None:
    """The discriminator's logits of real images do not depend on the generated ones."""
    gan = make(regularizers={"minibatch_discrimination": {"num_kernels": 3, "kernel_size": 2}})
    seen = []
    layer = network(gan, "discriminator").get_submodule("minibatch_discrimination")
    layer.register_forward_hook(lambda layer, given, got: seen.append(len(given[0])))
    gan.update(images(6))
    assert seen == [6, 6, 6]


def test_a_pack_has_one_logit() -> None:
    """PacGAN stacks consecutive images along their channels, real ones and generated ones separately."""
    gan = make(regularizers={"pack_size": 5})
    discriminator = network(gan, "discriminator")
    logits = discriminator(images()).logits
    assert logits.shape == (2,)
    torch.testing.assert_close(discriminator(images()[:5]).logits, logits[:1])


@pytest.mark.parametrize("name", PLAYERS)
@pytest.mark.parametrize(("size", "pack", "near"), [(32, 5, 30), (2, 3, 6), (4, 4, 8)])
def test_a_batch_is_of_whole_packs(name: str, size: int, pack: int, near: int) -> None:
    """Other batch sizes are refused with the config, before anything is built."""
    options = [
        f"generator.name={name}",
        f"generator.stream.batch_size={size}",
        f"generator.regularizers.pack_size={pack}",
    ]
    with pytest.raises(UserError) as error:
        resolve([], ["steps=1", "data.name=digits", *options])
    assert str(error.value) == (
        f"command line: generator.regularizers.pack_size={pack}: generator.regularizers: "
        f"pack_size={pack} {'does not divide' if size % pack else 'leaves a single pack of'} "
        f"generator.stream.batch_size={size}. "
        f"Set generator.stream.batch_size={near}, or another multiple of {pack}."
    )
    resolve([], ["steps=1", "data.name=digits", *options, f"generator.stream.batch_size={near}"])


def test_the_usual_batch_is_of_whole_packs_too() -> None:
    with pytest.raises(UserError) as error:
        resolve(["digits_gan"], ["generator.regularizers.pack_size=7"])
    assert "pack_size=7 does not divide generator.stream.batch_size=64. " in str(error.value)


def test_a_pack_by_hand() -> None:
    """In packs of two images [1, 1, 2], channel 0 is the first image and channel 1 the second; likewise for points."""
    x = torch.arange(8.0).view(4, 1, 1, 2)
    for shape, batch, expected in (
        ((1, 1, 2), x, [[[[0, 1]], [[2, 3]]], [[[4, 5]], [[6, 7]]]]),
        ((2,), x.view(4, 2), [[0, 1, 2, 3], [4, 5, 6, 7]]),
    ):
        discriminator = Discriminator(MLP(hidden=(3,)), shape, Regularizers(pack_size=2))
        packed = list[torch.Tensor]()
        discriminator.encoder.register_forward_pre_hook(lambda layer, given, packed=packed: packed.append(given[0]))
        discriminator(batch)
        assert packed[0].tolist() == expected


def test_historical_averaging_by_hand() -> None:
    """Weights 1, 3, 2: no past; |3 - 1|^2; |2 - (1 + 3) / 2|^2 = 0. The gradient is twice the distance."""
    weight = nn.Parameter(torch.tensor([1.0]))
    history = WeightHistory([weight])
    found, gradients = [], []
    for value in (1.0, 3.0, 2.0, 6.0):
        with torch.no_grad():
            weight.fill_(value)
        distance = history.distance()
        found.append(distance.item())
        gradients.append(torch.autograd.grad(distance, weight)[0].item())
    assert found == pytest.approx([0.0, 4.0, 0.0, 16.0])
    assert gradients == pytest.approx([0.0, 4.0, 0.0, 8.0])
    other = WeightHistory([weight])
    other.load_state_dict(history.state_dict())
    assert other.distance().item() == pytest.approx(9.0)  # |6 - (1 + 3 + 2 + 6) / 4|^2


def test_both_networks_return_to_their_mean() -> None:
    """With a very large weight, both networks return to their mean after they are moved away."""
    gan = make(regularizers={"historical_averaging": 1e6})
    gan.update(images())
    networks = (network(gan, "discriminator"), network(gan, "generator"))
    with torch.no_grad():
        for part in networks:
            for weight in part.parameters():
                weight.add_(0.5)
    before = [[weight.clone() for weight in part.parameters()] for part in networks]
    gan.update(images())
    for part, old in zip(networks, before, strict=True):
        moved = [(new - was).sign().mean() for new, was in zip(part.parameters(), old, strict=True)]
        assert all(step < -0.99 for step in moved)


def test_feature_matching_replaces_the_adversarial_loss() -> None:
    """The features are those of the discriminator after its step, for real and for generated images."""
    gan, twin = make(regularizers={"feature_matching": 1.0}), make(regularizers={"feature_matching": 1.0})
    metrics = gan.update(images())
    z = torch.randn(10, 4, generator=Rng(0).torch("noise/training", CPU.device))
    fake = torch.sigmoid(network(twin, "generator")(z)).detach()
    real_features, fake_features = (network(gan, "discriminator")(x).features for x in (images(), fake))
    torch.testing.assert_close(metrics["generator_loss"], feature_matching(real_features, fake_features).detach())


def test_the_share_of_feature_matching() -> None:
    losses = [
        make(regularizers={"feature_matching": share}).update(images())["generator_loss"] for share in (0.0, 0.25, 1.0)
    ]
    torch.testing.assert_close(losses[1], 0.75 * losses[0] + 0.25 * losses[2])


@pytest.mark.parametrize(("step", "value"), [(0, 0.4), (5, 0.04), (9, 0.4 * 0.01**0.9), (10, 0.0), (99, 0.0)])
def test_exponential_decay(step: int, value: float) -> None:
    assert ExponentialDecay(start=0.4, end=0.004, steps=10).at(step) == pytest.approx(value)


def test_instance_noise_decays() -> None:
    decay = ExponentialDecay(start=0.2, end=0.02, steps=4)
    noise = InstanceNoise(Regularizers(instance_noise=decay), Rng(0), CPU)
    gray = torch.full((100_000,), 51, dtype=torch.uint8)
    for update, deviation in [(0, 0.2), (2, 0.2 * 0.1**0.5), (3, 0.2 * 0.1**0.75)]:
        noisy = noise.add(gray, update)
        assert noisy.mean().item() == pytest.approx(0.2, abs=0.003)
        assert noisy.std().item() == pytest.approx(deviation, rel=0.02)
    assert noise.add(gray, 4) is gray
