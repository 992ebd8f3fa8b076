"""Walks through a generator's codes, and what they look like."""

import torch

from sandbox.generator import Coder


def spread(images: torch.Tensor, count: int) -> torch.Tensor:
    """`count` of the images, evenly spaced: neighbours in a set of frames look alike."""
    return images[torch.linspace(0, len(images) - 1, min(count, len(images))).long()]


def along_latents(coder: Coder, images: torch.Tensor, count: int, steps: int, reach: float = 3.0) -> torch.Tensor:
    """From the images' mean code along one latent at a time: the `count` that differ most from image to image.

    Args:
        coder: what encodes and decodes.
        images: [B, C, H, W]; their codes' means and standard deviations are the measure.
        count: of latents; at most as many as there are.
        steps: images of a walk.
        reach: where walks begin and end, in standard deviations on either side of the mean.

    Returns:
        [latents, steps, C, H, W] in [0, 1].
    """
    codes = coder.encode(images)
    mean, deviation = codes.mean(0), codes.std(0, correction=0)
    chosen = deviation.topk(min(count, len(mean))).indices
    directions = torch.diag(deviation)[chosen]
    offsets = torch.linspace(-reach, reach, steps, device=codes.device)
    return _decoded(coder, mean + offsets[:, None] * directions[:, None])


def between_images(coder: Coder, images: torch.Tensor, steps: int) -> torch.Tensor:
    """On a straight line from the code of each image of a pair to that of the other.

    Args:
        coder: what encodes and decodes.
        images: [2 * pairs, C, H, W]; a pair is two in a row.
        steps: images of a walk; the first and the last are reconstructions.

    Returns:
        [pairs, steps, C, H, W] in [0, 1].
    """
    starts, ends = (coder.encode(half)[:, None] for half in (images[0::2], images[1::2]))
    return _decoded(coder, torch.lerp(starts, ends, torch.linspace(0, 1, steps, device=starts.device)[:, None]))


def _decoded(coder: Coder, codes: torch.Tensor) -> torch.Tensor:
    """[walks, steps, Z] -> [walks, steps, C, H, W]."""
    pictures = coder.decode(codes.flatten(0, 1))
    return pictures.view(*codes.shape[:2], *pictures.shape[1:])
