"""What goes into every network."""

import torch


def as_float(x: torch.Tensor) -> torch.Tensor:
    """Bytes become [0, 1]; floats stay as they are. Images [B, C, H, W] come out channels-last, the faster layout."""
    x = x.float() / 255 if x.dtype == torch.uint8 else x.float()
    return x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
