"""Discriminative fine-tuning: a stack of sigmoid layers, pretrained without labels, as the start of a classifier.

Papers: Hinton & Salakhutdinov 2006, "Reducing the Dimensionality of Data with Neural Networks"; Srivastava, Hinton,
Krizhevsky, Sutskever & Salakhutdinov 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting".
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from sandbox.config.base import Config
from sandbox.config.numbers import Positive
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import in_fp32
from sandbox.ops.belief import SigmoidLayer
from sandbox.ops.units import sample_bernoulli_16_bits
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer


class SoftmaxConfig(Config):
    """Options of the softmax classifier: dropout, max-norm regularization and the optimizer."""

    input_dropout: float = Field(0.0, ge=0, lt=1, description="fraction of the pixels that is dropped")
    hidden_dropout: float = Field(0.0, ge=0, lt=1, description="fraction of the hidden units that is dropped")
    max_norm: Positive | None = Field(
        None, description="largest norm of the weights into a hidden unit; null: no limit"
    )
    optimizer: AnyOptimizer = Field(Adam(), description="optimizer of the cross-entropy")


class SoftmaxNetwork(nn.Module):
    """Sigmoid layers and a linear layer to the classes."""

    def __init__(self, sizes: Sequence[int], classes: int) -> None:
        super().__init__()
        self.hidden = nn.ModuleList(nn.Linear(below, above) for below, above in pairwise(sizes))
        self.classes = nn.Linear(sizes[-1], classes)
        nn.init.zeros_(self.classes.weight)
        nn.init.zeros_(self.classes.bias)

    def forward(self, x: torch.Tensor, masks: Sequence[torch.Tensor] = ()) -> torch.Tensor:
        """Return logits [B, K] of pixels [B, V].

        Args:
            x: The pixels.
            masks: Dropout factors for each unit of the pixels and of each hidden layer; empty without dropout.
        """
        x = x * masks[0] if masks else x
        for number, layer in enumerate(self.hidden, 1):
            x = torch.sigmoid(layer(x))
            x = x * masks[number] if masks else x
        return in_fp32(self.classes, x)


class SoftmaxClassifier:
    """A classifier network with its optimizer; pixels are [B, V] floats in [0, 1]."""

    def __init__(
        self, config: SoftmaxConfig, sizes: Sequence[int], classes: int, rng: Rng, name: str, compute: Compute
    ) -> None:
        """Build the network.

        Args:
            config: Its options.
            sizes: V and the sizes of the hidden layers.
            classes: Number of classes, K.
            rng: The run's random streams.
            name: Prefix of its random streams.
            compute: Device and precision.
        """
        self._config, self._sizes, self._compute = config, sizes, compute
        with rng.initializing(name):
            self._network = SoftmaxNetwork(sizes, classes).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._generator = rng.torch(f"{name}/dropout", compute.device)

    @torch.no_grad()
    def start_from(self, layers: Sequence[SigmoidLayer]) -> None:
        """Copy the hidden layers' weights and biases from a pretrained stack, lowest first."""
        for hidden, pretrained in zip(self._network.hidden, layers, strict=True):
            hidden.get_parameter("weight").copy_(pretrained.weight.T)
            hidden.get_parameter("bias").copy_(pretrained.bias)

    def update(self, x: torch.Tensor, labels: torch.Tensor) -> Metrics:
        """Take one step on labeled pixels.

        Returns:
            `loss`: the cross-entropy, nats; `training_error`: the fraction of wrong classes, with dropout.
        """
        masks = self._dropout_masks(len(x))
        with self._compute.autocast():
            logits = self._network(x, masks)
        loss = F.cross_entropy(logits, labels)
        self._optimizer.minimize(loss)
        self._limit_norms()
        wrong = (logits.detach().argmax(1) != labels).float().mean()
        return {"loss": loss.detach(), "training_error": wrong}

    @torch.no_grad()
    def classify(self, x: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the classes [B, K], without dropout."""
        with self._compute.autocast():
            return self._network(x).softmax(1)

    def parts(self) -> dict[str, Stateful]:
        return {"network": self._network, "optimizer": self._optimizer}

    def _dropout_masks(self, count: int) -> list[torch.Tensor]:
        """Return 0 for dropped units and 1 / (1 - fraction) for the others, for each layer but the classes."""
        config = self._config
        if not (config.input_dropout or config.hidden_dropout):
            return []
        dtype = torch.bfloat16 if self._compute.bf16 else torch.float32
        fractions = [config.input_dropout] + [config.hidden_dropout] * (len(self._sizes) - 1)
        masks = []
        for fraction, size in zip(fractions, self._sizes, strict=True):
            kept = torch.full((count, size), 1 - fraction, device=self._compute.device)
            masks.append(sample_bernoulli_16_bits(kept, self._generator, dtype).div_(1 - fraction))
        return masks

    @torch.no_grad()
    def _limit_norms(self) -> None:
        """Scale the weights into a hidden unit back to `max_norm` if they are longer."""
        if self._config.max_norm is None:
            return
        for layer in self._network.hidden:
            weight = layer.get_parameter("weight")
            norms = torch.linalg.vector_norm(weight, dim=1, keepdim=True)
            weight.mul_((self._config.max_norm / norms).clamp_(max=1.0))


def require_classes(spec: Spec, option: str, off: str) -> int:
    """Return the number of classes of the data.

    Args:
        spec: Shapes of the data.
        option: Option of the generator that learns classes.
        off: Its value that learns none.

    Raises:
        UserError: If there are no labels.
    """
    if not spec.num_classes:
        raise UserError(
            f"generator.{option} learns classes, but the data set has no labels. Set generator.{option}={off}, or "
            "choose data that have some, e.g. data.name=digits or data.name=mnist."
        )
    return spec.num_classes
