"""Pyramids of images: their levels, and the way down and up."""

import torch

from sandbox.ops.images import downsample, pyramid_sizes, upsample


def test_levels_by_hand() -> None:
    assert pyramid_sizes((1, 28, 28)) == [(28, 28), (14, 14), (7, 7)]
    assert pyramid_sizes((1, 9, 13)) == [(9, 13), (4, 6)]
    assert pyramid_sizes((1, 7, 7)) == [(7, 7)]


def test_halved_pixels_are_means_of_four() -> None:
    image = torch.tensor([[1.0, 3.0], [5.0, 7.0]]).view(1, 1, 2, 2)
    assert downsample(image).tolist() == [[[[4.0]]]]


def test_between_pixels_is_a_line() -> None:
    """Centres of the four lie at 1/4 and 3/4 of the old pixels: 0.25 and 0.75 of the way between them."""
    wide = upsample(torch.tensor([0.0, 4.0]).view(1, 1, 1, 2), (1, 4))
    assert wide.flatten().tolist() == [0.0, 1.0, 3.0, 4.0]
