"""Errors of image-to-image translation on test pairs, next to those of baselines that need no training."""

import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.evaluate.figures import Result, mean_and_interval
from sandbox.interfaces.capabilities import HasCorruption, HasTranslation
from sandbox.interfaces.dataset import DataSet
from sandbox.networks.inputs import as_float
from sandbox.ops.images import fill_smoothly, fill_with_mean, missing_mask, structural_similarity

_BATCH_SIZE = 100


def source_images(generator: HasTranslation, data: DataSet, rows: torch.Tensor, rng: Rng) -> torch.Tensor:
    """Return the source images of some test images.

    They come from the data set, or from the generator if it corrupts images itself: the same way for the same seed.

    Args:
        generator: The generator that is to translate them.
        data: The data set.
        rows: Rows of test images, [B].
        rng: Random streams.

    Returns:
        Source images [B, C', H, W], floats in [0, 1].

    Raises:
        UserError: If there are none.
    """
    if isinstance(generator, HasCorruption):
        corruption = torch.Generator().manual_seed(rng.integer("evaluate/damage"))
        return generator.corrupt(as_float(data.test[rows]), corruption).cpu()
    if data.test_sources is None:
        raise UserError(
            "there is nothing to translate: this data set has no source images. Use one that has, e.g. data.name=edges."
        )
    return as_float(data.test_sources[rows])


def evaluate_translation(generator: HasTranslation, data: DataSet, rows: torch.Tensor, rng: Rng) -> Result:
    """Compare translations of source images with their test images.

    Args:
        generator: The generator.
        data: The data set.
        rows: Rows of test pairs, [B].
        rng: Random streams.

    Returns:
        `l1`: mean absolute error per pixel, over the missing pixels only if there are any; `l1_ci95`, half its 95 %
        confidence interval over images; `ssim`: structural similarity of the whole images, at most 1. Both also for
        these baselines, as `l1_<baseline>` and `ssim_<baseline>`.

        * `mean_image`: the mean training image.
        * `copy`: the source image itself, if the number of channels allows it.
        * `surrounding`: the mean of the known pixels, if pixels are missing.
        * `blur`: a smooth continuation of the known pixels, if pixels are missing.
    """
    sources = source_images(generator, data, rows, rng)
    targets = as_float(data.test[rows])
    translations = torch.cat([generator.translate(part).cpu() for part in torch.split(sources, _BATCH_SIZE)])
    mean = data.mean().expand_as(targets)
    mask = torch.ones_like(targets[:, :1], dtype=torch.bool)
    baselines = {"mean_image": mean}
    if sources.shape[1] in (1, targets.shape[1]):
        baselines["copy"] = sources.expand_as(targets)
    if isinstance(generator, HasCorruption):
        mask = missing_mask(sources)
        baselines["mean_image"] = torch.where(mask, mean, sources)
        baselines["surrounding"] = fill_with_mean(sources)
        baselines["blur"] = fill_smoothly(sources)
    errors = _absolute_error(translations, targets, mask)
    result = mean_and_interval("l1", errors.double().numpy())
    result["ssim"] = float(structural_similarity(translations, targets).mean())
    for name, images in baselines.items():
        result[f"l1_{name}"] = float(_absolute_error(images, targets, mask).mean())
        result[f"ssim_{name}"] = float(structural_similarity(images, targets).mean())
    return result


def _absolute_error(images: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return each image's mean absolute error over the pixels of `mask` [B, 1, H, W], [B]."""
    errors = (images - targets).abs().double() * mask
    return errors.flatten(1).sum(1) / (mask.flatten(1).sum(1) * targets.shape[1]).clamp(min=1)
