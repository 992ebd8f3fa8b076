"""A target network: the frozen copy of a network that bootstrapped targets are computed with.

Paper: Mnih et al. 2015, "Human-level control through deep reinforcement learning".
"""

import copy
from typing import Any

from torch import nn

from sandbox.core.stateful import TrainingPart


class TargetNetwork(nn.Module, TrainingPart):
    """A copy of a network, without gradients, that takes over its weights at every `period`-th update."""

    def __init__(self, network: nn.Module, period: int) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).requires_grad_(False)
        for module in self.network.modules():
            if isinstance(module, nn.RNNBase):
                module.flatten_parameters()  # cuDNN wants them in one piece, and a copy is not
        self._period, self._updates = period, 0

    def forward(self, *inputs: Any) -> Any:
        """Call the copy."""
        return self.network(*inputs)

    def follow(self, network: nn.Module) -> None:
        """Count an update of `network`, and copy its weights if the period is over."""
        self._updates += 1
        if self._updates % self._period == 0:
            self.network.load_state_dict(network.state_dict())  # in place: CUDA graphs read these tensors

    def get_extra_state(self) -> int:
        """Return the number of updates so far, for `state_dict`."""
        return self._updates

    def set_extra_state(self, state: int) -> None:
        """Restore the number of updates."""
        self._updates = state
