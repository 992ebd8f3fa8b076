"""What models of black and white say of grey images."""

import torch

from sandbox.core.errors import UserError


def refuse_grey(images: torch.Tensor, because: str, otherwise: str = "") -> None:
    """Look at every value, which waits for the device.

    Args:
        images: floats, any shape.
        because: who knows black and white only, such as "generator.name=rbm has binary units".
        otherwise: what would help besides `data.binarize`.

    Raises:
        UserError: if a value is neither 0 nor 1.
    """
    if not bool(((images == 0) | (images == 1)).all()):
        raise UserError(
            f"{because}, but these images are grey. Add data.binarize=threshold (black and white) or "
            f"data.binarize=sample (each grey is a probability){otherwise}."
        )
