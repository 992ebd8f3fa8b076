"""What a translator is worth: how near it comes to the truth of test pairs, beside guesses that need no learning."""

import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.generator import Damages, Translates
from sandbox.networks.inputs import as_float
from sandbox.ops.images import blurred, missing, structural_similarity, surrounding_mean
from sandbox.ops.statistics import half_interval

_BATCH = 100


def sources_of(generator: Translates, data: DataSet, chosen: torch.Tensor, rng: Rng) -> torch.Tensor:
    """What the test images in rows `chosen` [B] are to be translated from, floats in [0, 1], [B, C', H, W].

    Those of the data set, or the images as the generator damages them, always the same way with the same seed.

    Raises:
        UserError: if there are none.
    """
    if isinstance(generator, Damages):
        draws = torch.Generator().manual_seed(rng.integer("evaluate/damage"))
        return generator.damage(as_float(data.test[chosen]), draws).cpu()
    if data.test_sources is None:
        raise UserError(
            "there is nothing to translate: these data have images only. Take a set with sources, e.g. data.name=edges."
        )
    return as_float(data.test_sources[chosen])


def translated(generator: Translates, data: DataSet, chosen: torch.Tensor, rng: Rng) -> dict[str, float]:
    """Scores on the test pairs in rows `chosen` [B].

    Returns:
        `l1`: mean absolute error a pixel, of the missing ones only where something is missing, and its `_ci95` (half
        the interval, over images); `ssim`: structural similarity of the whole images, 1 is the same; and both of the
        guesses: `_mean_image`, that of the training set; `_copy`, the source as it is, if its channels allow it; where
        something is missing, `_surrounding`, the mean of what is known, and `_blur`, smooth between the borders.
    """
    sources, truth = sources_of(generator, data, chosen, rng), as_float(data.test[chosen])
    found = torch.cat([generator.translate(part).cpu() for part in torch.split(sources, _BATCH)])
    mean = data.mean().expand_as(truth)
    where = torch.ones_like(truth[:, :1], dtype=torch.bool)
    guesses = {"mean_image": mean}
    if sources.shape[1] in (1, truth.shape[1]):
        guesses["copy"] = sources.expand_as(truth)
    if isinstance(generator, Damages):
        where = missing(sources)
        guesses["mean_image"] = torch.where(where, mean, sources)
        guesses["surrounding"] = surrounding_mean(sources)
        guesses["blur"] = blurred(sources)
    errors = _error(found, truth, where)
    result = {
        "l1": float(errors.mean()),
        "l1_ci95": half_interval(errors.double().numpy()),
        "ssim": float(structural_similarity(found, truth).mean()),
    }
    for name, guess in guesses.items():
        result[f"l1_{name}"] = float(_error(guess, truth, where).mean())
        result[f"ssim_{name}"] = float(structural_similarity(guess, truth).mean())
    return result


def _error(images: torch.Tensor, truth: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Mean absolute error of the pixels `where` [B, 1, H, W] says, [B]."""
    errors = (images - truth).abs().double() * where
    return errors.flatten(1).sum(1) / (where.flatten(1).sum(1) * truth.shape[1]).clamp(min=1)
