"""Checks of the shapes of images that a generator is given."""

import torch

from sandbox.core.errors import UserError
from sandbox.interfaces.spec import Spec


def image_shape(spec: Spec, name: str) -> tuple[int, ...]:
    """[C, H, W] of what the generator called `name` is to learn from.

    Raises:
        UserError: if that is points.
    """
    if len(spec.shape) != 3:
        raise UserError(
            f"generator.name={name} learns from images, but these data are points. Take a set of images, "
            "e.g. data.name=digits, or generator.name=gan, which learns points, too."
        )
    return spec.shape


def source_shape(spec: Spec, name: str) -> tuple[int, ...]:
    """[C', H, W] of what the generator called `name` is to translate from.

    Raises:
        UserError: if the data are points, if they have no sources, or sources of another size than their images.
    """
    _, height, width = image_shape(spec, name)
    if spec.source_shape is None:
        raise UserError(
            f"generator.name={name} translates sources to images, but these data have images only. Take a set with "
            "both, e.g. data.name=edges (pairs) or data.name=colors (no pairs, for generator.name=cyclegan)."
        )
    if spec.source_shape[1:] != (height, width):
        raise UserError(
            f"generator.name={name} translates between images of one size, but the sources of these data are "
            f"{spec.source_shape[1]}x{spec.source_shape[2]} and their images {height}x{width}. Scale one of them."
        )
    return spec.source_shape


def fitting(images: torch.Tensor, shape: tuple[int, ...], name: str) -> torch.Tensor:
    """The same images.

    Raises:
        UserError: unless they are [B, *shape], which is what the generator called `name` has learnt from.
    """
    if images.dim() != 4 or tuple(images.shape[1:]) != shape:
        raise UserError(
            f"this {name} takes images [B, {', '.join(map(str, shape))}], which it has learnt from, but these are "
            f"{list(images.shape)}. Bring them to that shape, or train one on images such as these."
        )
    return images
