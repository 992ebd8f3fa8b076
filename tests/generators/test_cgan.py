"""The class goes into both networks, and comes out of them."""

from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.cgan import CGAN, CGANConfig
from sandbox.interfaces.generator import Coder, Conditional, Generator, Imagines, Previews
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.streams.labeled import Labeled

SPEC = Spec((1, 4, 4), num_classes=3)
BATCH = Labeled(torch.arange(96, dtype=torch.uint8).view(6, 1, 4, 4), torch.tensor([2, 0, 1, 1, 0, 2]))


def make(**options: Any) -> CGAN:
    options = {"backbone": {"name": "mlp", "hidden": (16,)}, "latent_size": 4, **options}
    return CGANConfig.model_validate(options).make(SPEC, Rng(0), choose("cpu"), NO_RUNS)


def test_the_discriminator_sees_the_class_as_planes() -> None:
    planes = make()._classes.as_planes(BATCH.images, torch.tensor([2, 0, 1, 1, 0, 2]))
    assert planes.shape == (6, 1 + 3, 4, 4)
    torch.testing.assert_close(planes[:, 0], BATCH.images[:, 0] / 255)
    assert planes[0, 1:].flatten(1).unique(dim=1).flatten().tolist() == [0.0, 0.0, 1.0]
    assert planes[:, 1:].sum((2, 3)).argmax(1).tolist() == [2, 0, 1, 1, 0, 2]


def test_an_update_is_the_game_on_images_of_the_batchs_classes() -> None:
    gan, twin = make(), make()
    metrics = gan.update(BATCH)
    assert BATCH.labels is not None
    z = torch.cat([twin._noise.training(6), torch.nn.functional.one_hot(BATCH.labels, 3)], 1)
    fake = twin._classes.as_planes(torch.sigmoid(twin._duel.generator(z)), BATCH.labels)
    real = twin._classes.as_planes(BATCH.images, BATCH.labels)
    on_real, on_fake = (twin._duel.discriminator(x).logits for x in (real, fake))
    expected = NON_SATURATING.discriminator_loss(on_real, on_fake)
    torch.testing.assert_close(metrics["discriminator_loss"], expected.detach())


def test_what_is_decoded_is_of_all_classes_in_turn() -> None:
    gan = make()
    z = gan.latents(6)
    turn = torch.tensor([0, 1, 2, 0, 1, 2])
    assert torch.equal(gan.decode(z), gan._make(z, turn))
    assert not torch.allclose(gan.decode(z)[:1], gan._make(z[:1], turn[1:2]))
    assert gan.sample(5).shape == (5, 1, 4, 4)
    first = gan.preview(4)
    assert torch.equal(gan.preview(4), first)


def test_samples_are_independent_of_each_other() -> None:
    """Of 500 at a time out of a thousand classes, taken in turn, half would never be seen, and none twice."""
    gan = make()
    gan._make = lambda z, labels: labels  # type: ignore[method-assign]
    kinds = gan.sample(3_000)
    assert torch.bincount(kinds).tolist() == pytest.approx([1_000] * 3, abs=100)
    assert float((kinds[1:] == kinds[:-1]).double().mean()) == pytest.approx(1 / 3, abs=0.04)
    assert not torch.equal(gan.sample(3_000), kinds)


@pytest.mark.learning
def test_images_of_a_class_are_those_it_has_learnt() -> None:
    """Class k is all of one grey, 40 + 80 k: after some hundred updates, so are the samples of it."""
    adam = {"lr": 2e-3, "betas": (0.0, 0.99)}
    gan = make(average_decay=0.98, discriminator_optimizer=adam, generator_optimizer=adam)
    labels = torch.arange(48) % 3
    greys = (40 + 80 * labels).to(torch.uint8)
    batch = Labeled(greys.view(-1, 1, 1, 1).expand(-1, 1, 4, 4).contiguous(), labels)
    for _ in range(400):
        gan.update(batch)
    means = gan.sample_of(torch.arange(30) % 3).view(10, 3, -1).mean((0, 2))
    torch.testing.assert_close(means, (40 + 80 * torch.arange(3)) / 255, rtol=0, atol=0.07)


def test_data_without_labels_are_refused() -> None:
    with pytest.raises(UserError) as error:
        CGANConfig().make(Spec((1, 8, 8)), Rng(0), choose("cpu"), NO_RUNS)
    assert str(error.value) == (
        "generator.name=cgan makes images of a class, but these data have no labels. Take some that have, "
        "e.g. data.name=digits or data.name=mnist, or generator.name=dcgan, which needs none."
    )


def test_interfaces() -> None:
    gan = make()
    for protocol in (Generator, Previews, Imagines, Conditional):
        assert isinstance(gan, protocol)
    assert not isinstance(gan, Coder)
    assert gan.num_classes() == 3
