"""The convolutional deep belief net: a stack of convolutional machines with probabilistic max pooling.

Paper: Lee, Grosse, Ranganath & Ng 2009, "Convolutional Deep Belief Networks for Scalable Unsupervised Learning of
    Hierarchical Representations".
Backbone: its convolutions have the weights and hidden biases of the machines. Its forward pass is the mean-field pass
    upwards, of the probabilities that pooling units are on.
Deviations: those of `conv_rbm`; gray values are probabilities, from which black and white are drawn in each update; a
    layer learns from the pooling probabilities below it; on the way down to a sample, the pooling units of a layer are
    fixed as the layer above has sampled them, as in a deep belief net, while the paper adds the input from above.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Repeats, Steps
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann.conv_coupling import CoupledConvBackbone, convolutions, layers_of
from sandbox.generators._boltzmann.conv_rbm_layer import ConvRBMLayer, ConvRBMTraining
from sandbox.generators._boltzmann.training import PeriodicMetrics, current_stage
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import HasEncoder, HasFilters, HasReconstruction
from sandbox.interfaces.generator import Generator, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_pixels
from sandbox.ops import convolutional_boltzmann as ops
from sandbox.ops.units import BERNOULLI, sample_bernoulli
from sandbox.streams.shuffled import ShuffledConfig


class ConvDBNConfig(GeneratorConfig):
    """Options of the convolutional deep belief net (Lee et al. 2009)."""

    name: Literal["conv_dbn"] = "conv_dbn"
    backbone: CoupledConvBackbone = convolutions(16, 32, kernel=3)
    pretraining_steps: Steps = Field(
        5_000, description="updates of each layer but the top one, which learns in all later updates"
    )
    learning: ConvRBMTraining = Field(ConvRBMTraining(), description="how each layer is trained")
    top_learning: ConvRBMTraining | None = Field(
        None,
        description="how the top layer, which samples, is trained; null: like the others. Persistent chains and little "
        "sparsity are better for samples, contrastive divergence and more sparsity for filters",
    )
    sample_steps: Repeats = Field(500, description="Gibbs sweeps of the top machine to a sample")
    down_steps: Repeats = Field(
        20, description="Gibbs sweeps of each layer below the top machine, given its pooling units, to a sample"
    )
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "ConvDBN":
        return ConvDBN(self, spec, rng, compute)


class ConvDBN(Generator, HasReconstruction, HasEncoder, HasFilters):
    """A convolutional deep belief net of the layers that have begun to learn.

    Images are uint8 or floats in [0, 1], [B, C, H, W].
    """

    def __init__(self, config: ConvDBNConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._device = config, image_shape(spec, "conv_dbn"), compute.device
        with rng.initializing("conv_dbn/encoder"):
            encoder = config.backbone.make(self._shape).to(compute.device)
        self._network = nn.ModuleDict({"encoder": encoder})
        self._layers: list[ConvRBMLayer] = []
        coupled, shape = layers_of(encoder), self._shape
        trainings = [config.learning] * (len(coupled) - 1) + [config.top_learning or config.learning]
        for number, (convolution, training) in enumerate(zip(coupled, trainings, strict=True)):
            self._layers.append(ConvRBMLayer(convolution, shape, training, BERNOULLI, rng, f"conv_dbn/{number}"))
            shape = self._layers[-1].pooled_shape
        self._updates, self._measured = Counter(), PeriodicMetrics()
        self._states = rng.torch("conv_dbn/states", compute.device)
        self._sampling = rng.torch("conv_dbn/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Train one layer as a convolutional machine, on the pooling probabilities of the layers below.

        Returns:
            `stage`: 0 for the lowest layer, and so on; `reconstruction_error`: the mean squared error of a unit below
            it; `hidden_on`: the mean probability of its detection units.
        """
        v = sample_bernoulli(self._pixels(batch), self._states)
        stage, step = self._stage()
        layer = self._layers[stage]
        for below in self._layers[:stage]:
            v = below.pooled_means(v)
        if step == 0:
            layer.start(v)
        self._measured.update(step, lambda: layer.measure(v))
        layer.learn(v, step)
        self._updates.value += 1
        return {**self._measured.values, "stage": float(stage)}

    def parts(self) -> dict[str, Stateful]:
        return {
            "network": self._network,
            "layers": nn.ModuleList(self._layers),
            "updates": self._updates,
            "measured": self._measured,
        }

    def sample(self, count: int) -> torch.Tensor:
        """Return pixel probabilities, [count, C, H, W].

        The top machine takes `sample_steps` Gibbs sweeps, from its persistent chains, which do not change, or without
        them from noise. Then each layer below takes `down_steps` sweeps with its pooling units as the layer above has
        sampled them.
        """
        *below, top = self._begun()
        v = top.starting_states(count, self._sampling)
        means, v = ops.gibbs(top.rbm(), v, self._config.sample_steps, self._sampling)
        for layer in reversed(below):
            means, v = ops.gibbs_given_pooling(layer.rbm(), v, self._config.down_steps, self._sampling)
        return means

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the top layer's pooling units, passing means upwards, [B, K * H' * W']."""
        v = self._pixels(images)
        for layer in self._begun():
            v = layer.pooled_means(v)
        return v.flatten(1)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return pixel probabilities [B, C, H, W] given the top layer's pooling units, passing means downwards."""
        layers = self._begun()
        v = codes.view(-1, *layers[-1].pooled_shape)
        for layer in reversed(layers):
            v = layer.decode(v)
        return v

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Return pixel probabilities given the top layer's pooling units and the positions within blocks below."""
        inputs = [self._pixels(images)]
        for layer in self._begun():
            inputs.append(layer.pooled_means(inputs[-1]))
        v = inputs.pop()
        for layer, below in zip(reversed(self._begun()), reversed(inputs), strict=True):
            v = layer.visible_means(v, below)
        return v

    def filters(self, count: int) -> torch.Tensor:
        """Return the weights of the first filters of the lowest layer, [count, C, S, S]."""
        return self._layers[0].rbm().weight[:count].contiguous()

    def _begun(self) -> list[ConvRBMLayer]:
        """Return the layers that have begun to learn, at least one, lowest first."""
        stage, step = self._stage()
        return self._layers[: max(stage + (step > 0), 1)]

    def _stage(self) -> tuple[int, int]:
        """Return the number of the layer that learns next, and how many updates it has had."""
        return current_stage(self._updates.value, [self._config.pretraining_steps] * (len(self._layers) - 1))

    def _pixels(self, images: torch.Tensor) -> torch.Tensor:
        return as_pixels(require_shape(images, self._shape, "conv_dbn"), self._device)
