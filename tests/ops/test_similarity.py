"""SSIM against its definition, written out for one place."""

import math

import pytest
import torch

from sandbox.ops.images import structural_similarity


def test_flat_images_by_hand() -> None:
    """Without variance only the means speak: (2 * 0.2 * 0.6 + 1e-4) / (0.04 + 0.36 + 1e-4)."""
    x, y = torch.full((2, 3, 16, 16), 0.2), torch.full((2, 3, 16, 16), 0.6)
    torch.testing.assert_close(
        structural_similarity(x, y), torch.full((2,), 0.2401 / 0.4001, dtype=torch.float64), rtol=1e-6, atol=0
    )


@pytest.mark.parametrize("side", [3, 5, 11])
def test_one_window_by_hand(side: int) -> None:
    """As many pixels as the window: weights e^(-r^2 / 4.5) around the middle, means, variances and covariance."""
    draws = torch.Generator().manual_seed(side)
    a = torch.rand(side * side, generator=draws, dtype=torch.float64).tolist()
    b = [0.7 * value + 0.3 * float(torch.rand(1, generator=draws)) for value in a]
    middle = (side - 1) / 2
    raw = [math.exp(-((i // side - middle) ** 2 + (i % side - middle) ** 2) / 4.5) for i in range(side * side)]
    w = [value / sum(raw) for value in raw]
    ma, mb = (sum(p * q for p, q in zip(w, x, strict=True)) for x in (a, b))
    va, vb = (sum(p * (q - m) ** 2 for p, q in zip(w, x, strict=True)) for x, m in ((a, ma), (b, mb)))
    cov = sum(p * (q - ma) * (r - mb) for p, q, r in zip(w, a, b, strict=True))
    expected = (2 * ma * mb + 1e-4) * (2 * cov + 9e-4) / ((ma**2 + mb**2 + 1e-4) * (va + vb + 9e-4))
    found = structural_similarity(torch.tensor(a).view(1, 1, side, side), torch.tensor(b).view(1, 1, side, side))
    assert float(found) == pytest.approx(expected, rel=1e-5)
    assert 0.5 < expected < 0.99


def test_windows_lie_wholly_in_the_image_and_are_averaged() -> None:
    """11 x 12 pixels hold two windows; each is as wide as the whole of 11 x 11 pixels."""
    x, y = torch.rand(2, 1, 2, 11, 12, generator=torch.Generator().manual_seed(0)).unbind(0)
    parts = [structural_similarity(x[..., i : i + 11], y[..., i : i + 11]) for i in (0, 1)]
    torch.testing.assert_close(structural_similarity(x, y), (parts[0] + parts[1]) / 2)


def test_the_same_is_one_and_the_opposite_is_negative() -> None:
    x = (torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    torch.testing.assert_close(structural_similarity(x, x), torch.ones(3, dtype=torch.float64))
    assert (structural_similarity(x, 1 - x) < -0.7).all()
    torch.testing.assert_close(structural_similarity(x, 0.7 * x), structural_similarity(0.7 * x, x))
    assert structural_similarity(torch.zeros(1, 1, 1, 5), torch.zeros(1, 1, 1, 5)).tolist() == [1.0]
