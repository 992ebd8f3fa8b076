"""Networks from images to images: any size, what they look at, and what noise does."""

import pytest
import torch

from sandbox.core.errors import UserError
from sandbox.generators._adversarial.patch_discriminator import PatchDiscriminator
from sandbox.networks.patches import Patches
from sandbox.networks.translator import Translator
from sandbox.networks.unet import UNet, dropout


def drawn(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def noise(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("side", [(8, 8), (21, 30), (28, 28), (42, 42), (84, 84)])
def test_sizes(side: tuple[int, int]) -> None:
    """Bytes and floats are the same images; odd sides come back whole."""
    x = (drawn(2, 1, *side) * 255).to(torch.uint8)
    unet, translator = UNet((1, *side), 3, (4, 8, 8), 0.5), Translator((1, *side), 3, (4, 8, 8), 1)
    assert unet(x, noise()).shape == (2, 3, *side)
    assert translator(x).shape == (2, 3, *side)
    torch.testing.assert_close(unet(x / 255, noise()), unet(x, noise()))
    torch.testing.assert_close(translator(x / 255), translator(x))
    assert Patches((1, *side), (4, 8))(x).shape == (2, 8, side[0] // 4, side[1] // 4)


def test_an_image_is_judged_by_itself() -> None:
    """Instance normalisation: neighbours in the batch do not matter, and nothing is written down."""
    x = drawn(4, 1, 16, 16)
    for network in (Translator((1, 16, 16), 1, (4, 8), 1), Patches((1, 16, 16), (4, 8))):
        torch.testing.assert_close(network(x)[:1], network(x[:1]))
        assert not list(network.buffers())


def test_only_noise_changes_the_output_of_a_u_net() -> None:
    x, unet = drawn(3, 1, 16, 16), UNet((1, 16, 16), 1, (4, 8, 8), 0.5)
    assert torch.equal(unet(x, noise(1)), unet(x, noise(1)))
    assert not torch.equal(unet(x, noise(1)), unet(x, noise(2)))
    sure = UNet((1, 16, 16), 1, (4, 8, 8), 0.0)
    assert torch.equal(sure(x, noise(1)), sure(x, noise(2)))


def test_dropping_keeps_the_mean() -> None:
    found = dropout(torch.ones(10_000), 0.2, noise())
    assert sorted(found.unique().tolist()) == pytest.approx([0.0, 1.25])
    assert abs(found.mean() - 1) < 0.02


def test_a_u_net_sees_each_level() -> None:
    """The lowest level reaches every pixel, and the finest detail goes straight across."""
    torch.manual_seed(0)  # with other weights a gradient may vanish behind a ReLU
    x = drawn(1, 1, 16, 16).requires_grad_()
    (gradients,) = torch.autograd.grad(UNet((1, 16, 16), 1, (4, 8, 8), 0.0)(x, noise())[0, 0, 0, 0], x)
    assert (gradients[0, 0] != 0).all()
    unet = UNet((1, 16, 16), 1, (4, 8, 8), 0.0)
    with torch.no_grad():
        unet.up[0][1].weight[:4] = 0  # the half that comes from below
    changed = x.detach().clone()
    changed[0, 0, 8, 8] += 0.5
    differs = (unet(x, noise()) != unet(changed, noise()))[0, 0].nonzero()
    assert (differs.amin(0) >= 5).all()
    assert (differs.amax(0) <= 10).all()


@pytest.mark.parametrize(("channels", "patch"), [((4,), 4), ((4, 8), 10), ((4, 8, 8), 22), ((4, 8, 8, 8), 46)])
def test_a_patch_is_as_large_as_it_says(channels: tuple[int, ...], patch: int) -> None:
    """Without the normalisation, which sees all places at once."""
    discriminator = PatchDiscriminator((1, 96, 96), channels)
    for i, layer in enumerate(discriminator.patches.layers):
        if isinstance(layer, torch.nn.InstanceNorm2d):
            discriminator.patches.layers[i] = torch.nn.Identity()
    x = drawn(1, 1, 96, 96).requires_grad_()
    logits = discriminator(x).logits
    assert logits.shape == (1, 1, 96 >> len(channels), 96 >> len(channels))
    (gradients,) = torch.autograd.grad(logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2], x)
    seen = gradients[0, 0].nonzero()
    assert (seen.amax(0) - seen.amin(0) + 1).tolist() == [patch, patch]


def test_too_small_for_so_many_halvings() -> None:
    with pytest.raises(UserError) as refused:
        UNet((1, 8, 8), 1, (4, 8, 8, 8), 0.5)
    assert str(refused.value) == (
        "a U-Net that halves 4 times needs images of at least 16x16, but these are 8x8. Give it fewer channels."
    )
    with pytest.raises(UserError, match="a patch discriminator that halves 4 times needs images of at least 16x16"):
        Patches((1, 8, 8), (4, 8, 8, 8))
    with pytest.raises(UserError, match="a ResNet translator that halves 4 times needs images of at least 16x16"):
        Translator((1, 8, 8), 1, (4, 8, 8, 8), 1)
