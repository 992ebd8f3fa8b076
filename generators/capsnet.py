"""CapsNet: the length of a capsule is the probability of its class, and its direction describes the digit's looks.

Paper: Sabour, Frosst & Hinton 2017, "Dynamic Routing Between Capsules".
Deviations: those of the backbone `capsules`; Adam's rate falls to 0; outside of training the most probable class is
    reconstructed.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from sandbox.config.numbers import NonNegative
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import HasCapsules, HasClassifier, HasReconstruction
from sandbox.interfaces.classifier import Classifier
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.capsules import Capsules
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.inputs import as_pixels
from sandbox.ops import capsules
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.labeled import Labeled, LabeledConfig


class CapsNetConfig(GeneratorConfig):
    """Options of CapsNet (Sabour, Frosst & Hinton 2017)."""

    name: Literal["capsnet"] = "capsnet"
    backbone: Capsules = Field(Capsules(), description="network of capsules, one for each class")
    reconstruction_weight: NonNegative = Field(
        5e-4, description="weight of the reconstruction's squared error, summed over pixels; 0: no reconstruction"
    )
    optimizer: AnyOptimizer = Field(Adam(), description="optimizer of the network")
    stream: LabeledConfig = Field(LabeledConfig(), description="batches of images and labels")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "CapsNet":
        return CapsNet(self, spec, rng, compute)


class CapsNet(Classifier, HasClassifier, HasReconstruction, HasCapsules):
    """A capsule network.

    Images are uint8 or floats in [0, 1], [B, C, H, W].
    """

    def __init__(self, config: CapsNetConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Build the network and its decoder.

        Raises:
            UserError: For data without labels, or with another number of classes than there are capsules.
        """
        self._config, self._compute, self._shape = config, compute, image_shape(spec, "capsnet")
        self._num_classes = spec.num_classes
        if not spec.num_classes or config.backbone.capsules not in (None, spec.num_classes):
            raise UserError(
                f"generator.name=capsnet has a capsule for each class, and these data have {spec.num_classes or 'no'} "
                "classes. Leave generator.backbone.capsules out, or choose data with labels, e.g. data.name=mnist."
            )
        backbone = config.backbone.model_copy(update={"capsules": spec.num_classes})
        with rng.initializing("capsnet"):
            encoder = backbone.make(self._shape)
            networks: dict[str, nn.Module] = {"encoder": encoder}
            if config.reconstruction_weight:
                networks["decoder"] = mirror(backbone, encoder.out_features, self._shape)
        self._network = nn.ModuleDict(networks).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)

    def update(self, batch: Labeled) -> Metrics:
        """Minimize the margin loss of the lengths, and the error of the reconstruction from the right class's capsule.

        Returns:
            `loss`: their weighted sum; `margin_loss`; `reconstruction_error`: the mean squared error of a pixel;
            `training_error`: the fraction of wrong classes.
        """
        assert batch.labels is not None, "the constructor requires classes"
        x = as_pixels(batch.images, self._compute.device)
        with self._compute.autocast():
            vectors = self._vectors(x)
        lengths = capsules.lengths(vectors)
        loss = margin = capsules.margin_loss(lengths, batch.labels).mean()
        metrics = {}
        if self._config.reconstruction_weight:
            with self._compute.autocast():
                pixels = self._decode(vectors, batch.labels)
            error = (pixels - x).square()
            loss = margin + self._config.reconstruction_weight * error.flatten(1).sum(1).mean()
            metrics["reconstruction_error"] = error.detach().mean()
        self._optimizer.minimize(loss)
        wrong = (lengths.detach().argmax(1) != batch.labels).float().mean()
        return {"loss": loss.detach(), "margin_loss": margin.detach(), **metrics, "training_error": wrong}

    def parts(self) -> dict[str, Stateful]:
        return {"network": self._network, "optimizer": self._optimizer}

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probability of each class, [B, K]: the lengths of the capsules divided by their sum."""
        lengths = capsules.lengths(self._capsules(images))
        return lengths / lengths.sum(1, keepdim=True)

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """Do the same as `predict`."""
        return self.predict(images)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Reconstruct images from the capsule of their most probable class, [B, C, H, W].

        Raises:
            UserError: If it was trained without reconstruction.
        """
        vectors = self._capsules(images)
        return self._pixels(vectors, capsules.lengths(vectors).argmax(1))

    def perturbed(self, image: torch.Tensor, changes: torch.Tensor) -> torch.Tensor:
        """Reconstruct an image [C, H, W] with each of `changes` [S] added to each dimension, [D, S, C, H, W].

        Raises:
            UserError: If it was trained without reconstruction.
        """
        vectors = self._capsules(image[None])
        size, steps = vectors.shape[2], len(changes)
        label = int(capsules.lengths(vectors).argmax())
        changed = vectors.repeat(size * steps, 1, 1)
        rows = torch.arange(size * steps, device=changed.device)
        changed[rows, label, rows // steps] += changes.to(changed).repeat(size)
        pixels = self._pixels(changed, rows.new_full((len(rows),), label))
        return pixels.view(size, steps, *self._shape)

    @torch.no_grad()
    def _capsules(self, images: torch.Tensor) -> torch.Tensor:
        """Return the capsules of images, [B, K, D]."""
        with self._compute.autocast():
            return self._vectors(as_pixels(require_shape(images, self._shape, "capsnet"), self._compute.device))

    @torch.no_grad()
    def _pixels(self, vectors: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        if not self._config.reconstruction_weight:
            raise UserError(
                "this capsnet was trained without reconstruction (generator.reconstruction_weight=0). Train one with "
                "generator.reconstruction_weight=5e-4."
            )
        return self._decode(vectors, labels)

    def _vectors(self, x: torch.Tensor) -> torch.Tensor:
        """Return the capsules [B, K, D] of pixels [B, C, H, W], fp32."""
        return self._network["encoder"](x).view(x.shape[0], self._num_classes, -1)

    def _decode(self, vectors: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Decode the capsules [B, K, D] of the classes `labels` [B]; all others count as 0."""
        chosen = F.one_hot(labels, vectors.shape[1])[:, :, None].to(vectors.dtype)
        return torch.sigmoid(self._network["decoder"]((vectors * chosen).flatten(1)).float())
