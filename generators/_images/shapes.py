"""Checks of the shapes of data sets and images."""

import torch

from sandbox.core.errors import UserError
from sandbox.interfaces.spec import Spec


def image_shape(spec: Spec, name: str) -> tuple[int, ...]:
    """Return the shape [C, H, W] of the images that the generator called `name` learns from.

    Raises:
        UserError: If the data are points.
    """
    if len(spec.shape) != 3:
        raise UserError(
            f"generator.name={name} learns from images, but these data are points. Take a set of images, "
            "e.g. data.name=digits, or generator.name=gan, which learns points, too."
        )
    return spec.shape


def source_shape(spec: Spec, name: str) -> tuple[int, ...]:
    """Return the shape [C', H, W] of the source images that the generator called `name` translates.

    Raises:
        UserError: If the data are points, have no source images, or source images of another size than the images.
    """
    _, height, width = image_shape(spec, name)
    if spec.source_shape is None:
        raise UserError(
            f"generator.name={name} translates source images, but these data have none. Take a set that has them, "
            "e.g. data.name=edges (pairs) or data.name=colors (no pairs, for generator.name=cyclegan)."
        )
    if spec.source_shape[1:] != (height, width):
        raise UserError(
            f"generator.name={name} translates between images of one size, but the source images of these data are "
            f"{spec.source_shape[1]}x{spec.source_shape[2]} and their images {height}x{width}. Scale one of them."
        )
    return spec.source_shape


def require_shape(images: torch.Tensor, shape: tuple[int, ...], name: str) -> torch.Tensor:
    """Check the shape of images, and return them unchanged.

    Raises:
        UserError: Unless they are [B, *shape], like the images that the generator called `name` was trained on.
    """
    if tuple(images.shape[1:]) != tuple(shape):
        raise UserError(
            f"this {name} was trained on images [B, {', '.join(map(str, shape))}], but these are "
            f"{list(images.shape)}. Bring them to that shape, or train a generator on images such as these."
        )
    return images
