"""The kernel distance: by hand, without bias, and with an interval that covers."""

import pytest
import torch

from sandbox.ops.sample_quality import kernel_distance, squared_mmd


def test_by_hand() -> None:
    """One feature: the kernel is (x y + 1)^3. x: k(0, 1) = 1; y: k(1, 2) = 27; across: 1, 1, 8, 27."""
    x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [2.0]])
    assert float(squared_mmd(x, y)) == pytest.approx(1 + 27 - 2 * (1 + 1 + 8 + 27) / 4)
    two = torch.tensor([[1.0, 1.0], [0.0, 2.0]])  # (2 / 2 + 1)^3 within: the products are divided by the features
    zero = torch.zeros(2, 2)
    assert float(squared_mmd(two, zero)) == pytest.approx(8 + 1 - 2)


def noise(count: int, seed: int) -> torch.Tensor:
    return torch.randn(count, 4, generator=torch.Generator().manual_seed(seed))


def test_it_has_no_bias_and_its_interval_covers() -> None:
    """Two samples of one distribution: 0 on average, though the sets are small; a biased estimate would have 0.6."""
    found = [kernel_distance(noise(200, seed), noise(200, 1_000 + seed)) for seed in range(100)]
    means = torch.tensor([mean for mean, _ in found])
    assert abs(float(means.mean())) < 2.5 * float(means.std()) / 10
    assert float(means.std()) < 0.5
    assert 85 <= sum(abs(mean) <= half for mean, half in found) <= 99


def test_another_distribution_is_seen_and_the_rest_of_the_blocks_is_left_out() -> None:
    mean, half = kernel_distance(noise(205, 0), noise(205, 1) + 0.5)
    assert mean > half > 0
    assert kernel_distance(noise(205, 0)[:200], noise(205, 1)[:200] + 0.5) == (mean, half)


@pytest.mark.parametrize(("count", "blocks"), [(200, 10), (10_000, 10), (10_010, 11)])
def test_blocks_have_at_most_a_thousand_rows(count: int, blocks: int) -> None:
    x, y = noise(count, 0)[:, :1], noise(count, 1)[:, :1] + 0.3
    size = count // blocks
    parts = [slice(i * size, (i + 1) * size) for i in range(blocks)]
    expected = torch.stack([squared_mmd(x[part].double(), y[part].double()) for part in parts])
    mean, half = kernel_distance(x, y)
    assert mean == pytest.approx(float(expected.mean()))
    assert half == pytest.approx(1.96 * float(expected.std()) / blocks**0.5)
