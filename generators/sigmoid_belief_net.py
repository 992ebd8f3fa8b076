"""The sigmoid belief net: layers of binary units with a recognition network, trained by wake-sleep.

Paper: Hinton, Dayan, Frey & Neal 1995, "The Wake-Sleep Algorithm for Unsupervised Neural Networks"; the model is that
    of Neal 1992, "Connectionist Learning of Belief Networks".
Backbone: it recognizes; its layers have the recognition weights, and the generative weights are separate.
Deviations: an update takes a batch, not one image; the pixels' biases start at the log-odds of the first batch; gray
    values are probabilities, from which black and white are drawn in each update.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Count
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann import belief_layers
from sandbox.generators._boltzmann.belief_layers import BeliefLayer
from sandbox.generators._boltzmann.coupling import CoupledBackbone, layers_of, sigmoids
from sandbox.generators._boltzmann.training import PeriodicMetrics
from sandbox.generators._images.binary import require_binary
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import Estimate, HasEncoder, HasLikelihood, HasReconstruction
from sandbox.interfaces.generator import Generator, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_pixels
from sandbox.ops import belief, likelihood
from sandbox.ops.units import BERNOULLI, sample_bernoulli
from sandbox.streams.shuffled import ShuffledConfig

_MAX_IMAGES = 500  # images at a time for likelihoods


class SigmoidBeliefNetConfig(GeneratorConfig):
    """Options of the sigmoid belief net (Hinton, Dayan, Frey & Neal 1995)."""

    name: Literal["sigmoid_belief_net"] = "sigmoid_belief_net"
    backbone: CoupledBackbone = sigmoids(64, 16)
    lr: Linear = Field(Linear(start=0.1, end=0.0, steps=20_000), description="learning rate, by update")
    importance_samples: Count = Field(500, description="samples for each image that estimate its likelihood")
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "SigmoidBeliefNet":
        return SigmoidBeliefNet(self, spec, rng, compute)


class TopPrior(nn.Module):
    """The prior of the top layer: independent units with these log-odds."""

    log_odds: torch.Tensor

    def __init__(self, units: int) -> None:
        super().__init__()
        self.register_buffer("log_odds", torch.zeros(units))


class SigmoidBeliefNet(Generator, HasLikelihood, HasReconstruction, HasEncoder):
    """A sigmoid belief net.

    Images are uint8 or floats in [0, 1], [B, C, H, W]; likelihoods are those of black-and-white images, in nats.
    """

    def __init__(self, config: SigmoidBeliefNetConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._device = config, image_shape(spec, "sigmoid_belief_net"), compute.device
        with rng.initializing("sigmoid_belief_net/encoder"):
            encoder = config.backbone.make(self._shape).to(compute.device)
        self._network = nn.ModuleDict({"encoder": encoder})
        with rng.initializing("sigmoid_belief_net"):
            self._layers = [BeliefLayer(coupled) for coupled in layers_of(encoder)]
        self._prior = TopPrior(encoder.out_features).to(compute.device)
        self._updates, self._measured = Counter(), PeriodicMetrics()
        self._states = rng.torch("sigmoid_belief_net/states", compute.device)
        self._sampling = rng.torch("sigmoid_belief_net/sample", compute.device)
        self._importance = rng.torch("sigmoid_belief_net/importance", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Take one step of wake-sleep.

        Returns:
            `loss`: minus a lower bound on the batch's log-likelihood, nats, before this update.
        """
        v, lr = sample_bernoulli(self._pixels(batch), self._states), self._config.lr.at(self._updates.value)
        if self._updates.value == 0:
            self._layers[0].generation.bias.copy_(BERNOULLI.bias(v.mean(0), len(v)))

        recognized = belief_layers.recognize(self._layers, v, self._states)  # wake phase
        if self._measured.due(self._updates.value):
            self._measured.values = {"loss": -self._log_weights(recognized).mean()}
        top = self._sample_prior(len(v), self._states)
        generated = belief_layers.generate(self._layers, top, self._states)  # sleep phase

        belief_layers.wake_step(self._layers, recognized, lr)
        self._prior.log_odds.add_((recognized[-1] - torch.sigmoid(self._prior.log_odds)).mean(0), alpha=lr)
        belief_layers.sleep_step(self._layers, generated, lr)
        self._updates.value += 1
        return self._measured.values

    def parts(self) -> dict[str, Stateful]:
        return {
            "network": self._network,
            "layers": nn.ModuleList(self._layers),
            "prior": self._prior,
            "updates": self._updates,
            "measured": self._measured,
        }

    def sample(self, count: int) -> torch.Tensor:
        """Return pixel probabilities given samples of all layers above, [count, C, H, W]."""
        top = self._sample_prior(count, self._sampling)
        return belief_layers.visible_means(self._layers, top, self._sampling).view(-1, *self._shape)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the top layer's units, passing probabilities upwards, [B, Z]."""
        h = self._pixels(images)
        for layer in self._layers:
            h = belief.probabilities(layer.recognition, h)
        return h

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return pixel probabilities [B, C, H, W] given the top layer [B, Z], passing probabilities downwards."""
        for layer in reversed(self._layers):
            codes = belief.probabilities(layer.generation, codes)
        return codes.view(-1, *self._shape)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Encode and decode, [B, C, H, W]."""
        return self.decode(self.encode(images))

    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """Estimate by importance sampling from the recognition network; a lower bound on average.

        Raises:
            UserError: For gray images.
        """
        pixels = self._pixels(images)
        require_binary(pixels, "the likelihood of a sigmoid_belief_net is of binary pixels")
        nats = [self._importance_sampled(v) for v in torch.split(pixels, _MAX_IMAGES)]
        return Estimate("importance", torch.cat(nats))

    def _importance_sampled(self, v: torch.Tensor) -> torch.Tensor:
        """Return log p of each image, nats [B]."""
        log_weights = []
        for _ in range(self._config.importance_samples):
            log_weights.append(self._log_weights(belief_layers.recognize(self._layers, v, self._importance)))
        return likelihood.importance_log_likelihood(torch.stack(log_weights))

    def _log_weights(self, states: list[torch.Tensor]) -> torch.Tensor:
        """Return log p(v, h) - log q(h | v), [B]."""
        prior = belief.prior_log_prob(self._prior.log_odds, states[-1])
        return belief_layers.log_weights(self._layers, states) + prior

    def _sample_prior(self, count: int, generator: torch.Generator) -> torch.Tensor:
        return sample_bernoulli(torch.sigmoid(self._prior.log_odds).expand(count, -1), generator)

    def _pixels(self, images: torch.Tensor) -> torch.Tensor:
        return as_pixels(require_shape(images, self._shape, "sigmoid_belief_net"), self._device).flatten(1)
