"""Walks through the latent space of a model whose codes are its pixels."""

import torch

from sandbox.evaluate.latent_walks import (
    along_codes,
    along_latents,
    between_images,
    between_latents,
    evenly_spaced,
    per_class,
    slerp,
)
from sandbox.interfaces.capabilities import HasEncoder, HasLatentCodes, HasLatents


class Pixels(HasEncoder):
    """A model of two pixels whose two latents are twice the pixels."""

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


def test_evenly_spaced_takes_the_ends_and_between() -> None:
    assert evenly_spaced(torch.arange(10), 4).tolist() == [0, 3, 6, 9]
    assert evenly_spaced(torch.arange(3), 10).tolist() == [0, 1, 2]


class Turned(HasLatents, HasLatentCodes):
    """A generator of two classes in turn: the first pixel is the first latent, the second pixel is row mod 2."""

    def latents(self, count: int) -> torch.Tensor:
        return torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0], [0.0, 3.0]])[:count]

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        kinds = torch.arange(len(codes)) % 2
        return torch.stack([codes[:, 0], kinds], 1).view(-1, 1, 1, 2)

    def num_classes(self) -> int:
        return 2

    def num_codes(self) -> int:
        return 2

    def sample_of(self, labels: torch.Tensor) -> torch.Tensor:
        return labels.float().view(-1, 1, 1, 1)

    def steer(self, labels: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        return torch.cat([labels[:, None], codes], 1).view(-1, 1, 1, 3)


def test_between_latents_on_the_sphere() -> None:
    """Between latents 90 degrees apart, the middle is at 45 degrees with the same length; walks keep their class."""
    walks = between_latents(Turned(), 2, steps=3)
    half = 0.5**0.5
    expected = torch.tensor([[[1.0, 0.0], [half, 0.0], [0.0, 0.0]], [[3.0, 1.0], [3 * half, 1.0], [0.0, 1.0]]])
    torch.testing.assert_close(walks[:, :, 0, 0], expected)
    same = torch.tensor([[2.0, 0.0]])
    torch.testing.assert_close(slerp(same, same, 0.3), same)


def test_a_row_a_class() -> None:
    assert per_class(Turned(), 3).flatten(1).tolist() == [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]


def test_codes_vary_one_by_one() -> None:
    """Rows: the first code in class 0 and class 1, then the second; pixels are the class and both codes."""
    walks = along_codes(Turned(), steps=3)
    assert walks.shape == (4, 3, 1, 1, 3)
    assert walks[:, :, 0, 0, 0].tolist() == [[0.0] * 3, [1.0] * 3, [0.0] * 3, [1.0] * 3]
    assert walks[:, :, 0, 0, 1].tolist() == [[-1.0, 0.0, 1.0]] * 2 + [[0.0] * 3] * 2
    assert walks[:, :, 0, 0, 2].tolist() == [[0.0] * 3] * 2 + [[-1.0, 0.0, 1.0]] * 2
