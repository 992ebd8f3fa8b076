"""Fine-tuning for classes: a stack of sigmoid layers, learnt without labels, as the start of a perceptron.

Papers: Hinton & Salakhutdinov 2006, "Reducing the Dimensionality of Data with Neural Networks"; Srivastava, Hinton,
Krizhevsky, Sutskever & Salakhutdinov 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting".
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import torch
from pydantic import Field, PositiveFloat
from torch import nn
from torch.nn import functional as F

from sandbox.config.base import Config
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.learner import Metrics
from sandbox.networks.inputs import in_fp32
from sandbox.ops.belief import Arrow
from sandbox.ops.units import draw_quickly
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer

_Share = Annotated[float, Field(ge=0, lt=1)]


class Softmax(Config):
    """Dropout: the share of pixels and of hidden units left out; `max_norm`: of the weights into a unit, or null."""

    input_dropout: _Share = 0.0
    hidden_dropout: _Share = 0.0
    max_norm: PositiveFloat | None = None
    optimizer: AnyOptimizer = Adam()


class Network(nn.Module):
    """Sigmoid layers and a linear one to the classes; what is left out is made up for by the rest."""

    def __init__(self, sizes: Sequence[int], classes: int) -> None:
        super().__init__()
        self.hidden = nn.ModuleList(nn.Linear(below, above) for below, above in pairwise(sizes))
        self.classes = nn.Linear(sizes[-1], classes)
        nn.init.zeros_(self.classes.weight)
        nn.init.zeros_(self.classes.bias)

    def forward(self, x: torch.Tensor, masks: Sequence[torch.Tensor] = ()) -> torch.Tensor:
        """[B, V] -> logits [B, K]; `masks`: a factor for each unit of each layer but the last, or none at all."""
        x = x * masks[0] if masks else x
        for number, layer in enumerate(self.hidden, 1):
            x = torch.sigmoid(layer(x))
            x = x * masks[number] if masks else x
        return in_fp32(self.classes, x)


class Perceptron:
    """A network with its optimiser; x is [B, V] floats in [0, 1]."""

    def __init__(
        self, config: Softmax, sizes: Sequence[int], classes: int, rng: Rng, name: str, compute: Compute
    ) -> None:
        """`sizes`: V and those of the hidden layers; `name`: of its generators of randomness."""
        self._config, self._sizes, self._compute = config, sizes, compute
        with rng.initializing(name):
            self._network = Network(sizes, classes).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._generator = rng.torch(f"{name}/dropout", compute.device)

    @torch.no_grad()
    def start_from(self, layers: Sequence[Arrow]) -> None:
        """Take the hidden layers' weights and biases from a stack, bottom to top."""
        for mine, arrow in zip(self._network.hidden, layers, strict=True):
            mine.get_parameter("weight").copy_(arrow.weight.T)
            mine.get_parameter("bias").copy_(arrow.bias)

    def learn(self, x: torch.Tensor, labels: torch.Tensor) -> Metrics:
        """`loss`: the cross-entropy, nats; `training_error`: the share of wrong ones, with units left out."""
        masks = self._masks(len(x))
        with self._compute.autocast():
            logits = self._network(x, masks)
        loss = F.cross_entropy(logits, labels)
        self._optimizer.minimize(loss)
        self._limit()
        wrong = (logits.detach().argmax(1) != labels).float().mean()
        return {"loss": loss.detach(), "training_error": wrong}

    @torch.no_grad()
    def classify(self, x: torch.Tensor) -> torch.Tensor:
        """Probabilities of the classes [B, K], all units at work."""
        with self._compute.autocast():
            return self._network(x).softmax(1)

    def parts(self) -> dict[str, Stateful]:
        return {"network": self._network, "optimizer": self._optimizer}

    def _masks(self, count: int) -> list[torch.Tensor]:
        config = self._config
        if not (config.input_dropout or config.hidden_dropout):
            return []
        dtype = torch.bfloat16 if self._compute.bf16 else torch.float32
        shares = [config.input_dropout] + [config.hidden_dropout] * (len(self._sizes) - 1)
        masks = []
        for share, size in zip(shares, self._sizes, strict=True):
            kept = torch.full((count, size), 1 - share, device=self._compute.device)
            masks.append(draw_quickly(kept, self._generator, dtype).div_(1 - share))
        return masks

    @torch.no_grad()
    def _limit(self) -> None:
        """Where the weights into a unit are longer than `max_norm`, they are scaled back to it."""
        if self._config.max_norm is None:
            return
        for layer in self._network.hidden:
            weight = layer.get_parameter("weight")
            lengths = torch.linalg.vector_norm(weight, dim=1, keepdim=True)
            weight.mul_((self._config.max_norm / lengths).clamp_(max=1.0))
