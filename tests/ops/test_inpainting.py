"""Missing pixels, and the two ways to fill them without learning."""

import torch

from sandbox.ops.images import MISSING, fill_smoothly, fill_with_mean, missing_mask, square_masks, with_hole


def test_squares_by_hand() -> None:
    where = square_masks(torch.tensor([[0, 1], [2, 3]]), 2, 4, 5)
    assert where.shape == (2, 1, 4, 5)
    assert where[0, 0].int().tolist() == [[0, 1, 1, 0, 0], [0, 1, 1, 0, 0], [0] * 5, [0] * 5]
    assert where[1, 0].int().tolist() == [[0] * 5, [0] * 5, [0, 0, 0, 1, 1], [0, 0, 0, 1, 1]]


def test_what_is_missing_can_be_told_from_every_byte() -> None:
    grays = (torch.arange(256).to(torch.uint8).float() / 255).view(1, 1, 16, 16)
    assert not missing_mask(grays).any()
    where = square_masks(torch.tensor([[3, 4]]), 5, 16, 16)
    assert torch.equal(missing_mask(with_hole(grays, where)), where)
    two = torch.tensor([0.5, 0.2]).view(1, 2, 1, 1)
    assert not missing_mask(two).any()  # missing is what all channels lack


def test_the_surrounding_mean_is_each_channels_own() -> None:
    image = torch.tensor([[[0.0, 1.0], [0.5, 0.2]], [[0.3, 0.3], [0.5, 0.9]]])[None]
    filled = fill_with_mean(image)
    torch.testing.assert_close(filled[0, :, 1, 0], torch.tensor([0.4, 0.5]))
    known = ~missing_mask(image).expand_as(image)
    assert torch.equal(filled[known], image[known])


def test_a_blur_is_straight_between_its_borders() -> None:
    """A ramp with a gap: what is harmonic between its borders is the ramp itself."""
    ramp = torch.linspace(0, 0.9, 10).expand(1, 1, 7, 10)
    where = square_masks(torch.tensor([[2, 3]]), 3, 7, 10)
    torch.testing.assert_close(fill_smoothly(with_hole(ramp, where)), ramp, atol=1e-4, rtol=0)


def test_where_hardly_anything_is_known() -> None:
    """One known pixel fills the image; where none is known, it is black."""
    sources = torch.full((2, 1, 3, 3), MISSING)
    sources[0, 0, 1, 1] = 0.25
    assert fill_with_mean(sources).flatten(1).tolist() == [[0.25] * 9, [0.0] * 9]
    assert fill_smoothly(sources, 3).flatten(1).tolist() == [[0.25] * 9, [0.0] * 9]
