"""A frame stack: the network of an agent without memory sees the last few observations at once."""

import numpy as np
import torch

from sandbox.interfaces.spec import Spec


class FrameStack:
    """The last `count` observations of each environment, joined along their first axis, the oldest first.

    Its recurrent state is the `count - 1` older ones, [N, (count - 1) * C, ...]: zeros at an episode's start. A replay
    builds the same stacks from single observations (`sandbox.buffers.replay.Replay.at`).
    """

    def __init__(self, spec: Spec, count: int, device: torch.device) -> None:
        self._channels, self._device = spec.shape[0], device
        self._state_shape = ((count - 1) * spec.shape[0], *spec.shape[1:])
        self._dtype = torch.uint8 if spec.is_bytes else torch.float32
        self.shape = (count * spec.shape[0], *spec.shape[1:])  # one stack

    def initial_state(self, num_envs: int) -> torch.Tensor:
        """Return the state at an episode's start."""
        return torch.zeros(num_envs, *self._state_shape, dtype=self._dtype, device=self._device)

    def push(self, observations: np.ndarray | torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Append observations [N, C, ...]; return the stacks [N, count * C, ...] and the next state."""
        # A restored state is on the CPU.
        stack = torch.cat([state.to(self._device), torch.as_tensor(observations).to(self._device)], dim=1)
        return stack, stack[:, self._channels :]
