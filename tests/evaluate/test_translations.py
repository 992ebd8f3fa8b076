"""Errors of translators and of baselines, on pairs whose errors are known."""

from dataclasses import replace

import pytest
import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.evaluate.translations import evaluate_translation, source_images
from sandbox.interfaces.capabilities import HasCorruption, HasTranslation
from sandbox.interfaces.dataset import DataSet
from sandbox.ops.images import missing_mask, structural_similarity, with_hole

GRAY = torch.randint(256, (6, 1, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
DATA = DataSet(
    torch.full((4, 3, 8, 8), 51, dtype=torch.uint8),
    GRAY.expand(-1, 3, -1, -1),
    train_sources=GRAY[:4],
    test_sources=255 - GRAY,
)
ROWS = torch.tensor([4, 1, 2])


class Inverts(HasTranslation):
    """A translator that returns the right image times 0.9."""

    def translate(self, sources: torch.Tensor) -> torch.Tensor:
        return (1 - sources).expand(-1, 3, -1, -1) * 0.9


class Fills(HasTranslation, HasCorruption):
    """An inpainting model that removes the left column and fills it with white."""

    def corrupt(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        torch.rand(1, generator=generator)
        where = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
        where[..., 0] = True
        return with_hole(images, where)

    def translate(self, sources: torch.Tensor) -> torch.Tensor:
        return torch.where(missing_mask(sources), torch.ones(()), sources)


def test_pairs() -> None:
    found, targets = evaluate_translation(Inverts(), DATA, ROWS, Rng(0)), DATA.test[ROWS] / 255
    errors = 0.1 * targets.mean((1, 2, 3))
    assert found["l1"] == pytest.approx(float(errors.mean()), rel=1e-5)
    assert found["l1_ci95"] == pytest.approx(1.96 * float(errors.std()) / 3**0.5, rel=1e-4)
    assert found["ssim"] == pytest.approx(float(structural_similarity(0.9 * targets, targets).mean()))
    assert found["l1_mean_image"] == pytest.approx(float((targets - 0.2).abs().mean()), rel=1e-5)
    assert found["l1_copy"] == pytest.approx(float((1 - 2 * targets).abs().mean()), rel=1e-5)
    assert found["ssim_copy"] < 0
    assert found.keys() == {"l1", "l1_ci95", "ssim", "l1_mean_image", "ssim_mean_image", "l1_copy", "ssim_copy"}


def test_a_source_of_other_channels_cannot_be_copied() -> None:
    two = replace(DATA, test_sources=GRAY.expand(-1, 2, -1, -1))
    model = Inverts()
    model.translate = lambda sources: torch.zeros(len(sources), 3, 8, 8)  # type: ignore[method-assign]
    assert "l1_copy" not in evaluate_translation(model, two, ROWS, Rng(0))


def test_what_is_missing_is_all_that_counts() -> None:
    found, left = evaluate_translation(Fills(), DATA, ROWS, Rng(0)), (DATA.test[ROWS] / 255)[..., :1]
    rest = (DATA.test[ROWS] / 255)[..., 1:].mean((2, 3), keepdim=True)
    assert found["l1"] == pytest.approx(float((1 - left).mean()), rel=1e-5)
    assert found["l1_mean_image"] == pytest.approx(float((left - 0.2).abs().mean()), rel=1e-5)
    assert found["l1_copy"] == pytest.approx(float((left - 0.5).abs().mean()), rel=1e-5)
    assert found["l1_surrounding"] == pytest.approx(float((left - rest).abs().mean()), rel=1e-5)
    assert 0 < found["l1_blur"] < 1


def test_sources() -> None:
    assert torch.equal(source_images(Inverts(), DATA, ROWS, Rng(0)), (255 - GRAY)[ROWS] / 255)
    with pytest.raises(UserError) as refused:
        source_images(Inverts(), DataSet(GRAY, GRAY), ROWS, Rng(0))
    assert str(refused.value) == (
        "there is nothing to translate: this data set has no source images. Use one that has, e.g. data.name=edges."
    )
