"""The restricted Boltzmann machine, with binary or real pixels: no gradient tape, no optimiser.

Paper: Tieleman 2008, "Training Restricted Boltzmann Machines using Approximations to the Likelihood Gradient", or with
    `learning.chains.name: contrastive` Hinton 2002; centred as Melchior, Fischer & Wiskott 2016 if asked to;
    likelihoods as Salakhutdinov & Murray 2008. Deviations: momentum; the visible biases start at the means of the first
    batch, not of the whole set; the random thresholds of units have 16 bits while it learns; with `precision: bf16` the
    products are rounded, weights stay fp32.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import torch
from pydantic import PositiveInt

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann.annealing import ENUMERATED, Annealing, estimate
from sandbox.generators._boltzmann.rbm_layer import MEASURED_EVERY, BernoulliUnits, Layer, Learning, Measured, Visible
from sandbox.generators._images.binary import refuse_grey
from sandbox.generators._images.shapes import image_shape
from sandbox.interfaces.generator import Estimate, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.ops import boltzmann
from sandbox.ops.units import BERNOULLI
from sandbox.streams.shuffled import ShuffledConfig


class RBMConfig(GeneratorConfig):
    """`sample_steps`: sweeps from the chains (or from noise) to a sample; `ais`: for what cannot be enumerated."""

    name: Literal["rbm"] = "rbm"
    hidden_size: PositiveInt = 16
    visible: Visible = BernoulliUnits()
    learning: Learning = Learning()
    sample_steps: PositiveInt = 500
    ais: Annealing = Annealing()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "RBM":
        return RBM(self, spec, rng, compute)


class RBM:
    """Images are uint8 or floats in [0, 1], [B, C, H, W]; for binary units black and white."""

    def __init__(self, config: RBMConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._device = config, image_shape(spec, "rbm"), compute.device
        self._units, self._scale = config.visible.units(), config.visible.scale()
        visible = torch.Size(self._shape).numel()
        self._layer = Layer((visible, config.hidden_size), config.learning, self._units, rng, "rbm", compute)
        self._updates, self._measured = Counter(), Measured()
        self._measuring = rng.torch("rbm/measure", compute.device)
        self._sampling = rng.torch("rbm/sample", compute.device)
        self._annealing = rng.torch("rbm/annealing", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        v = self._visible(batch)
        if self._updates.value == 0:
            self._start(v)
        if self._updates.value % MEASURED_EVERY == 0:
            self._measured.values = self._measure(v)
        self._layer.learn(v, self._updates.value)
        self._updates.value += 1
        return self._measured.values

    def _start(self, v: torch.Tensor) -> None:
        """Look at the first batch, the only time that an update waits for the device.

        Raises:
            UserError: for grey images and binary units.
        """
        self._refuse_grey(v)
        self._layer.start(v)

    def _measure(self, v: torch.Tensor) -> dict[str, torch.Tensor]:
        """`loss`: how much lower the free energy of the data is than that of the machine's own samples."""
        machine, chains = self._layer.machine(), self._layer.chains
        p = boltzmann.hidden_probabilities(machine, v)
        back = boltzmann.visible_means(machine, p, self._units)
        h = chains.float() if len(chains) else p
        model = self._units.draw(boltzmann.visible_means(machine, h, self._units), self._measuring)
        energies = [boltzmann.free_energy(machine, x, self._units).mean() for x in (v, model)]
        return {
            "loss": energies[0] - energies[1],
            "reconstruction_error": (v - back).square().mean() * self._scale**2,
            "hidden_on": p.mean(),
        }

    def parts(self) -> dict[str, Stateful]:
        return {"machine": self._layer, "updates": self._updates, "measured": self._measured}

    def sample(self, count: int) -> torch.Tensor:
        """Means of the pixels after `sample_steps` sweeps from the chains (which stay), [count, C, H, W] in [0, 1]."""
        machine, chains = self._layer.machine(), self._layer.chains.float()
        if not len(chains):
            noise = torch.rand(count, len(machine.hidden_bias), generator=self._sampling, device=self._device)
            chains = noise.round()
        h = chains[torch.arange(count, device=self._device) % len(chains)]
        v = self._units.draw(boltzmann.visible_means(machine, h, self._units), self._sampling)
        means, _ = boltzmann.gibbs(machine, v, self._config.sample_steps, self._sampling, self._units)
        return self._pixels(means)

    def dreaming(self, count: int) -> Iterator[torch.Tensor]:
        """Means of the pixels, sweep by sweep, from hidden units that are thrown like coins."""
        machine = self._layer.machine()
        h = torch.rand(count, len(machine.hidden_bias), generator=self._sampling, device=self._device).round()
        v = self._units.draw(boltzmann.visible_means(machine, h, self._units), self._sampling)
        while True:
            means, v = boltzmann.gibbs(machine, v, 1, self._sampling, self._units)
            yield self._pixels(means)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """p(h = 1 | v), [B, H]."""
        return boltzmann.hidden_probabilities(self._layer.machine(), self._visible(images))

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """[B, H] -> means of the pixels, [B, C, H, W]."""
        return self._pixels(boltzmann.visible_means(self._layer.machine(), codes, self._units))

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Up and down once, by probabilities, [B, C, H, W]."""
        return self.decode(self.encode(images))

    def filters(self, count: int) -> torch.Tensor:
        """The weights of the first hidden units, [count, C, H, W]."""
        return self._layer.weight.T[:count].reshape(-1, *self._shape)

    def pseudo_log_likelihood(self, images: torch.Tensor) -> torch.Tensor:
        """sum_i log p(v_i | the rest of v), nats [B].

        Raises:
            UserError: for real pixels, and for grey images.
        """
        if self._units is not BERNOULLI:
            raise UserError(
                "the pseudo-likelihood is one of pixels that are black or white, but this rbm has real ones "
                "(generator.visible.name=gaussian). For it, train one with generator.visible.name=bernoulli."
            )
        v = self._visible(images)
        self._refuse_grey(v)
        return boltzmann.pseudo_log_likelihood(self._layer.machine(), v)

    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """`exact` by enumeration where the smaller layer has 20 units at most, else `ais`.

        With `ais`, the nats are those of annealing up from independent pixels, which flatters on average. The bracket
        reaches down to the estimate from the machine's samples (sweeps that begin at these images) and up, each three
        standard errors further. Of real pixels it is the density.

        Raises:
            UserError: for grey images and binary units.
        """
        machine, v = self._layer.machine(), self._visible(images)
        self._refuse_grey(v)
        density = self._units is not BERNOULLI
        nats = -boltzmann.free_energy(machine, v, self._units) - v.shape[1] * math.log(self._scale)  # of v, of pixels
        smaller = len(machine.hidden_bias) if density else min(len(machine.hidden_bias), len(machine.visible_bias))
        if smaller <= ENUMERATED:
            nats = (nats - boltzmann.log_partition(machine, self._units)).float()
            return Estimate("exact", nats, density=density)
        up, down = self._config.ais.log_partition(machine, v, self._annealing, self._units)
        return replace(estimate("ais", nats, up, down), density=density)

    def _visible(self, images: torch.Tensor) -> torch.Tensor:
        v = as_float(images.to(self._device)).flatten(1)
        return v if self._scale == 1 else v / self._scale

    def _refuse_grey(self, v: torch.Tensor) -> None:
        """Raises UserError for grey images and binary units; it waits for the device."""
        if self._units is BERNOULLI:
            real = ", or take real ones: generator.visible.name=gaussian"
            refuse_grey(v, "generator.name=rbm has binary units", real)

    def _pixels(self, means: torch.Tensor) -> torch.Tensor:
        return (means * self._scale).clamp(0, 1).view(-1, *self._shape)
