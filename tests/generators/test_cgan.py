"""CGAN: both networks are given the class, and samples have the requested class."""

from typing import Any

import pytest
import torch
from torch import nn

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators._adversarial.labels import ClassLabels
from sandbox.generators.cgan import CGAN, CGANConfig
from sandbox.interfaces.capabilities import ClassConditional, HasEncoder, HasLatents, HasPreview
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.streams.labeled import Labeled

SPEC = Spec((1, 4, 4), num_classes=3)
CPU = choose("cpu")
BATCH = Labeled(torch.arange(96, dtype=torch.uint8).view(6, 1, 4, 4), torch.tensor([2, 0, 1, 1, 0, 2]))


def make(**options: Any) -> CGAN:
    options = {"backbone": {"name": "mlp", "hidden": (16,)}, "latent_size": 4, **options}
    return CGANConfig.model_validate(options).make(SPEC, Rng(0), CPU, NO_RUNS)


def network(gan: CGAN, name: str) -> nn.Module:
    part = gan.parts()[name]
    assert isinstance(part, nn.Module)
    return part


def class_labels() -> ClassLabels:
    return ClassLabels(SPEC, "cgan", Rng(0), CPU)


def generate(gan: CGAN, z: torch.Tensor, labels: torch.Tensor, name: str = "average") -> torch.Tensor:
    return torch.sigmoid(network(gan, name)(torch.cat([z, torch.eye(3)[labels]], 1)))


def test_the_discriminator_sees_the_class_as_planes() -> None:
    planes = class_labels().append_planes(BATCH.images, torch.tensor([2, 0, 1, 1, 0, 2]))
    assert planes.shape == (6, 1 + 3, 4, 4)
    torch.testing.assert_close(planes[:, 0], BATCH.images[:, 0] / 255)
    assert planes[0, 1:].flatten(1).unique(dim=1).flatten().tolist() == [0.0, 0.0, 1.0]
    assert planes[:, 1:].sum((2, 3)).argmax(1).tolist() == [2, 0, 1, 1, 0, 2]


def test_an_update_generates_images_of_the_batchs_classes() -> None:
    gan, twin = make(), make()
    metrics = gan.update(BATCH)
    assert BATCH.labels is not None
    z = torch.randn(6, 4, generator=Rng(0).torch("noise/training", CPU.device))
    fake = class_labels().append_planes(generate(twin, z, BATCH.labels, "generator"), BATCH.labels)
    real = class_labels().append_planes(BATCH.images, BATCH.labels)
    on_real, on_fake = (network(twin, "discriminator")(x).logits for x in (real, fake))
    expected = NON_SATURATING.discriminator_loss(on_real, on_fake)
    torch.testing.assert_close(metrics["discriminator_loss"], expected.detach())


def test_decoded_images_are_of_all_classes_in_turn() -> None:
    gan = make()
    z = gan.latents(6)
    turn = torch.tensor([0, 1, 2, 0, 1, 2])
    assert torch.equal(gan.decode(z), generate(gan, z, turn))
    assert not torch.allclose(gan.decode(z)[:1], generate(gan, z[:1], turn[1:2]))
    assert gan.sample(5).shape == (5, 1, 4, 4)
    first = gan.preview(4)
    assert torch.equal(gan.preview(4), first)


def test_samples_are_independent_of_each_other() -> None:
    """The classes are drawn at random: 500 samples of 1,000 classes in turn would never show half of them."""
    gan = make()
    gan.sample_of = lambda labels: labels  # type: ignore[method-assign]
    kinds = gan.sample(3_000)
    assert torch.bincount(kinds).tolist() == pytest.approx([1_000] * 3, abs=100)
    assert float((kinds[1:] == kinds[:-1]).double().mean()) == pytest.approx(1 / 3, abs=0.04)
    assert not torch.equal(gan.sample(3_000), kinds)


@pytest.mark.learning
def test_samples_of_a_class_look_like_its_images() -> None:
    """Images of class k have one gray value, 40 + 80 k: after some hundred updates, so have its samples."""
    adam = {"lr": 2e-3, "betas": (0.0, 0.99)}
    gan = make(average_decay=0.98, discriminator_optimizer=adam, generator_optimizer=adam)
    labels = torch.arange(48) % 3
    grays = (40 + 80 * labels).to(torch.uint8)
    batch = Labeled(grays.view(-1, 1, 1, 1).expand(-1, 1, 4, 4).contiguous(), labels)
    for _ in range(400):
        gan.update(batch)
    means = gan.sample_of(torch.arange(30) % 3).view(10, 3, -1).mean((0, 2))
    torch.testing.assert_close(means, (40 + 80 * torch.arange(3)) / 255, rtol=0, atol=0.07)


def test_data_without_labels_are_refused() -> None:
    with pytest.raises(UserError) as error:
        CGANConfig().make(Spec((1, 8, 8)), Rng(0), choose("cpu"), NO_RUNS)
    assert str(error.value) == (
        "generator.name=cgan learns images of given classes, but these data have no labels. Use data with "
        "labels, e.g. data.name=digits or data.name=mnist, or generator.name=dcgan, which needs none."
    )


def test_capabilities() -> None:
    gan = make()
    for capability in (HasPreview, HasLatents, ClassConditional):
        assert isinstance(gan, capability)
    assert not isinstance(gan, HasEncoder)
    assert gan.num_classes() == 3
