"""A check that images are black and white, for models of binary pixels."""

import torch

from sandbox.core.errors import UserError


def require_binary(images: torch.Tensor, model: str, alternative: str = "") -> None:
    """Check that every pixel is 0 or 1; this waits for the device.

    Args:
        images: Floats of any shape.
        model: Beginning of the message, with the reason: "generator.name=rbm has binary units".
        alternative: End of the message, with an alternative to `data.binarize`.

    Raises:
        UserError: If a value is neither 0 nor 1.
    """
    if not bool(((images == 0) | (images == 1)).all()):
        raise UserError(
            f"{model}, but these images are gray. Add data.binarize=threshold (black and white) or "
            f"data.binarize=sample (each gray value is a probability){alternative}."
        )
