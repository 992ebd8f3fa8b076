import numpy as np
import pytest
import torch
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.media.grid import grid, save_png, stacked_rows, weights_as_images

B = 96  # the border's gray


def test_two_by_two_by_hand():
    images = np.array([[[[0, 255]]], [[[10, 20]]], [[[30, 40]]]], np.uint8)  # three gray images of 1 x 2 pixels
    result = grid(images, columns=2, scale=1)
    expected = [
        [B, B, B, B, B, B, B],
        [B, 0, 255, B, 10, 20, B],
        [B, B, B, B, B, B, B],
        [B, 30, 40, B, B, B, B],
        [B, B, B, B, B, B, B],
    ]
    assert result.dtype == np.uint8
    for channel in range(3):
        assert result[..., channel].tolist() == expected


def test_floats_are_scaled_and_clipped():
    images = np.array([0.0, 0.5, 1.0, -3.0, 7.0, np.nan, np.inf], np.float32).reshape(1, 1, 1, 7)
    assert grid(images, scale=1)[1, 1:-1, 0].tolist() == [0, 128, 255, 0, 255, 0, 255]


def test_each_pixel_becomes_a_square():
    result = grid(np.array([[[[1, 2]]]], np.uint8), scale=3)
    assert result[..., 0].tolist() == [[B] * 8, *[[B, 1, 1, 1, 2, 2, 2, B]] * 3, [B] * 8]


def test_colors_stay_in_their_channels():
    images = np.zeros((1, 3, 1, 1), np.uint8)
    images[0, :, 0, 0] = 1, 2, 3
    assert grid(images, scale=1)[1, 1].tolist() == [1, 2, 3]


def test_other_channel_counts_are_planes_side_by_side():
    images = np.arange(4, dtype=np.uint8).reshape(1, 4, 1, 1)
    assert grid(images, scale=1)[1, 1:-1, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("side", "scale"), [(8, 6), (28, 2), (84, 1), (200, 1)])
def test_small_images_are_enlarged(side, scale):
    assert grid(np.zeros((1, 1, side, side), np.uint8)).shape == (side * scale + 2, side * scale + 2, 3)


def test_the_default_is_nearly_square():
    assert grid(np.zeros((10, 1, 1, 1), np.uint8), scale=1).shape == (3 * 2 + 1, 4 * 2 + 1, 3)


def test_tensors_of_any_float_type_and_with_gradients():
    images = torch.full((1, 1, 1, 1), 0.5, dtype=torch.bfloat16, requires_grad=True)
    assert grid(images, scale=1)[1, 1, 0] == 128


def test_integers_other_than_bytes_are_an_error():
    with pytest.raises(TypeError, match=r"floats in \[0, 1\] or uint8, not torch.int64"):
        grid(np.ones((1, 1, 2, 2), np.int64))
    with pytest.raises(ValueError, match=r"images \[N, C, H, W\], not \[2, 2\]"):
        grid(np.ones((2, 2), np.uint8))


def test_a_png_holds_the_pixels_and_no_partial_file_is_left(tmp_path):
    result = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    save_png(tmp_path / "samples" / "a.png", result)
    with Image.open(tmp_path / "samples" / "a.png") as image:
        assert np.array_equal(np.asarray(image), result)
    assert [file.name for file in (tmp_path / "samples").iterdir()] == ["a.png"]


def test_a_failed_write_keeps_the_old_file(tmp_path):
    target = tmp_path / "a.png"
    save_png(target, np.zeros((2, 2, 3), np.uint8))
    before = target.read_bytes()
    with pytest.raises(TypeError):
        save_png(target, np.zeros((2, 2, 9), np.uint8))
    assert target.read_bytes() == before


def test_weights_are_balanced_around_gray():
    weights = torch.tensor([[0.0, 2.0, -1.0], [0.0, 0.0, 0.0]]).view(2, 1, 1, 3)
    assert weights_as_images(weights).flatten().tolist() == [0.5, 1.0, 0.25, 0.5, 0.5, 0.5]


def test_rows_are_broken_into_lines_above_each_other():
    above, below = torch.full((3, 1, 48, 48), 0.0), torch.full((3, 1, 48, 48), 1.0)
    result = stacked_rows(above, below, columns=2)
    assert result.shape == (2 * (2 * 49 + 1), 2 * 49 + 1, 3)
    tops = [result[row, [5, 55], 0].tolist() for row in (5, 55, 99 + 5, 99 + 55)]
    assert tops == [[0, 0], [255, 255], [0, B], [255, B]]


def test_three_rows_of_which_one_is_gray():
    gray, red = torch.full((2, 1, 48, 48), 0.2), torch.zeros(2, 3, 48, 48)
    red[:, 0] = 1.0
    result = stacked_rows(gray, red, red / 2)
    assert result.shape == (3 * 49 + 1, 2 * 49 + 1, 3)
    assert [result[row, 60].tolist() for row in (5, 55, 105)] == [[51, 51, 51], [255, 0, 0], [128, 0, 0]]


def test_another_suffix_is_an_error(tmp_path):
    with pytest.raises(UserError) as error:
        save_png(tmp_path / "x.gif", grid(np.zeros((1, 1, 2, 2), np.uint8)))
    assert str(error.value) == f"cannot write a PNG to {tmp_path / 'x.gif'}: name it {tmp_path / 'x.png'}"
    assert list(tmp_path.iterdir()) == []
