"""The classifier that a deep Boltzmann machine becomes by discriminative fine-tuning.

Paper: Salakhutdinov & Hinton 2009, "Deep Boltzmann Machines", section 3.3.
"""

from collections.abc import Sequence

import torch
from torch import nn

from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.deep_boltzmann import layer_bias, weight_block


class MeanFieldClassifier(nn.Module):
    """One round of mean field as a feed-forward network, and a linear layer to the classes.

    Each layer sees the layer below and the means that mean field inferred for the layer above.
    """

    def __init__(self, sizes: Sequence[int], num_classes: int) -> None:
        """Build the network for layers of `sizes` units, pixels first."""
        super().__init__()
        self._sizes = tuple(sizes)
        above_sizes = [*sizes[2:], 0]
        self.layers = nn.ModuleList(
            nn.Linear(below + above, size)
            for below, size, above in zip(sizes[:-1], sizes[1:], above_sizes, strict=True)
        )
        self.classes = nn.Linear(sizes[-1], num_classes)

    def start_from(self, machine: RBMParameters) -> None:
        """Copy the weights and biases of the deep machine, so that the first output is a round of mean field."""
        last = len(self.layers)
        for number, layer in enumerate(self.layers, 1):
            blocks = [machine.weight[weight_block(self._sizes, i)] for i in (number - 1, number) if i < last]
            inward = blocks if number % 2 == 0 else [block.T for block in blocks]  # [this layer, neighbor]
            bias = layer_bias(machine, self._sizes, number)
            layer.load_state_dict({"weight": torch.cat(inward, 1), "bias": bias})

    def hidden_means(self, v: torch.Tensor, inferred: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Return the output of every hidden layer [B, H], lowest first; arguments as for `forward`."""
        outputs: list[torch.Tensor] = []
        for layer, above in zip(self.layers, [*inferred[1:], v[:, :0]], strict=True):
            below = outputs[-1] if outputs else v
            outputs.append(torch.sigmoid(layer(torch.cat([below, above], 1))))
        return outputs

    def forward(self, v: torch.Tensor, inferred: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return logits [B, K] of pixels [B, V], given the inferred means of each hidden layer, [B, H] each."""
        return self.classes(self.hidden_means(v, inferred)[-1])
