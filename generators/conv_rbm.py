"""The convolutional restricted Boltzmann machine, with probabilistic max pooling.

Paper: Lee, Grosse, Ranganath & Ng 2009, "Convolutional Deep Belief Networks for Scalable Unsupervised Learning of
    Hierarchical Representations".
Backbone: its one convolution has the machine's weights and hidden biases, and its forward pass is the probability that
    each pooling unit is on; real-valued pixels are divided by their deviation first.
Deviations: momentum; the hidden biases follow the sparsity target and the likelihood in one step; chains can persist
    (Tieleman 2008); the visible bias, one for each channel, starts at the mean of the first batch.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field, field_validator
from torch import nn

from sandbox.config.numbers import Repeats
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann.annealing import Annealing, bracketed_estimate
from sandbox.generators._boltzmann.conv_coupling import CoupledConvBackbone, convolutions, layers_of
from sandbox.generators._boltzmann.conv_rbm_layer import ConvRBMLayer, ConvRBMTraining
from sandbox.generators._boltzmann.rbm_layer import BernoulliUnits, VisibleUnits
from sandbox.generators._boltzmann.training import PeriodicMetrics
from sandbox.generators._images.binary import require_binary
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import (
    Estimate,
    HasEncoder,
    HasFilters,
    HasGibbsChain,
    HasLikelihood,
    HasReconstruction,
)
from sandbox.interfaces.generator import Generator, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.networks.lenet import LeNet
from sandbox.ops import convolutional_boltzmann as ops
from sandbox.ops.units import BERNOULLI
from sandbox.streams.shuffled import ShuffledConfig

_MAX_IMAGES = 500  # images at a time for the likelihood


class ConvRBMConfig(GeneratorConfig):
    """Options of the convolutional restricted Boltzmann machine (Lee et al. 2009)."""

    name: Literal["conv_rbm"] = "conv_rbm"
    backbone: CoupledConvBackbone = convolutions(16, kernel=3)
    visible: VisibleUnits = Field(BernoulliUnits(), description="kind of the visible units")
    learning: ConvRBMTraining = Field(ConvRBMTraining(), description="how the machine is trained")
    sample_steps: Repeats = Field(500, description="Gibbs sweeps from the chains (or from noise) to a sample")
    ais: Annealing = Field(Annealing(), description="estimate of log Z")
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    @field_validator("backbone")
    @classmethod
    def _check_one_layer(cls, backbone: LeNet) -> LeNet:
        if len(backbone.channels) != 1:
            raise ValueError(
                f"conv_rbm couples one convolution, but channels={list(backbone.channels)} has "
                f"{len(backbone.channels)}; conv_dbn couples several"
            )
        return backbone

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "ConvRBM":
        return ConvRBM(self, spec, rng, compute)


class ConvRBM(Generator, HasLikelihood, HasReconstruction, HasEncoder, HasFilters, HasGibbsChain):
    """A convolutional restricted Boltzmann machine.

    Images are uint8 or floats in [0, 1], [B, C, H, W]; binary units need black and white.
    """

    def __init__(self, config: ConvRBMConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._device = config, image_shape(spec, "conv_rbm"), compute.device
        self._units, self._scale = config.visible.units(), config.visible.scale()
        with rng.initializing("conv_rbm/encoder"):
            encoder = config.backbone.make(self._shape).to(compute.device)
        self._network = nn.ModuleDict({"encoder": encoder})
        (coupled,) = layers_of(encoder)
        self._layer = ConvRBMLayer(coupled, self._shape, config.learning, self._units, rng, "conv_rbm")
        self._updates, self._measured = Counter(), PeriodicMetrics()
        self._measuring = rng.torch("conv_rbm/measure", compute.device)
        self._sampling = rng.torch("conv_rbm/sample", compute.device)
        self._annealing = rng.torch("conv_rbm/annealing", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Take one step of contrastive divergence (CD-k), or of persistent contrastive divergence (PCD).

        Metrics are those of `_measure`, every hundred updates.

        Raises:
            UserError: For gray images and binary units, at the first update, the only one that waits for the device.
        """
        v, layer, step = self._visible(batch), self._layer, self._updates.value
        if step == 0:
            self._require_binary(v)
            layer.start(v)
        self._measured.update(step, lambda: self._measure(v))
        phases = layer.phases(v)  # the data, and samples of the chains: started at the data (CD-k) or persistent (PCD)
        gradient = layer.gradient(phases)  # <v * h> of the data - <v * h> of the chains, and the sparsity
        layer.step(gradient, step)
        self._updates.value += 1
        return self._measured.values

    def _measure(self, v: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the metrics of a batch.

        Returns:
            `loss`: the mean free energy of the data minus that of the model's samples; `reconstruction_error`: the mean
            squared error of a visible unit; `hidden_on`: the mean probability of the detection units.
        """
        rbm, chains = self._layer.rbm(), self._layer.chains
        _, model = ops.gibbs(rbm, chains if len(chains) else v, 1, self._measuring, self._units)
        data_energy = ops.free_energy(rbm, v, self._units).mean()
        model_energy = ops.free_energy(rbm, model, self._units).mean()
        return {"loss": data_energy - model_energy, **self._layer.measure(v)}

    def parts(self) -> dict[str, Stateful]:
        return {
            "network": self._network,
            "machine": self._layer,
            "updates": self._updates,
            "measured": self._measured,
        }

    def sample(self, count: int) -> torch.Tensor:
        """Return the pixels' means after `sample_steps` Gibbs sweeps, [count, C, H, W] in [0, 1].

        The sweeps begin at the persistent chains, which do not change, or without them at noise.
        """
        v = self._layer.starting_states(count, self._sampling)
        means, _ = ops.gibbs(self._layer.rbm(), v, self._config.sample_steps, self._sampling, self._units)
        return self._pixels(means)

    def gibbs_chain(self, count: int) -> Iterator[torch.Tensor]:
        """Yield the pixels' means after every Gibbs sweep, from noise."""
        rbm, v = self._layer.rbm(), self._layer.noise(count, self._sampling)
        while True:
            means, v = ops.gibbs(rbm, v, 1, self._sampling, self._units)
            yield self._pixels(means)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probability that each pooling unit is on, [B, K * H' * W']."""
        return self._layer.pooled_means(self._visible(images)).flatten(1)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the pixels' means [B, C, H, W] given the pooling units [B, K * H' * W'].

        Which unit of a block is on is inferred from the pixels, and these from the units, by mean field.
        """
        return self._pixels(self._layer.decode(codes.view(-1, *self._layer.pooled_shape)))

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Return the pixels' means given the probabilities of the detection units, [B, C, H, W]."""
        rbm = self._layer.rbm()
        p = ops.detection_probabilities(ops.detection_inputs(rbm, self._visible(images)), rbm.pool)
        return self._pixels(ops.visible_means(rbm, p, self._units))

    def filters(self, count: int) -> torch.Tensor:
        """Return the weights of the first filters, [count, C, S, S]."""
        return self._layer.rbm().weight[:count].contiguous()

    def is_density(self) -> bool:
        """Return whether the pixels are real-valued."""
        return self._units is not BERNOULLI

    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """Estimate the log-likelihood by AIS, with a bracket; for real-valued pixels it is the log-density.

        Raises:
            UserError: For gray images and binary units.
        """
        rbm, v = self._layer.rbm(), self._visible(images)
        self._require_binary(v)
        log_jacobian = v[0].numel() * math.log(self._scale)  # from the density of v to that of the pixels
        energies = torch.cat([ops.free_energy(rbm, part, self._units) for part in torch.split(v, _MAX_IMAGES)])
        forward, reverse = self._config.ais.convolutional_log_partition(rbm, v, self._annealing, self._units)
        estimate = bracketed_estimate("ais", -energies - log_jacobian, forward, reverse)
        return replace(estimate, density=self.is_density())

    def _visible(self, images: torch.Tensor) -> torch.Tensor:
        """Return the visible units of images, in units of `std` if they are Gaussian."""
        v = as_float(require_shape(images, self._shape, "conv_rbm").to(self._device))
        return v if self._scale == 1 else v / self._scale

    def _require_binary(self, v: torch.Tensor) -> None:
        """Raise UserError for gray images and binary units; this waits for the device."""
        if self._units is BERNOULLI:
            alternative = ", or take real-valued units: generator.visible.name=gaussian"
            require_binary(v, "generator.name=conv_rbm has binary units", alternative)

    def _pixels(self, means: torch.Tensor) -> torch.Tensor:
        """Return images in [0, 1] from means of the visible units."""
        return (means * self._scale).clamp(0, 1)
