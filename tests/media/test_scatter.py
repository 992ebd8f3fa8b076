"""Scatter plots, histograms, images of samples, and corrupted images."""

import numpy as np
import pytest
import torch

from sandbox.media.corruption import corrupt_pixels, known_half
from sandbox.media.grid import grid
from sandbox.media.histogram import histogram
from sandbox.media.image import image_of_samples
from sandbox.media.scatter import scatter


def test_a_dot_is_where_its_point_is() -> None:
    """x to the right, y upwards; the corners are whole dots."""
    for point, (top, left) in {(0, 0): (477, 0), (1, 1): (0, 477), (0, 1): (0, 0), (0.5, 0.25): (358, 238)}.items():
        image = scatter(np.array([point]))
        assert image.shape == (480, 480, 3)
        lit = np.argwhere(image[:, :, 0] > 24)
        assert (lit.min(0).tolist(), lit.max(0).tolist()) == ([top, left], [top + 2, left + 2])


def test_overlapping_points_are_lighter_and_outer_ones_at_the_edge() -> None:
    one, many = scatter(torch.tensor([[0.5, 0.5]])), scatter(torch.full((30, 2), 0.5))
    assert 24 < one.max() < many.max()
    assert np.array_equal(scatter(torch.tensor([[3.0, -1.0]])), scatter(torch.tensor([[1.0, 0.0]])))
    assert (scatter(torch.zeros(0, 2)) == 24).all()


def test_other_shapes_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"made of points \[N, 2\], not \[4, 3\]"):
        scatter(torch.zeros(4, 3))


def test_bars_are_proportional_to_counts() -> None:
    """The first of 120 bars has two points, the last but one has one, and the last has one from beyond the edge."""
    image = histogram(torch.tensor([[0.0], [0.008], [0.99], [1.5]]))
    assert image.shape == (240, 480, 3)
    heights = (image[:, :, 0] == 255).sum(0)
    assert heights.tolist() == [240] * 4 + [0] * 468 + [120] * 8
    assert (image[-1, -8:] == 255).all()  # bars start at the bottom
    assert (histogram(torch.zeros(0, 1)) == 24).all()
    with pytest.raises(ValueError, match=r"made of points \[N, 1\], not \[4, 2\]"):
        histogram(torch.zeros(4, 2))


def test_points_are_plotted_and_images_arranged_in_a_grid() -> None:
    counts = []

    def points(count: int) -> torch.Tensor:
        counts.append(count)
        return torch.rand(count, 2, generator=torch.Generator().manual_seed(0))

    def images(count: int) -> torch.Tensor:
        counts.append(count)
        return torch.zeros(count, 1, 4, 4)

    assert np.array_equal(image_of_samples(points, (2,)), scatter(points(2_000)))
    assert np.array_equal(image_of_samples(lambda n: points(n)[:, :1], (1,), 50), histogram(points(50)[:, :1]))
    assert np.array_equal(image_of_samples(images, (1, 4, 4), 9), grid(images(9)))
    image_of_samples(images, (1, 4, 4))
    assert counts == [2_000, 2_000, 50, 50, 9, 9, 64]


def test_corruption() -> None:
    """Pixels are corrupted with all their channels, about the expected fraction; the others stay."""
    images, generator = torch.full((50, 3, 10, 10), 0.25), torch.Generator()
    flipped = corrupt_pixels(images, 0.3, "flip", generator.manual_seed(0))
    corrupted = flipped != images
    assert (corrupted == corrupted[:, :1]).all()
    assert abs(corrupted.double().mean() - 0.3) < 0.02
    assert (flipped[corrupted] == 0.75).all()
    blank = corrupt_pixels(images, 0.3, "blank", generator.manual_seed(0))
    assert torch.equal(blank == 0, corrupted)
    assert torch.equal(corrupt_pixels(images, 0.0, "flip", generator), images)


def test_halves_are_hidden() -> None:
    """The middle row and column of an odd size are known."""
    assert known_half((3, 2), "half").tolist() == [[[True, True], [True, True], [False, False]]]
    assert torch.equal(known_half((3, 2), "half"), known_half((3, 2), "bottom"))
    assert known_half((3, 2), "top").tolist() == [[[False, False], [True, True], [True, True]]]
    assert known_half((1, 3), "left").tolist() == [[[False, True, True]]]
    assert known_half((1, 3), "right").tolist() == [[[True, True, False]]]
