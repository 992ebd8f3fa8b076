"""The sigmoid belief net: binary layers, each made from the one above, with a net that recognises; by wake and sleep.

Paper: Hinton, Dayan, Frey & Neal 1995, "The Wake-Sleep Algorithm for Unsupervised Neural Networks"; the model is Neal's
    of 1992, "Connectionist Learning of Belief Networks". Deviations: a batch an update; the pixels' biases start at the
    log-odds of the first batch; grey pixels are drawn afresh in each update.
"""

from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field, PositiveInt
from torch import nn

from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann import belief_layers
from sandbox.generators._boltzmann.belief_layers import Directed
from sandbox.generators._boltzmann.rbm_layer import Measured
from sandbox.generators._images.binary import refuse_grey
from sandbox.generators._images.shapes import image_shape
from sandbox.interfaces.generator import Estimate, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_pixels
from sandbox.ops import belief, likelihood
from sandbox.ops.units import BERNOULLI, draw
from sandbox.streams.shuffled import ShuffledConfig

_MEASURED_EVERY = 100  # updates; in between the log repeats what was measured
_TOGETHER = 500  # images whose likelihood is estimated side by side


class SigmoidBeliefNetConfig(GeneratorConfig):
    """`layers`: hidden units, bottom to top; `importance_samples` for each image's likelihood."""

    name: Literal["sigmoid_belief_net"] = "sigmoid_belief_net"
    layers: tuple[PositiveInt, ...] = Field((64, 16), min_length=1)
    lr: Linear = Linear(start=0.1, end=0.0, steps=20_000)
    importance_samples: PositiveInt = 500
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "SigmoidBeliefNet":
        return SigmoidBeliefNet(self, spec, rng, compute)


class Prior(nn.Module):
    """Log-odds of the top layer's units."""

    log_odds: torch.Tensor

    def __init__(self, units: int) -> None:
        super().__init__()
        self.register_buffer("log_odds", torch.zeros(units))


class SigmoidBeliefNet:
    """Images are uint8 or floats in [0, 1], [B, C, H, W]; likelihoods are nats of black-and-white ones."""

    def __init__(self, config: SigmoidBeliefNetConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._device = config, image_shape(spec, "sigmoid_belief_net"), compute.device
        sizes = (torch.Size(self._shape).numel(), *config.layers)
        with rng.initializing("sigmoid_belief_net"):
            self._layers = [Directed(*pair).to(compute.device) for pair in pairwise(sizes)]
        self._prior = Prior(sizes[-1]).to(compute.device)
        self._updates, self._measured = Counter(), Measured()
        self._draws = rng.torch("sigmoid_belief_net/states", compute.device)
        self._sampling = rng.torch("sigmoid_belief_net/sample", compute.device)
        self._importance = rng.torch("sigmoid_belief_net/importance", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        """`loss`: minus a lower bound on the batch's log-likelihood, nats, before this update."""
        v, lr = draw(self._pixels_of(batch), self._draws), self._config.lr.at(self._updates.value)
        if self._updates.value == 0:
            self._layers[0].generation.bias.copy_(BERNOULLI.bias(v.mean(0), len(v)))
        states = belief_layers.recognise(self._layers, v, self._draws)
        if self._updates.value % _MEASURED_EVERY == 0:
            self._measured.values = {"loss": -self._log_weights(states).mean()}
        dreams = belief_layers.generate(self._layers, self._from_prior(len(v), self._draws), self._draws)
        belief_layers.wake(self._layers, states, lr)
        self._prior.log_odds.add_((states[-1] - torch.sigmoid(self._prior.log_odds)).mean(0), alpha=lr)
        belief_layers.sleep(self._layers, dreams, lr)
        self._updates.value += 1
        return self._measured.values

    def parts(self) -> dict[str, Stateful]:
        return {
            "layers": nn.ModuleList(self._layers),
            "prior": self._prior,
            "updates": self._updates,
            "measured": self._measured,
        }

    def sample(self, count: int) -> torch.Tensor:
        """Pixel probabilities given draws of all layers above, [count, C, H, W]."""
        top = self._from_prior(count, self._sampling)
        return belief_layers.means(self._layers, top, self._sampling).view(-1, *self._shape)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Probabilities of the top layer's units, by probabilities all the way up, [B, Z]."""
        h = self._pixels_of(images)
        for layer in self._layers:
            h = belief.probabilities(layer.recognition, h)
        return h

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """[B, Z] -> probabilities of the pixels [B, C, H, W], by probabilities all the way down."""
        for layer in reversed(self._layers):
            codes = belief.probabilities(layer.generation, codes)
        return codes.view(-1, *self._shape)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Up and down again, [B, C, H, W]."""
        return self.decode(self.encode(images))

    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """`importance`: from `importance_samples` that the recognition net draws; a lower bound on average."""
        pixels = self._pixels_of(images)
        refuse_grey(pixels, "the likelihood of a sigmoid_belief_net is of binary pixels")
        chunks = torch.split(pixels, _TOGETHER)
        return Estimate("importance", torch.cat([self._importance_sampled(v) for v in chunks]))

    def _importance_sampled(self, v: torch.Tensor) -> torch.Tensor:
        draws = range(self._config.importance_samples)
        log_weights = [self._log_weights(belief_layers.recognise(self._layers, v, self._importance)) for _ in draws]
        return likelihood.importance_log_likelihood(torch.stack(log_weights))

    def _log_weights(self, states: list[torch.Tensor]) -> torch.Tensor:
        """log p(v, h) - log q(h | v), [B]."""
        prior = belief.log_prob_alone(self._prior.log_odds, states[-1])
        return belief_layers.log_weights(self._layers, states) + prior

    def _from_prior(self, count: int, generator: torch.Generator) -> torch.Tensor:
        return draw(torch.sigmoid(self._prior.log_odds).expand(count, -1), generator)

    def _pixels_of(self, images: torch.Tensor) -> torch.Tensor:
        return as_pixels(images, self._device).flatten(1)
