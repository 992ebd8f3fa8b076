"""The top layer of a deep belief net with label units: a machine on [the units below, the labels].

Paper: Hinton, Osindero & Teh 2006, "A Fast Learning Algorithm for Deep Belief Nets".
"""

from collections.abc import Sequence

import torch
from torch import nn

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.generators._boltzmann.rbm_layer import RBMLayer, RBMTraining
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.units import BERNOULLI, BernoulliAndSoftmax


class LabeledRBMLayer(nn.Module):
    """A restricted Boltzmann machine whose visible side is V units below and one softmax group of K label units.

    The weights of the V units are also those of a linear layer, V -> H, of a backbone, to which `write` copies them.
    """

    def __init__(
        self, coupled: nn.Linear, num_labels: int, training: RBMTraining, rng: Rng, name: str, compute: Compute
    ) -> None:
        """Initialize the machine and the linear layer.

        Args:
            coupled: The linear layer V -> H, on the device; its owner saves it.
            num_labels: Number of label units, K.
            training: Options of the machine's training.
            rng: The run's random streams.
            name: Prefix of its random streams.
            compute: Device and precision.
        """
        super().__init__()
        self._coupled = (coupled,)  # in a tuple, since its owner saves it
        with rng.initializing(f"{name}/joint"):
            self.joint = nn.Linear(coupled.in_features + num_labels, coupled.out_features, device=compute.device)
        self.machine = RBMLayer(self.joint, training, BernoulliAndSoftmax(num_labels), rng, name, compute)
        self.write()

    def rbm(self) -> RBMParameters:
        """Return the weights and biases themselves, not copies."""
        return self.machine.rbm()

    def start(self, v: torch.Tensor) -> None:
        """Take the linear layer's weights, which another run may have set, and the biases of a batch [B, V + K]."""
        (coupled,) = self._coupled
        self.machine.weight[: coupled.in_features].copy_(coupled.weight.T)
        self.machine.hidden_bias.copy_(coupled.bias)
        self.machine.start(v)

    def starting_states(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Return hidden states [count, H] for samples to start from, as `RBMLayer` does."""
        return self.machine.starting_states(count, generator)

    def measure(self, v: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return metrics of a batch [B, V + K], as `RBMLayer` does."""
        return self.machine.measure(v)

    def learn(self, v: torch.Tensor, update: int) -> None:
        """Take one step up the log-likelihood of v [B, V + K], with the rates of update number `update`."""
        self.machine.learn(v, update)
        self.write()

    def ascend(self, gradient: RBMParameters, lr: float) -> None:
        """Take a plain step of size `lr` along a gradient."""
        self.machine.ascend(gradient, lr)
        self.write()

    @torch.no_grad()
    def write(self) -> None:
        """Bring the linear layer up to date."""
        (coupled,) = self._coupled
        coupled.weight.copy_(self.machine.weight[: coupled.in_features].T)
        coupled.bias.copy_(self.machine.hidden_bias)


def rbm_layers(
    coupled: Sequence[nn.Linear], num_labels: int, training: RBMTraining, rng: Rng, name: str, compute: Compute
) -> list[RBMLayer | LabeledRBMLayer]:
    """Return a machine for each linear layer, lowest first; the top one has label units if there are any.

    Args:
        coupled: The linear layers, on the device.
        num_labels: Number of label units, K; may be 0.
        training: Options of the machines' training.
        rng: The run's random streams.
        name: Prefix of the machines' random streams.
        compute: Device and precision.
    """
    layers: list[RBMLayer | LabeledRBMLayer] = []
    for number, linear in enumerate(coupled):
        if num_labels and number == len(coupled) - 1:
            layers.append(LabeledRBMLayer(linear, num_labels, training, rng, f"{name}/{number}", compute))
        else:
            layers.append(RBMLayer(linear, training, BERNOULLI, rng, f"{name}/{number}", compute))
    return layers
