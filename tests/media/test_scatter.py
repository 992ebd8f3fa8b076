"""Pictures of points and of whatever a generator samples; images with spoilt pixels."""

import numpy as np
import pytest
import torch

from sandbox.media.damage import damaged
from sandbox.media.grid import grid
from sandbox.media.histogram import histogram
from sandbox.media.picture import picture_of
from sandbox.media.scatter import scatter


def test_a_dot_is_where_its_point_is() -> None:
    """x to the right, y upwards; the corners are whole dots."""
    for point, (top, left) in {(0, 0): (477, 0), (1, 1): (0, 477), (0, 1): (0, 0), (0.5, 0.25): (358, 238)}.items():
        picture = scatter(np.array([point]))
        assert picture.shape == (480, 480, 3)
        lit = np.argwhere(picture[:, :, 0] > 24)
        assert (lit.min(0).tolist(), lit.max(0).tolist()) == ([top, left], [top + 2, left + 2])


def test_more_points_are_lighter_and_those_outside_are_at_the_edge() -> None:
    one, many = scatter(torch.tensor([[0.5, 0.5]])), scatter(torch.full((30, 2), 0.5))
    assert 24 < one.max() < many.max()
    assert np.array_equal(scatter(torch.tensor([[3.0, -1.0]])), scatter(torch.tensor([[1.0, 0.0]])))
    assert (scatter(torch.zeros(0, 2)) == 24).all()


def test_what_is_no_points() -> None:
    with pytest.raises(ValueError, match=r"made of points \[N, 2\], not \[4, 3\]"):
        scatter(torch.zeros(4, 3))


def test_bars_are_as_high_as_points_are_many() -> None:
    """120 bars of 4 pixels: two points in the first, one in the last but one, one beyond the right edge in the last."""
    picture = histogram(torch.tensor([[0.0], [0.008], [0.99], [1.5]]))
    assert picture.shape == (240, 480, 3)
    heights = (picture[:, :, 0] == 255).sum(0)
    assert heights.tolist() == [240] * 4 + [0] * 468 + [120] * 8
    assert (picture[-1, -8:] == 255).all()  # they stand on the ground
    assert (histogram(torch.zeros(0, 1)) == 24).all()
    with pytest.raises(ValueError, match=r"made of points \[N, 1\], not \[4, 2\]"):
        histogram(torch.zeros(4, 2))


def test_points_are_scattered_and_images_stand_in_a_grid() -> None:
    asked = []

    def points(count: int) -> torch.Tensor:
        asked.append(count)
        return torch.rand(count, 2, generator=torch.Generator().manual_seed(0))

    def images(count: int) -> torch.Tensor:
        asked.append(count)
        return torch.zeros(count, 1, 4, 4)

    assert np.array_equal(picture_of(points, (2,)), scatter(points(2_000)))
    assert np.array_equal(picture_of(lambda n: points(n)[:, :1], (1,), 50), histogram(points(50)[:, :1]))
    assert np.array_equal(picture_of(images, (1, 4, 4), 9), grid(images(9)))
    picture_of(images, (1, 4, 4))
    assert asked == [2_000, 2_000, 50, 50, 9, 9, 64]


def test_damage() -> None:
    """A whole pixel at a time, about as many as were asked for; what is not spoilt stays."""
    images, draws = torch.full((50, 3, 10, 10), 0.25), torch.Generator()
    flipped = damaged(images, 0.3, "flip", draws.manual_seed(0))
    spoilt = flipped != images
    assert (spoilt == spoilt[:, :1]).all()
    assert abs(spoilt.double().mean() - 0.3) < 0.02
    assert (flipped[spoilt] == 0.75).all()
    blank = damaged(images, 0.3, "blank", draws.manual_seed(0))
    assert torch.equal(blank == 0, spoilt)
    assert torch.equal(damaged(images, 0.0, "flip", draws), images)
