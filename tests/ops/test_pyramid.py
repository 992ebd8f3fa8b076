"""Laplacian pyramids: what is taken apart is put together again."""

import pytest
import torch

from sandbox.ops.pyramid import bands_of, collapsed, enlarged, halved, sides_of


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 8, 8), (1, 9, 13)])
def test_reconstruction_is_exact(shape: tuple[int, ...]) -> None:
    images = torch.rand(5, *shape, generator=torch.Generator().manual_seed(0))
    levels = len(sides_of(shape))
    bands = bands_of(images, levels)
    assert [tuple(band.shape[2:]) for band in bands] == sides_of(shape)
    torch.testing.assert_close(collapsed(bands), images, rtol=0, atol=1e-6)


def test_levels_by_hand() -> None:
    assert sides_of((1, 28, 28)) == [(28, 28), (14, 14), (7, 7)]
    assert sides_of((1, 9, 13)) == [(9, 13), (4, 6)]
    assert sides_of((1, 7, 7)) == [(7, 7)]


def test_a_band_is_what_the_mean_of_four_pixels_does_not_say() -> None:
    image = torch.tensor([[1.0, 3.0], [5.0, 7.0]]).view(1, 1, 2, 2)
    assert halved(image).tolist() == [[[[4.0]]]]
    band, small = bands_of(image, 2)
    assert small.tolist() == [[[[4.0]]]]
    assert band.flatten().tolist() == [-3.0, -1.0, 1.0, 3.0]


def test_between_pixels_is_a_line() -> None:
    """Centres of the four lie at 1/4 and 3/4 of the old pixels: 0.25 and 0.75 of the way between them."""
    wide = enlarged(torch.tensor([0.0, 4.0]).view(1, 1, 1, 2), (1, 4))
    assert wide.flatten().tolist() == [0.0, 1.0, 3.0, 4.0]
