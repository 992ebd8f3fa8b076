"""The stacked autoencoder: sigmoid layers trained one by one, then all together; with labels, a softmax on top as well.

Paper: Bengio et al. 2007, "Greedy Layer-Wise Training of Deep Networks". Deviations: no tied weights; Adam; fine-tuning
    goes on reconstructing while the softmax learns, so that codes can still be decoded. The model has no distribution
    over codes: samples decode sigmoids of a Gaussian with the mean and covariance of the latest top codes' log-odds, a
    fit and not a part of the model.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import nn
from torch.nn import functional as F

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._images.shapes import image_shape
from sandbox.interfaces.generator import GeneratorConfig, UntrainedError
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_pixels
from sandbox.networks.moments import CodeMoments
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.labeled import Labeled, LabeledConfig


class StackedAutoencoderConfig(GeneratorConfig):
    """`layers`: hidden units, bottom to top; each learns alone for `pretraining_steps` updates, then all together.

    `label_weight`: of the labels' cross-entropy beside that of the pixels; only where the data have labels.
    """

    name: Literal["stacked_autoencoder"] = "stacked_autoencoder"
    layers: tuple[PositiveInt, ...] = Field((256, 64), min_length=1)
    pretraining_steps: PositiveInt = 1_000
    label_weight: NonNegativeFloat = 10.0
    pretraining_optimizer: AnyOptimizer = Adam()
    fine_tuning_optimizer: AnyOptimizer = Adam()
    stream: LabeledConfig = LabeledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "StackedAutoencoder":
        return StackedAutoencoder(self, spec, rng, compute)


class Stack(nn.Module):
    """`up` and `down`: a linear layer each way between neighbours; `softmax` on top, or None."""

    def __init__(self, sizes: Sequence[int], num_classes: int) -> None:
        super().__init__()
        self.up = nn.ModuleList(nn.Linear(below, above) for below, above in pairwise(sizes))
        self.down = nn.ModuleList(nn.Linear(above, below) for below, above in pairwise(sizes))
        self.softmax = nn.Linear(sizes[-1], num_classes) if num_classes else None


class StackedAutoencoder:
    """Images are uint8 or floats in [0, 1], [B, C, H, W]; for grey ones the cross-entropy is no likelihood."""

    def __init__(self, config: StackedAutoencoderConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._compute = config, image_shape(spec, "stacked_autoencoder"), compute
        pixels = torch.Size(self._shape).numel()
        with rng.initializing("stacked_autoencoder"):
            self._stack = Stack((pixels, *config.layers), spec.num_classes).to(compute.device)
        self._moments = CodeMoments(config.layers[-1]).to(compute.device)
        self._pretraining = [
            config.pretraining_optimizer.make([*up.parameters(), *down.parameters()], compute)
            for up, down in zip(self._stack.up, self._stack.down, strict=True)
        ]
        self._fine_tuning = config.fine_tuning_optimizer.make(self._stack.parameters(), compute)
        self._updates = Counter()
        self._prior = rng.torch("stacked_autoencoder/sample", compute.device)

    def update(self, batch: Labeled) -> Metrics:
        """`layer`: the one that learns alone, from 0; the number of layers while all learn together.

        `loss`: `cross_entropy`, summed over what the layer, or all of them, reconstruct, and the weighed
        `label_cross_entropy`, which counts in fine-tuning only.
        """
        x = as_pixels(batch.images, self._compute.device).flatten(1)
        layer = min(self._updates.value // self._config.pretraining_steps, len(self._pretraining))
        self._updates.value += 1
        metrics = self._fine_tune(x, batch.labels) if layer == len(self._pretraining) else self._pretrain(layer, x)
        return {**metrics, "layer": float(layer)}

    def _pretrain(self, layer: int, x: torch.Tensor) -> Metrics:
        """The layers below only deliver: probabilities, without a gradient."""
        with torch.no_grad():
            below = torch.sigmoid(self._rise(self._stack.up[:layer], x)) if layer else x
        log_odds = self._rise(self._stack.up[layer : layer + 1], below)
        logits = self._fall(self._stack.down[layer : layer + 1], torch.sigmoid(log_odds))
        loss = _cross_entropy(logits, below)
        self._pretraining[layer].minimize(loss)
        if layer == len(self._pretraining) - 1:
            self._moments.add(log_odds.detach())
        return {"loss": loss.detach(), "cross_entropy": loss.detach()}

    def _fine_tune(self, x: torch.Tensor, labels: torch.Tensor | None) -> Metrics:
        log_odds = self._rise(self._stack.up, x)
        loss = cross_entropy = _cross_entropy(self._fall(self._stack.down, torch.sigmoid(log_odds)), x)
        metrics = {"cross_entropy": cross_entropy.detach()}
        if labels is not None:
            label_cross_entropy = F.cross_entropy(self._classes(log_odds), labels.to(x.device))
            loss = cross_entropy + self._config.label_weight * label_cross_entropy
            metrics["label_cross_entropy"] = label_cross_entropy.detach()
        self._fine_tuning.minimize(loss)
        self._moments.add(log_odds.detach())
        return {"loss": loss.detach(), **metrics}

    def parts(self) -> dict[str, Stateful]:
        return {
            "stack": self._stack,
            "moments": self._moments,
            **{f"pretraining_{layer}": optimizer for layer, optimizer in enumerate(self._pretraining)},
            "fine_tuning": self._fine_tuning,
            "updates": self._updates,
        }

    @torch.no_grad()
    def sample(self, count: int) -> torch.Tensor:
        """Decoded draws from a Gaussian that was fitted to the top codes' log-odds, [count, C, H, W]."""
        return self.decode(torch.sigmoid(self._moments.draw(count, self._prior)))

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> activations of the top layer [B, Z] in (0, 1)."""
        return torch.sigmoid(self._top(images))

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """[B, Z] -> [B, C, H, W] in [0, 1]."""
        return torch.sigmoid(self._fall(self._stack.down, codes)).view(-1, *self._shape)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Up all layers and down again, [B, C, H, W]."""
        return self.decode(self.encode(images))

    @torch.no_grad()
    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> probabilities of the classes [B, K].

        Raises:
            UserError: if the data had no labels, or before fine-tuning.
        """
        begins = len(self._pretraining) * self._config.pretraining_steps
        if self._stack.softmax is not None and self._updates.value <= begins:
            raise UntrainedError(
                f"this stacked_autoencoder knows no classes yet: it learns them from update {begins + 1:,} on.", begins
            )
        return self._classes(self._top(images)).softmax(1)

    def _top(self, images: torch.Tensor) -> torch.Tensor:
        return self._rise(self._stack.up, as_pixels(images, self._compute.device).flatten(1))

    def _classes(self, log_odds: torch.Tensor) -> torch.Tensor:
        if self._stack.softmax is None:
            raise UserError(
                "this stacked_autoencoder learnt from data without labels, so it knows no classes. "
                "Train it on data that have some, e.g. data.name=digits or data.name=mnist."
            )
        with self._compute.autocast():
            logits = self._stack.softmax(torch.sigmoid(log_odds))
        return logits.float()

    def _rise(self, layers: Iterable[nn.Module], x: torch.Tensor) -> torch.Tensor:
        """Through layers bottom to top, to the log-odds of the last; sigmoids in between."""
        first, *rest = layers
        with self._compute.autocast():
            x = first(x)
            for layer in rest:
                x = layer(torch.sigmoid(x))
        return x.float()

    def _fall(self, layers: nn.ModuleList, codes: torch.Tensor) -> torch.Tensor:
        """The same top to bottom."""
        return self._rise(reversed(list(layers)), codes)


def _cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Summed over units, averaged over the batch."""
    return F.binary_cross_entropy_with_logits(logits, target, reduction="sum") / len(target)
