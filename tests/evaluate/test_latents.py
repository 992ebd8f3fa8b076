"""Walks through codes, with a model whose codes are its pixels."""

import torch

from sandbox.evaluate.latents import along_latents, between_images, spread


class Pixels:
    """Two pixels, two latents: twice the pixels."""

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        return 2 * images.flatten(1)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        return (codes / 2).view(-1, 1, 1, 2)


IMAGES = torch.tensor([[0.4, 0.2], [0.6, 0.8], [0.4, 0.8], [0.6, 0.2]]).view(4, 1, 1, 2)


def test_along_the_latents_that_differ_most() -> None:
    """Means 0.5 and 0.5, deviations 0.1 and 0.3: the second pixel comes first."""
    walks = along_latents(Pixels(), IMAGES, count=2, steps=3)
    assert walks.shape == (2, 3, 1, 1, 2)
    expected = torch.tensor([[[0.5, -0.4], [0.5, 0.5], [0.5, 1.4]], [[0.2, 0.5], [0.5, 0.5], [0.8, 0.5]]])
    torch.testing.assert_close(walks[:, :, 0, 0], expected)
    torch.testing.assert_close(along_latents(Pixels(), IMAGES, count=1, steps=3), walks[:1])
    assert len(along_latents(Pixels(), IMAGES, count=9, steps=3)) == 2


def test_between_the_images_of_a_pair() -> None:
    walks = between_images(Pixels(), IMAGES, steps=3)
    expected = torch.tensor([[[0.4, 0.2], [0.5, 0.5], [0.6, 0.8]], [[0.4, 0.8], [0.5, 0.5], [0.6, 0.2]]])
    torch.testing.assert_close(walks[:, :, 0, 0], expected)


def test_spread_takes_the_ends_and_between() -> None:
    assert spread(torch.arange(10), 4).tolist() == [0, 3, 6, 9]
    assert spread(torch.arange(3), 10).tolist() == [0, 1, 2]
