"""A moving average of a network's weights."""

import copy

import torch
from torch import nn


class WeightAverage:
    """An exponential moving average of the weights and buffers of a network.

    Paper: Yazici et al. 2019, "The Unusual Effectiveness of Averaging in GAN Training".
    Deviation: the decay begins at 0.1 and grows with the number of updates, so that the average does not lag behind in
        a short training (as TensorFlow's `ExponentialMovingAverage` does it).

    Attributes:
        network: A copy of the network with the averaged weights, in evaluation mode and without gradients.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        """Begin with the weights that `network` has now; `decay` is in [0, 1), and is reached after warming up."""
        self._source, self._decay = network, decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, earlier: int) -> None:
        """Set the average to decay * average + (1 - decay) * weights; integer buffers are copied.

        Args:
            earlier: Number t of earlier updates; the decay is at most (1 + t) / (10 + t).
        """
        decay = min(self._decay, (1 + earlier) / (10 + earlier))
        pairs = list(zip(self.network.state_dict().values(), self._source.state_dict().values(), strict=True))
        floats = [(average, current) for average, current in pairs if average.is_floating_point()]
        torch._foreach_lerp_([average for average, _ in floats], [current for _, current in floats], 1 - decay)
        for average, current in pairs:
            if not average.is_floating_point():
                average.copy_(current)
