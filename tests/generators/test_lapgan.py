"""A level adds details to what the level below made, and learns from real images one level up."""

from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.lapgan import LAPGAN, LAPGANConfig
from sandbox.interfaces.generator import Conditional, Generator, Imagines, Previews
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.images import enlarged, halved

SPEC = Spec((1, 16, 16))


def make(spec: Spec = SPEC, **options: Any) -> LAPGAN:
    options = {"backbone": {"name": "strided", "channels": (4,)}, "detail_channels": (4,), "latent_size": 3, **options}
    return LAPGANConfig.model_validate(options).make(spec, Rng(0), choose("cpu"), NO_RUNS)


def images() -> torch.Tensor:
    return torch.randint(256, (10, 1, 16, 16), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def test_a_code_has_latents_and_a_plane_of_noise_for_each_larger_level() -> None:
    gan = make()
    assert gan._sides == [(4, 4), (8, 8), (16, 16)]
    assert gan.latents(2).shape == (2, 3 + 8 * 8 + 16 * 16)
    samples = gan.sample(5)
    assert samples.shape == (5, 1, 16, 16)
    assert 0 <= samples.min() <= samples.max() <= 1


def test_samples_climb_the_pyramid() -> None:
    gan = make()
    z = gan.latents(4)
    noise, *planes = torch.split(z, [3, 64, 256], 1)
    picture = torch.sigmoid(gan._levels[0].average(noise))
    for level, side in ((1, 8), (2, 16)):
        plain = enlarged(picture, (side, side))
        band = gan._levels[level].average(torch.cat([plain, planes[level - 1].view(4, 1, side, side)], 1))
        picture = (plain + band).clamp(0, 1)
    torch.testing.assert_close(gan.decode(z), picture)
    torch.testing.assert_close(gan.decode(z)[:2], gan.decode(z[:2]))


def test_a_level_learns_from_real_images_one_level_up() -> None:
    """Its discriminator is given the real image, or details on the enlarged real one; and the enlarged one itself."""
    gan, twin = make(), make()
    metrics = gan.update(images())
    real = images() / 255
    below = enlarged(halved(real), (16, 16))
    _, _, plane = torch.split(twin._noise.training(10), [3, 64, 256], 1)
    duel = twin._levels[2]
    fake = below + duel.generator(torch.cat([below, plane.view(10, 1, 16, 16)], 1))
    on_real, on_fake = (duel.discriminator(torch.cat([x, below], 1)).logits for x in (real, fake))
    expected = NON_SATURATING.discriminator_loss(on_real, on_fake)
    torch.testing.assert_close(metrics["level_2/discriminator_loss"], expected.detach())
    losses = [float(metrics[f"level_{i}/loss"]) for i in range(3)]
    assert float(metrics["loss"]) == pytest.approx(sum(losses))


def test_images_must_be_halved_once() -> None:
    assert len(make(Spec((1, 8, 8)))._levels) == 2
    with pytest.raises(UserError) as error:
        make(Spec((1, 7, 9)))
    assert str(error.value) == (
        "generator.name=lapgan halves images until their sides are 4 to 7, but these are 7x9. "
        "Take larger ones, or generator.name=dcgan."
    )


def test_interfaces() -> None:
    gan = make()
    for protocol in (Generator, Previews, Imagines):
        assert isinstance(gan, protocol)
    assert not isinstance(gan, Conditional)
    first = gan.preview(3)
    assert torch.equal(gan.preview(3), first)
    gan.update(images())
    assert not torch.equal(gan.preview(3), first)
