"""The restricted Boltzmann machine, with binary or real-valued pixels.

Paper: Tieleman 2008, "Training Restricted Boltzmann Machines using Approximations to the Likelihood Gradient"; with
    `learning.chains.name: contrastive` Hinton 2002, "Training Products of Experts by Minimizing Contrastive
    Divergence"; with `learning.centering` Melchior, Fischer & Wiskott 2016, "How to Center Deep Boltzmann Machines";
    likelihoods as Salakhutdinov & Murray 2008.
Backbone: its one layer has the machine's weights and hidden biases, and its forward pass is p(h = 1 | v); real-valued
    pixels are divided by their deviation first.
Deviations: momentum; the visible biases start so that the units have the means of the first batch, not of the whole
    set; in training, units are sampled by 16 random bits; with `precision: bf16` the products are rounded, weights stay
    fp32.
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
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann.annealing import MAX_ENUMERATED_UNITS, Annealing, bracketed_estimate
from sandbox.generators._boltzmann.coupling import CoupledBackbone, layers_of, sigmoids
from sandbox.generators._boltzmann.rbm_layer import (
    BernoulliUnits,
    PersistentChains,
    RBMLayer,
    RBMTraining,
    VisibleUnits,
)
from sandbox.generators._boltzmann.recall import known_units, recall_means
from sandbox.generators._boltzmann.training import PeriodicMetrics
from sandbox.generators._images.binary import require_binary
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import (
    Estimate,
    HasEncoder,
    HasFilters,
    HasGibbsChain,
    HasLikelihood,
    HasPseudoLikelihood,
    HasRecall,
    HasReconstruction,
)
from sandbox.interfaces.generator import Generator, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.split import Split
from sandbox.networks.inputs import as_float
from sandbox.networks.mlp import MLP
from sandbox.ops import boltzmann
from sandbox.ops.units import BERNOULLI
from sandbox.streams.shuffled import ShuffledConfig


class RBMConfig(GeneratorConfig):
    """Options of the restricted Boltzmann machine."""

    name: Literal["rbm"] = "rbm"
    backbone: CoupledBackbone = sigmoids(16)
    visible: VisibleUnits = Field(BernoulliUnits(), description="kind of the visible units")
    learning: RBMTraining = Field(RBMTraining(), description="how the machine is trained")
    sample_steps: Repeats = Field(
        500, description="Gibbs sweeps from the chains (or from noise) to sample, or to complete an image"
    )
    ais: Annealing = Field(Annealing(), description="estimate of log Z for machines that are too large to enumerate")
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    @field_validator("backbone")
    @classmethod
    def _check_one_layer(cls, backbone: MLP) -> MLP:
        if len(backbone.hidden) != 1:
            raise ValueError(
                f"rbm couples one layer, but hidden={list(backbone.hidden)} has {len(backbone.hidden)}; dbn and dbm "
                "couple several"
            )
        return backbone

    def split(self) -> Split:
        """Divide the images of a batch, and the persistent chains; both phases of the gradient are means."""
        sizes = {"generator.stream.batch_size": self.stream.batch_size}
        if isinstance(self.learning.chains, PersistentChains):
            sizes["generator.learning.chains.count"] = self.learning.chains.count
        return Split("mean", sizes)

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "RBM":
        return RBM(self, spec, rng, compute)


class RBM(
    Generator,
    HasLikelihood,
    HasReconstruction,
    HasEncoder,
    HasFilters,
    HasGibbsChain,
    HasPseudoLikelihood,
    HasRecall,
):
    """A restricted Boltzmann machine.

    Images are uint8 or floats in [0, 1], [B, C, H, W]; binary units need black and white.
    """

    def __init__(self, config: RBMConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._device = config, image_shape(spec, "rbm"), compute.device
        self._units, self._scale = config.visible.units(), config.visible.scale()
        with rng.initializing("rbm/encoder"):
            encoder = config.backbone.make(self._shape).to(compute.device)
        self._network = nn.ModuleDict({"encoder": encoder})
        (coupled,) = layers_of(encoder)
        self._layer = RBMLayer(coupled, config.learning, self._units, rng, "rbm", compute)
        self._updates, self._measured = Counter(), PeriodicMetrics()
        self._measuring = rng.torch("rbm/measure", compute.device)
        self._sampling = rng.torch("rbm/sample", compute.device)
        self._annealing = rng.torch("rbm/annealing", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Take one step of persistent contrastive divergence (PCD), or of contrastive divergence (CD-k).

        Metrics are those of `_measure`, every hundred updates.

        Raises:
            UserError: For gray images and binary units, at the first update, the only one that waits for the device.
        """
        v, layer, step = self._visible(batch), self._layer, self._updates.value
        if step == 0:
            self._require_binary(v)
            layer.start(v)
        self._measured.update(step, lambda: self._measure(v))
        phases = layer.phases(v)  # the data, and samples of the chains: persistent (PCD) or started at the data (CD-k)
        gradient = layer.gradient(phases)  # <v h> of the data - <v h> of the chains
        layer.step(gradient, step)
        self._updates.value += 1
        return self._measured.values

    def _measure(self, v: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the metrics of a batch.

        Returns:
            `loss`: the mean free energy of the data minus that of the model's samples; `reconstruction_error`: the mean
            squared error of a pixel; `hidden_on`: the mean probability of the hidden units.
        """
        rbm, chains = self._layer.rbm(), self._layer.chains
        p = boltzmann.hidden_probabilities(rbm, v)
        reconstruction = boltzmann.visible_means(rbm, p, self._units)
        h = chains.float() if len(chains) else p
        model = self._units.sample(boltzmann.visible_means(rbm, h, self._units), self._measuring)
        data_energy = boltzmann.free_energy(rbm, v, self._units).mean()
        model_energy = boltzmann.free_energy(rbm, model, self._units).mean()
        return {
            "loss": data_energy - model_energy,
            "reconstruction_error": (v - reconstruction).square().mean() * self._scale**2,
            "hidden_on": p.mean(),
        }

    def parts(self) -> dict[str, Stateful]:
        return {
            "network": self._network,
            "machine": self._layer,
            "updates": self._updates,
            "measured": self._measured,
        }

    def sample(self, count: int) -> torch.Tensor:
        """Return the pixels' means after `sample_steps` Gibbs sweeps, [count, C, H, W] in [0, 1].

        The sweeps begin at the persistent chains, which do not change, or without them at random hidden units.
        """
        rbm, chains = self._layer.rbm(), self._layer.chains.float()
        if not len(chains):
            chains = self._random_hidden(count)
        h = chains[torch.arange(count, device=self._device) % len(chains)]
        v = self._units.sample(boltzmann.visible_means(rbm, h, self._units), self._sampling)
        means, _ = boltzmann.gibbs(rbm, v, self._config.sample_steps, self._sampling, self._units)
        return self._pixels(means)

    def gibbs_chain(self, count: int) -> Iterator[torch.Tensor]:
        """Yield the pixels' means after every Gibbs sweep, from random hidden units."""
        rbm, h = self._layer.rbm(), self._random_hidden(count)
        v = self._units.sample(boltzmann.visible_means(rbm, h, self._units), self._sampling)
        while True:
            means, v = boltzmann.gibbs(rbm, v, 1, self._sampling, self._units)
            yield self._pixels(means)

    def recall_steps(self, images: torch.Tensor, known: torch.Tensor | None = None) -> Iterator[torch.Tensor]:
        """Yield the images, then the pixels' means of Gibbs sweeps from them with the known ones clamped."""
        v, kept = self._visible(images), known_units(known, images, self._device)
        sweeps = boltzmann.clamped_gibbs(self._layer.rbm(), v, kept, self._sampling, self._units)
        for means in recall_means(v, sweeps, known, self._config.sample_steps):
            yield self._pixels(means)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return p(h = 1 | v), [B, H]."""
        return boltzmann.hidden_probabilities(self._layer.rbm(), self._visible(images))

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the pixels' means [B, C, H, W] given the hidden units [B, H]."""
        return self._pixels(boltzmann.visible_means(self._layer.rbm(), codes, self._units))

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Return the pixels' means given the hidden probabilities, [B, C, H, W]."""
        return self.decode(self.encode(images))

    def filters(self, count: int) -> torch.Tensor:
        """Return the weights of the first hidden units, [count, C, H, W]."""
        return self._layer.weight.T[:count].reshape(-1, *self._shape)

    def pseudo_log_likelihood(self, images: torch.Tensor) -> torch.Tensor:
        """Return sum_i log p(v_i | the rest of v), nats [B].

        Raises:
            UserError: For real-valued pixels, and for gray images.
        """
        if self._units is not BERNOULLI:
            raise UserError(
                "the pseudo-likelihood is defined for binary pixels, but this rbm has real-valued ones "
                "(generator.visible.name=gaussian). Train one with generator.visible.name=bernoulli."
            )
        v = self._visible(images)
        self._require_binary(v)
        return boltzmann.pseudo_log_likelihood(self._layer.rbm(), v)

    def is_density(self) -> bool:
        """Return whether the pixels are real-valued."""
        return self._units is not BERNOULLI

    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """Compute the exact log-likelihood if the smaller layer has at most 20 units, else estimate it by AIS.

        The estimate has a bracket (see `bracketed_estimate`). For real-valued pixels it is the log-density.

        Raises:
            UserError: For gray images and binary units.
        """
        rbm, v = self._layer.rbm(), self._visible(images)
        self._require_binary(v)
        density = self.is_density()
        log_jacobian = v.shape[1] * math.log(self._scale)  # from the density of v to that of the pixels
        unnormalized = -boltzmann.free_energy(rbm, v, self._units) - log_jacobian
        smaller_side = len(rbm.hidden_bias) if density else min(len(rbm.hidden_bias), len(rbm.visible_bias))
        if smaller_side <= MAX_ENUMERATED_UNITS:
            nats = (unnormalized - boltzmann.log_partition(rbm, self._units)).float()
            return Estimate("exact", nats, density=density)
        forward, reverse = self._config.ais.log_partition(rbm, v, self._annealing, self._units)
        return replace(bracketed_estimate("ais", unnormalized, forward, reverse), density=density)

    def _random_hidden(self, count: int) -> torch.Tensor:
        """Return hidden units that are 0 or 1 with equal probability, [count, H]."""
        hidden = len(self._layer.hidden_bias)
        return torch.rand(count, hidden, generator=self._sampling, device=self._device).round()

    def _visible(self, images: torch.Tensor) -> torch.Tensor:
        """Return the visible units [B, V] of images, in units of `std` if they are Gaussian."""
        v = as_float(require_shape(images, self._shape, "rbm").to(self._device)).flatten(1)
        return v if self._scale == 1 else v / self._scale

    def _require_binary(self, v: torch.Tensor) -> None:
        """Raise UserError for gray images and binary units; this waits for the device."""
        if self._units is BERNOULLI:
            alternative = ", or take real-valued units: generator.visible.name=gaussian"
            require_binary(v, "generator.name=rbm has binary units", alternative)

    def _pixels(self, means: torch.Tensor) -> torch.Tensor:
        """Return images [B, C, H, W] in [0, 1] from means of the visible units [B, V]."""
        return (means * self._scale).clamp(0, 1).view(-1, *self._shape)
