"""The stacked autoencoder: sigmoid layers are pretrained one by one, then fine-tuned together, with labels if any.

Paper: Bengio et al. 2007, "Greedy Layer-Wise Training of Deep Networks".
Backbone: it recognizes; layers of their own decode.
Deviations: no tied weights; Adam; fine-tuning keeps the reconstruction loss next to that of the softmax layer, so that
    codes can still be decoded. The model has no distribution over codes: samples decode sigmoids of a Gaussian with the
    mean and covariance of the latest top codes' log-odds, which is not a part of the paper.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from sandbox.config.numbers import NonNegative, Steps
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann.coupling import CoupledBackbone, layers_of, sigmoids
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import HasClassifier, HasEncoder, HasReconstruction
from sandbox.interfaces.generator import Generator, GeneratorConfig, UntrainedError
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.base import BackboneConfig
from sandbox.networks.inputs import as_pixels
from sandbox.networks.moments import CodeMoments
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.labeled import Labeled, LabeledConfig


class StackedAutoencoderConfig(GeneratorConfig):
    """Options of the stacked autoencoder (Bengio et al. 2007)."""

    name: Literal["stacked_autoencoder"] = "stacked_autoencoder"
    backbone: CoupledBackbone = sigmoids(256, 64)
    pretraining_steps: Steps = Field(1_000, description="updates of each layer alone, before fine-tuning")
    label_weight: NonNegative = Field(
        10.0, description="weight of the labels' cross-entropy in fine-tuning, if the data have labels"
    )
    pretraining_optimizer: AnyOptimizer = Field(Adam(), description="optimizer of each layer alone")
    fine_tuning_optimizer: AnyOptimizer = Field(Adam(), description="optimizer of all layers together")
    stream: LabeledConfig = Field(LabeledConfig(), description="batches of images and labels")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "StackedAutoencoder":
        return StackedAutoencoder(self, spec, rng, compute)


class Stack(nn.Module):
    """The backbone, layers that decode (`down`), and the `softmax` layer on top; None without classes."""

    def __init__(self, backbone: BackboneConfig, shape: Sequence[int], num_classes: int) -> None:
        super().__init__()
        self.encoder = backbone.make(shape)
        self.down = nn.ModuleList(nn.Linear(up.out_features, up.in_features) for up in self.up)
        self.softmax = nn.Linear(self.encoder.out_features, num_classes) if num_classes else None

    @property
    def up(self) -> list[nn.Linear]:
        """The layers of the backbone."""
        return layers_of(self.encoder)


class StackedAutoencoder(Generator, HasReconstruction, HasEncoder, HasClassifier):
    """A stacked autoencoder of sigmoid layers.

    Images are uint8 or floats in [0, 1], [B, C, H, W]; for gray images the cross-entropy is no likelihood.
    """

    def __init__(self, config: StackedAutoencoderConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._compute = config, image_shape(spec, "stacked_autoencoder"), compute
        with rng.initializing("stacked_autoencoder"):
            self._stack = Stack(config.backbone, self._shape, spec.num_classes).to(compute.device)
        self._moments = CodeMoments(self._stack.encoder.out_features).to(compute.device)
        self._pretraining = [
            config.pretraining_optimizer.make([*up.parameters(), *down.parameters()], compute)
            for up, down in zip(self._stack.up, self._stack.down, strict=True)
        ]
        self._fine_tuning = config.fine_tuning_optimizer.make(self._stack.parameters(), compute)
        self._updates = Counter()
        self._prior = rng.torch("stacked_autoencoder/sample", compute.device)

    def update(self, batch: Labeled) -> Metrics:
        """Train one layer alone or, after all have been trained, all of them together.

        Returns:
            `layer`: the layer that is trained alone, from 0; the number of layers in fine-tuning; `loss`:
            `cross_entropy`, summed over the units that are reconstructed, plus in fine-tuning the weighted
            `label_cross_entropy`.
        """
        x = as_pixels(batch.images, self._compute.device).flatten(1)
        layer = min(self._updates.value // self._config.pretraining_steps, len(self._pretraining))
        self._updates.value += 1
        metrics = self._pretrain(layer, x) if layer < len(self._pretraining) else self._fine_tune(x, batch.labels)
        return {**metrics, "layer": float(layer)}

    def _pretrain(self, layer: int, x: torch.Tensor) -> Metrics:
        """Train one layer to reconstruct the activations of the layer below, which stay as they are."""
        with torch.no_grad():
            below = torch.sigmoid(self._encode(self._stack.up[:layer], x)) if layer else x
        log_odds = self._encode(self._stack.up[layer : layer + 1], below)
        logits = self._decode(self._stack.down[layer : layer + 1], torch.sigmoid(log_odds))
        loss = _cross_entropy(logits, below)
        self._pretraining[layer].minimize(loss)
        if layer == len(self._pretraining) - 1:
            self._moments.add(log_odds.detach())
        return {"loss": loss.detach(), "cross_entropy": loss.detach()}

    def _fine_tune(self, x: torch.Tensor, labels: torch.Tensor | None) -> Metrics:
        """Train all layers to reconstruct the pixels and, if there are labels, to predict them."""
        log_odds = self._encode(self._stack.up, x)
        loss = cross_entropy = _cross_entropy(self._decode(self._stack.down, torch.sigmoid(log_odds)), x)
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
        """Decode codes whose log-odds are drawn from a Gaussian fitted to the latest ones, [count, C, H, W]."""
        return self.decode(torch.sigmoid(self._moments.draw(count, self._prior)))

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the activations of the top layer [B, Z] in (0, 1) of images [B, C, H, W]."""
        return torch.sigmoid(self._top(images))

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the pixels [B, C, H, W] in [0, 1] of activations [B, Z]."""
        return torch.sigmoid(self._decode(self._stack.down, codes)).view(-1, *self._shape)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Encode and decode through all layers, [B, C, H, W]."""
        return self.decode(self.encode(images))

    @torch.no_grad()
    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the classes [B, K] of images [B, C, H, W].

        Raises:
            UserError: If the data had no labels, or before fine-tuning.
        """
        pretraining = len(self._pretraining) * self._config.pretraining_steps  # updates
        if self._stack.softmax is not None and self._updates.value <= pretraining:
            raise UntrainedError(
                f"this stacked_autoencoder has no classes yet: it learns them from update {pretraining + 1:,} on.",
                pretraining,
            )
        return self._classes(self._top(images)).softmax(1)

    def _top(self, images: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of the top layer, [B, Z]."""
        return self._encode(
            self._stack.up,
            as_pixels(require_shape(images, self._shape, "stacked_autoencoder"), self._compute.device).flatten(1),
        )

    def _classes(self, log_odds: torch.Tensor) -> torch.Tensor:
        """Return the logits of the classes [B, K] given the top layer's log-odds."""
        if self._stack.softmax is None:
            raise UserError(
                "this stacked_autoencoder has no classes, because it was trained on data without labels. "
                "Train one on data with labels, e.g. data.name=digits or data.name=mnist."
            )
        with self._compute.autocast():
            logits = self._stack.softmax(torch.sigmoid(log_odds))
        return logits.float()

    def _encode(self, layers: Iterable[nn.Module], x: torch.Tensor) -> torch.Tensor:
        """Apply layers in order, with sigmoids in between; return the log-odds of the last."""
        first, *rest = layers
        with self._compute.autocast():
            x = first(x)
            for layer in rest:
                x = layer(torch.sigmoid(x))
        return x.float()

    def _decode(self, layers: nn.ModuleList, codes: torch.Tensor) -> torch.Tensor:
        """Apply layers in reverse order, in the same way."""
        return self._encode(reversed(list(layers)), codes)


def _cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of logits and targets [B, N], summed over units and averaged over the batch."""
    return F.binary_cross_entropy_with_logits(logits, target, reduction="sum") / len(target)
