"""Scores of translators and of guesses, on pairs whose errors are known."""

from dataclasses import replace

import pytest
import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.evaluate.translations import sources_of, translated
from sandbox.interfaces.dataset import DataSet
from sandbox.ops.images import missing, structural_similarity, without

GREY = torch.randint(256, (6, 1, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
DATA = DataSet(
    torch.full((4, 3, 8, 8), 51, dtype=torch.uint8),
    GREY.expand(-1, 3, -1, -1),
    train_sources=GREY[:4],
    test_sources=255 - GREY,
)
ROWS = torch.tensor([4, 1, 2])


class Inverts:
    """What the pairs are, but for a tenth."""

    def translate(self, sources: torch.Tensor) -> torch.Tensor:
        return (1 - sources).expand(-1, 3, -1, -1) * 0.9


class Fills:
    """Says white of the left column, which is all that is missing."""

    def damage(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        torch.rand(1, generator=generator)
        where = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
        where[..., 0] = True
        return without(images, where)

    def translate(self, sources: torch.Tensor) -> torch.Tensor:
        return torch.where(missing(sources), torch.ones(()), sources)


def test_pairs() -> None:
    found, truth = translated(Inverts(), DATA, ROWS, Rng(0)), DATA.test[ROWS] / 255
    errors = 0.1 * truth.mean((1, 2, 3))
    assert found["l1"] == pytest.approx(float(errors.mean()), rel=1e-5)
    assert found["l1_ci95"] == pytest.approx(1.96 * float(errors.std()) / 3**0.5, rel=1e-4)
    assert found["ssim"] == pytest.approx(float(structural_similarity(0.9 * truth, truth).mean()))
    assert found["l1_mean_image"] == pytest.approx(float((truth - 0.2).abs().mean()), rel=1e-5)
    assert found["l1_copy"] == pytest.approx(float((1 - 2 * truth).abs().mean()), rel=1e-5)
    assert found["ssim_copy"] < 0
    assert found.keys() == {"l1", "l1_ci95", "ssim", "l1_mean_image", "ssim_mean_image", "l1_copy", "ssim_copy"}


def test_a_source_of_other_channels_cannot_be_copied() -> None:
    two = replace(DATA, test_sources=GREY.expand(-1, 2, -1, -1))
    model = Inverts()
    model.translate = lambda sources: torch.zeros(len(sources), 3, 8, 8)  # type: ignore[method-assign]
    assert "l1_copy" not in translated(model, two, ROWS, Rng(0))


def test_what_is_missing_is_all_that_counts() -> None:
    found, left = translated(Fills(), DATA, ROWS, Rng(0)), (DATA.test[ROWS] / 255)[..., :1]
    rest = (DATA.test[ROWS] / 255)[..., 1:].mean((2, 3), keepdim=True)
    assert found["l1"] == pytest.approx(float((1 - left).mean()), rel=1e-5)
    assert found["l1_mean_image"] == pytest.approx(float((left - 0.2).abs().mean()), rel=1e-5)
    assert found["l1_copy"] == pytest.approx(float((left - 0.5).abs().mean()), rel=1e-5)
    assert found["l1_surrounding"] == pytest.approx(float((left - rest).abs().mean()), rel=1e-5)
    assert 0 < found["l1_blur"] < 1


def test_sources() -> None:
    assert torch.equal(sources_of(Inverts(), DATA, ROWS, Rng(0)), (255 - GREY)[ROWS] / 255)
    with pytest.raises(UserError) as refused:
        sources_of(Inverts(), DataSet(GREY, GREY), ROWS, Rng(0))
    assert str(refused.value) == (
        "there is nothing to translate: these data have images only. Take a set with sources, e.g. data.name=edges."
    )
