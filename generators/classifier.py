"""A classifier of images on any backbone, also as a linear probe of a frozen one; or a regression of numbers.

Paper: LeCun, Bottou, Bengio & Haffner 1998, "Gradient-Based Learning Applied to Document Recognition"; probes are those
    of Alain & Bengio 2017, "Understanding Intermediate Layers Using Linear Classifier Probes".
Deviations: cross-entropy of a softmax in place of LeNet's radial basis functions; Adam.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import HasClassifier
from sandbox.interfaces.classifier import Classifier
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.split import Split
from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.inputs import as_pixels, in_fp32
from sandbox.networks.mlp import MLP
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.labeled import Labeled, LabeledConfig

_NOTHING_TO_LEARN = {
    "labels": "generator.name=classifier learns classes, but the data set has no labels. Choose data that have some, "
    "e.g. data.name=digits or data.name=mnist.",
    "numbers": "generator.targets=numbers needs data whose images have numbers, and these have none. Choose "
    "data.name=frames with data.numbers=true.",
}


class ClassifierConfig(GeneratorConfig):
    """Options of the classifier."""

    name: Literal["classifier"] = "classifier"
    backbone: AnyBackbone = Field(MLP(), description="network below the last layer")
    targets: Literal["labels", "numbers"] = Field(
        "labels",
        description="what it predicts: the class of an image (labels), or the numbers that the data set has for it "
        "(numbers; see data.numbers)",
    )
    freeze_encoder: bool = Field(
        False, description="train the last layer only, as a linear probe of the encoder that encoder_from names"
    )
    optimizer: AnyOptimizer = Field(Adam(), description="optimizer of the cross-entropy, or of the squared error")
    stream: LabeledConfig = Field(LabeledConfig(), description="batches of images with their classes or numbers")

    def split(self) -> Split:
        """Divide the images of a batch; the loss is their mean."""
        return Split("mean", {"generator.stream.batch_size": self.stream.batch_size})

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "ImageClassifier":
        return ImageClassifier(self, spec, rng, compute)


class ClassifierNetwork(nn.Module):
    """A backbone and a linear layer: [B, C, H, W] -> [B, outputs]."""

    def __init__(self, config: ClassifierConfig, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.encoder = config.backbone.make(shape)
        self.head = nn.Linear(self.encoder.out_features, outputs)
        self._frozen = config.freeze_encoder
        if self._frozen:
            self.encoder.eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self._frozen):
            features = self.encoder(x)
        return in_fp32(self.head, features)


class ImageClassifier(Classifier, HasClassifier):
    """A classifier.

    Images are uint8 or floats in [0, 1], [B, C, H, W].

    Attributes:
        network: The backbone and the last layer.
    """

    def __init__(self, config: ClassifierConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Build the network.

        Raises:
            UserError: For data without labels, or without numbers.
        """
        self._targets, self._compute, self._shape = config.targets, compute, image_shape(spec, "classifier")
        outputs = spec.num_classes if config.targets == "labels" else spec.num_numbers
        if not outputs:
            raise UserError(_NOTHING_TO_LEARN[config.targets])
        with rng.initializing("classifier"):
            self.network = ClassifierNetwork(config, self._shape, outputs).to(compute.device)
        trained = self.network.head if config.freeze_encoder else self.network
        self._optimizer = config.optimizer.make(trained.parameters(), compute)

    def update(self, batch: Labeled) -> Metrics:
        """Minimize the cross-entropy of the classes, or the squared error of the numbers.

        Returns:
            `loss`: the cross-entropy in nats, or the mean squared error; `training_error`: with classes, the fraction
            of wrong ones.
        """
        x = as_pixels(batch.images, self._compute.device)
        with self._compute.autocast():
            outputs = self.network(x)
        if self._targets == "numbers":
            assert batch.numbers is not None, "the constructor requires numbers"
            loss = F.mse_loss(outputs, batch.numbers)
            self._optimizer.minimize(loss)
            return {"loss": loss.detach()}
        assert batch.labels is not None, "the constructor requires labels"
        loss = F.cross_entropy(outputs, batch.labels)
        self._optimizer.minimize(loss)
        wrong = (outputs.detach().argmax(1) != batch.labels).float().mean()
        return {"loss": loss.detach(), "training_error": wrong}

    def parts(self) -> dict[str, Stateful]:
        return {"network": self.network, "optimizer": self._optimizer}

    @torch.no_grad()
    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probability of each class, [B, K], or the numbers, [B, N], of images [B, C, H, W]."""
        with self._compute.autocast():
            outputs = self.network(as_pixels(require_shape(images, self._shape, "classifier"), self._compute.device))
        return outputs.softmax(1) if self._targets == "labels" else outputs

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probability of each class, [B, K].

        Raises:
            UserError: If the classifier predicts numbers.
        """
        if self._targets == "numbers":
            raise UserError("this classifier predicts numbers (generator.targets=numbers), so it knows no classes")
        return self.predict(images)
