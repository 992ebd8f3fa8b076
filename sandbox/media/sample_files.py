"""Files of samples: an array, or one image each."""

import os
import secrets
from pathlib import Path

import numpy as np
import torch

from sandbox.core.errors import UserError
from sandbox.media.grid import rgb_image, save_png


def save_samples(place: Path, samples: torch.Tensor, labels: torch.Tensor | None = None) -> None:
    """Write samples to an .npz file, or to a folder with a PNG for each.

    The file has the arrays `samples`, float32 [N, ...] in [0, 1], and `labels`, int64 [N], if there are any. It is
    written whole or not at all.

    Args:
        place: A name that ends in .npz, or a folder, which is made if it is missing.
        samples: Images [N, C, H, W], or points [N, D] for an .npz file.
        labels: The class of each sample.

    Raises:
        UserError: If points are to be written as images, or the folder has images already.
    """
    if place.suffix and place.suffix.lower() != ".npz" and not place.is_dir():
        raise UserError(f"cannot write samples to {place}: name a .png, an .npz, or a folder without a dot in its name")
    if place.suffix.lower() == ".npz":
        array = samples.detach().cpu().float().numpy()
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_name(f".{place.stem}.{secrets.token_hex(8)}.npz")
        try:
            if labels is None:
                np.savez_compressed(partial, samples=array)
            else:
                np.savez_compressed(partial, samples=array, labels=labels.cpu().numpy())
            os.replace(partial, place)
        finally:
            partial.unlink(missing_ok=True)
        return
    if samples.dim() != 4:
        raise UserError(f"points are no images, so they cannot be written to the folder {place}: name an .npz file")
    if place.is_dir() and any(place.glob("*.png")):
        raise UserError(f"{place} has images already: name another folder, or remove them")
    digits = len(str(len(samples) - 1))
    for number, image in enumerate(samples.cpu()):
        name = f"{number:0{digits}d}" if labels is None else f"{number:0{digits}d}_{int(labels[number])}"
        save_png(place / f"{name}.png", rgb_image(image))
