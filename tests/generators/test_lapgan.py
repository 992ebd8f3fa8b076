"""LAPGAN: each level adds details to enlarged images, and is trained on enlarged real images."""

from typing import Any

import pytest
import torch
from torch import nn

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.lapgan import LAPGAN, LAPGANConfig
from sandbox.interfaces.capabilities import ClassConditional, HasLatents, HasPreview
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.images import downsample, upsample

SPEC = Spec((1, 16, 16))
CPU = choose("cpu")


def make(spec: Spec = SPEC, **options: Any) -> LAPGAN:
    options = {"backbone": {"name": "strided", "channels": (4,)}, "detail_channels": (4,), "latent_size": 3, **options}
    return LAPGANConfig.model_validate(options).make(spec, Rng(0), CPU, NO_RUNS)


def network(gan: LAPGAN, name: str) -> nn.Module:
    part = gan.parts()[name]
    assert isinstance(part, nn.Module)
    return part


def images() -> torch.Tensor:
    return torch.randint(256, (10, 1, 16, 16), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def test_a_code_has_latents_and_a_plane_of_noise_for_each_larger_level() -> None:
    gan = make()
    assert gan.latents(2).shape == (2, 3 + 8 * 8 + 16 * 16)
    samples = gan.sample(5)
    assert samples.shape == (5, 1, 16, 16)
    assert 0 <= samples.min() <= samples.max() <= 1


def test_samples_go_through_all_levels() -> None:
    gan = make()
    z = gan.latents(4)
    noise, *planes = torch.split(z, [3, 64, 256], 1)
    image = torch.sigmoid(network(gan, "level_0.average")(noise))
    for level, side in ((1, 8), (2, 16)):
        blurred = upsample(image, (side, side))
        average = network(gan, f"level_{level}.average")
        details = average(torch.cat([blurred, planes[level - 1].view(4, 1, side, side)], 1))
        image = (blurred + details).clamp(0, 1)
    torch.testing.assert_close(gan.decode(z), image)
    torch.testing.assert_close(gan.decode(z)[:2], gan.decode(z[:2]))


def test_a_level_learns_from_enlarged_real_images() -> None:
    """The discriminator sees the real image, or the enlarged one with generated details, and the enlarged one alone."""
    gan, twin = make(), make()
    metrics = gan.update(images())
    real = images() / 255
    below = upsample(downsample(real), (16, 16))
    latents = torch.randn(10, 3 + 64 + 256, generator=Rng(0).torch("noise/training", CPU.device))
    _, _, plane = torch.split(latents, [3, 64, 256], 1)
    generator, discriminator = network(twin, "level_2.generator"), network(twin, "level_2.discriminator")
    fake = below + generator(torch.cat([below, plane.view(10, 1, 16, 16)], 1))
    on_real, on_fake = (discriminator(torch.cat([x, below], 1)).logits for x in (real, fake))
    expected = NON_SATURATING.discriminator_loss(on_real, on_fake)
    torch.testing.assert_close(metrics["level_2/discriminator_loss"], expected.detach())
    losses = [float(metrics[f"level_{i}/loss"]) for i in range(3)]
    assert float(metrics["loss"]) == pytest.approx(sum(losses))


def test_images_must_be_halved_once() -> None:
    levels = {name.partition(".")[0] for name in make(Spec((1, 8, 8))).parts()}
    assert levels == {"level_0", "level_1"}
    with pytest.raises(UserError) as error:
        make(Spec((1, 7, 9)))
    assert str(error.value) == (
        "generator.name=lapgan halves images until their sides are 4 to 7, but these are 7x9. "
        "Use larger images, or generator.name=dcgan."
    )


def test_capabilities() -> None:
    gan = make()
    for capability in (HasPreview, HasLatents):
        assert isinstance(gan, capability)
    assert not isinstance(gan, ClassConditional)
    first = gan.preview(3)
    assert torch.equal(gan.preview(3), first)
    gan.update(images())
    assert not torch.equal(gan.preview(3), first)
