"""The first pass upwards of a deep Boltzmann machine, as the layers of a backbone.

In this pass, inputs from below count twice at every layer but the top one, in place of those from above (Salakhutdinov
& Hinton 2009, "Deep Boltzmann Machines"). So the backbone has twice the machine's weights there.
"""

from collections.abc import Sequence

import torch
from torch import nn

from sandbox.generators._boltzmann.rbm_layer import InputScales, RBMLayer
from sandbox.ops import deep_boltzmann
from sandbox.ops.boltzmann import RBMParameters


@torch.no_grad()
def write(backbone: Sequence[nn.Linear], machine: RBMParameters) -> None:
    """Set the layers of the backbone, lowest first, to the first pass of a machine."""
    sizes = (backbone[0].in_features, *(layer.out_features for layer in backbone))
    for number, layer in enumerate(backbone):
        block = machine.weight[deep_boltzmann.weight_block(sizes, number)]
        layer.weight.copy_(block.T if number % 2 == 0 else block)
        layer.bias.copy_(deep_boltzmann.layer_bias(machine, sizes, number + 1))
    for layer in backbone[:-1]:
        layer.weight.mul_(2)


@torch.no_grad()
def start(stack: Sequence[RBMLayer], backbone: Sequence[nn.Linear]) -> None:
    """Begin the machines of a stack with the weights of a backbone, of which this is the first pass."""
    for machine, layer in zip(stack, backbone, strict=True):
        machine.weight.copy_(layer.weight.T)
        machine.hidden_bias.copy_(layer.bias)
    for machine in stack[:-1]:
        machine.weight.div_(2)


def input_scales(number: int, depth: int) -> InputScales:
    """Return the scales of machine `number` of `depth`: inputs count twice at layers that will have two neighbors."""
    return InputScales(hidden=1.0 if number == depth - 1 else 2.0, visible=1.0 if number == 0 else 2.0)
