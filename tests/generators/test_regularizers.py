"""The parts of a game by hand: packs, closeness, matched features, a pull towards the past."""

from typing import Any

import pytest
import torch
from torch import nn

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators._adversarial.discriminator import Discriminator
from sandbox.generators._adversarial.regularizers import (
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
GUESSES = "infogan"  # of each image by itself, and refuses all packs
PLAYERS = [
    name
    for name in registry.names("generators")
    if "regularizers" in registry.config_class("generators", name).model_fields and name != GUESSES
]


def make(**options: Any) -> GAN:
    options = {"backbone": {"name": "mlp", "hidden": (32,)}, "latent_size": 4, **options}
    return GANConfig.model_validate(options).make(SPEC, Rng(0), choose("cpu"), NO_RUNS)


def images(count: int = 10) -> torch.Tensor:
    return torch.randint(256, (count, *SPEC.shape), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def test_closeness_by_hand() -> None:
    """Two kernels of two dimensions: rows (0, 0), (1, 2), (0, 0) in the first, all alike in the second."""
    closeness = MinibatchDiscriminationLayer(MinibatchDiscrimination(num_kernels=2, kernel_size=2), 2)
    with torch.no_grad():
        closeness.kernels.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]))
    features = torch.tensor([[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]])
    near = float(torch.exp(torch.tensor(-3.0)))  # |1| + |2|
    expected = torch.tensor([[1 + near, 2.0], [2 * near, 2.0], [1 + near, 2.0]])
    torch.testing.assert_close(closeness(features), torch.cat([features, expected], 1))
    assert closeness.out_features == 4


def test_closeness_is_among_real_images_and_among_fakes() -> None:
    """Its own batch only: what a discriminator says of real images does not depend on the fakes."""
    gan = make(regularizers={"minibatch_discrimination": {"num_kernels": 3, "kernel_size": 2}})
    seen = []
    closeness = gan._duel.discriminator.closeness
    assert isinstance(closeness, nn.Module)
    closeness.register_forward_hook(lambda layer, given, got: seen.append(len(given[0])))
    gan.update(images(6))
    assert seen == [6, 6, 6]


def test_a_pack_is_judged_at_once() -> None:
    """PacGAN: images in a row, stacked along their channels, real ones with real ones."""
    gan = make(regularizers={"pack_size": 5})
    verdict = gan._duel.discriminator(images())
    assert verdict.logits.shape == (2,)
    torch.testing.assert_close(gan._duel.discriminator(images()[:5]).logits, verdict.logits[:1])


@pytest.mark.parametrize("name", PLAYERS)
@pytest.mark.parametrize(("size", "pack", "near"), [(32, 5, 30), (2, 3, 3)])
def test_a_batch_is_of_whole_packs(name: str, size: int, pack: int, near: int) -> None:
    """Refused with the rest of the config, before anything is built."""
    options = [
        f"generator.name={name}",
        f"generator.stream.batch_size={size}",
        f"generator.regularizers.pack_size={pack}",
    ]
    with pytest.raises(UserError) as error:
        resolve([], ["steps=1", "data.name=digits", *options])
    assert str(error.value) == (
        f"command line: generator.regularizers.pack_size={pack}: generator.regularizers: "
        f"pack_size={pack} does not divide generator.stream.batch_size={size}. "
        f"Set generator.stream.batch_size={near}, or another multiple of {pack}."
    )
    resolve([], ["steps=1", "data.name=digits", *options, f"generator.stream.batch_size={near}"])


def test_the_usual_batch_is_of_whole_packs_too() -> None:
    with pytest.raises(UserError) as error:
        resolve(["digits_gan"], ["generator.regularizers.pack_size=7"])
    assert "pack_size=7 does not divide generator.stream.batch_size=64. " in str(error.value)


def test_a_pack_by_hand() -> None:
    """[4, 1, 1, 2] in packs of two: channel 0 is the first image, channel 1 the second one; points alike."""
    two = Regularizers(pack_size=2)
    x = torch.arange(8.0).view(4, 1, 1, 2)
    packed = Discriminator(MLP(hidden=(3,)), (1, 1, 2), two)._packed(x)
    assert packed.tolist() == [[[[0, 1]], [[2, 3]]], [[[4, 5]], [[6, 7]]]]
    points = Discriminator(MLP(hidden=(3,)), (2,), two)._packed(x.view(4, 2))
    assert points.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_the_past_pulls() -> None:
    """Weights 1, 3, 2: no past; |3 - 1|^2; |2 - (1 + 3) / 2|^2 = 0. The slope is twice the distance."""
    weight = nn.Parameter(torch.tensor([1.0]))
    history = WeightHistory([weight])
    found, slopes = [], []
    for value in (1.0, 3.0, 2.0, 6.0):
        with torch.no_grad():
            weight.fill_(value)
        distance = history.distance()
        found.append(distance.item())
        slopes.append(torch.autograd.grad(distance, weight)[0].item())
    assert found == pytest.approx([0.0, 4.0, 0.0, 16.0])
    assert slopes == pytest.approx([0.0, 4.0, 0.0, 8.0])
    other = WeightHistory([weight])
    other.load_state_dict(history.state_dict())
    assert other.distance().item() == pytest.approx(9.0)  # |6 - (1 + 3 + 2 + 6) / 4|^2


def test_both_players_are_pulled() -> None:
    """At once, with a weight so large that nothing else counts: after a push, both go back."""
    pulled = make(regularizers={"historical_averaging": 1e6})
    pulled.update(images())
    networks = (pulled._duel.discriminator, pulled._duel.generator)
    with torch.no_grad():
        for network in networks:
            for weight in network.parameters():
                weight.add_(0.5)
    before = [[weight.clone() for weight in network.parameters()] for network in networks]
    pulled.update(images())
    for network, old in zip(networks, before, strict=True):
        moved = [(new - was).sign().mean() for new, was in zip(network.parameters(), old, strict=True)]
        assert all(step < -0.99 for step in moved)


def test_feature_matching_takes_the_place_of_the_game() -> None:
    """Real and fake features by the same weights: those of the discriminator after its step."""
    gan, twin = make(regularizers={"feature_matching": 1.0}), make(regularizers={"feature_matching": 1.0})
    metrics = gan.update(images())
    fake = twin._noise.images(twin._duel.generator, twin._noise.training(10)).detach()
    judge = gan._duel.discriminator
    torch.testing.assert_close(
        metrics["generator_loss"], feature_matching(judge(images()).features, judge(fake).features).detach()
    )


def test_the_share_of_feature_matching() -> None:
    losses = [
        make(regularizers={"feature_matching": share}).update(images())["generator_loss"] for share in (0.0, 0.25, 1.0)
    ]
    torch.testing.assert_close(losses[1], 0.75 * losses[0] + 0.25 * losses[2])
