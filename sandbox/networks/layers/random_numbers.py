"""Random numbers inside of networks, such as those of dropout.

Method: Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3", with the mixing function of SplitMix64
    (Steele, Lea & Flood 2014).
"""

import torch
from torch import nn

from sandbox.core.cuda_graph import is_warm_up

_STRIDE, _FIRST, _SECOND = -0x61C8864680B583EB, -0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15  # of SplitMix64, signed


class RandomNumbers(nn.Module):
    """A stream of uniform numbers that are a function of a seed, a count and their place in the tensor.

    The seed comes from PyTorch's global generator. Both are buffers, so a stream is saved, copied and moved with its
    network, and a CUDA graph can draw from it.
    """

    seed: torch.Tensor
    count: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seed", torch.randint(2**62, ()))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def draw(self, *shape: int) -> torch.Tensor:
        """Draw a tensor of this shape, uniform in [0, 1), with 24 bits each."""
        start = _mixed(self.seed + self.count * _STRIDE)
        self.count.add_(not is_warm_up())
        places = torch.arange(1, torch.Size(shape).numel() + 1, device=self.seed.device)
        bits = _shifted(_mixed(start + places * _STRIDE), 40)
        return bits.float().mul_(2.0**-24).view(shape)


def _mixed(x: torch.Tensor) -> torch.Tensor:
    """Return 64 bits of which each depends on all bits of x."""
    x = (x ^ _shifted(x, 30)) * _FIRST
    x = (x ^ _shifted(x, 27)) * _SECOND
    return x ^ _shifted(x, 31)


def _shifted(x: torch.Tensor, places: int) -> torch.Tensor:
    """Shift the bits of x to the right, and zeros into their place."""
    return (x >> places) & ((1 << (64 - places)) - 1)
