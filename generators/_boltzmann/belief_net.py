"""A deep belief net to infer with and to sample from: directed layers below an undirected top machine.

Papers: Hinton, Osindero & Teh 2006, "A Fast Learning Algorithm for Deep Belief Nets"; the bound as Salakhutdinov &
Murray 2008, "On the Quantitative Analysis of Deep Belief Networks".
"""

from collections.abc import Iterator, Sequence

import torch

from sandbox.generators._boltzmann import belief_layers
from sandbox.generators._boltzmann.annealing import MAX_ENUMERATED_UNITS, Annealing, bracketed_estimate
from sandbox.generators._boltzmann.belief_layers import BeliefLayer
from sandbox.generators._boltzmann.top_machine import TopMachine
from sandbox.interfaces.capabilities import Estimate
from sandbox.ops import belief, boltzmann
from sandbox.ops.belief import SigmoidLayer
from sandbox.ops.units import sample_bernoulli

_MAX_IMAGES = 500  # images at a time for the bound


class BeliefNet:
    """A deep belief net; pixels are [B, V] floats in [0, 1].

    Attributes:
        directed: The directed layers, lowest first; may be empty.
        top: The machine on top of them.
    """

    def __init__(self, directed: Sequence[BeliefLayer], top: TopMachine) -> None:
        self.directed, self.top = directed, top

    def recognition_layers(self) -> list[SigmoidLayer]:
        """Return the weights that infer each hidden layer, lowest first; labels are left out."""
        return [*(layer.recognition for layer in self.directed), self.top.recognition]

    def generation_layers(self) -> list[SigmoidLayer]:
        """Return the weights of the pass downwards, the topmost layer first; labels are left out."""
        return [self.top.generation, *(layer.generation for layer in reversed(self.directed))]

    def encode(self, v: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the top layer's units, passing probabilities upwards, [B, H]."""
        return belief.probabilities(self.top.recognition, self._upwards(v))

    def decode(self, h: torch.Tensor) -> torch.Tensor:
        """Return pixel probabilities [B, V] given the top layer [B, H], passing probabilities downwards."""
        for layer in self.generation_layers():
            h = belief.probabilities(layer, h)
        return h

    def classify(self, v: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the labels, passing probabilities upwards to the top machine, [B, K]."""
        return self.top.label_probabilities(self._upwards(v))

    def sample(
        self, h: torch.Tensor, labels: torch.Tensor | None, steps: int, generator: torch.Generator
    ) -> torch.Tensor:
        """Return pixel probabilities [B, V] after Gibbs sweeps of the top machine; arguments as `TopMachine.sample`."""
        p, states = self.top.sample(h, labels, steps, generator)
        return belief_layers.visible_means(self.directed, states, generator) if self.directed else p

    def clamped_sweeps(
        self, v: torch.Tensor, known: torch.Tensor, generator: torch.Generator
    ) -> Iterator[torch.Tensor]:
        """Yield the means of the pixels [B, V] after sweeps that begin at v, endlessly; known pixels stay.

        A sweep samples all layers upwards by the recognition weights, takes one Gibbs sweep of the top machine, samples
        downwards by the generative weights, and puts the known pixels back. This is the usual approximation, since
        recognition is not the exact posterior. Without layers below the top machine it is exact.
        """
        given = v
        while True:
            below = belief_layers.recognize(self.directed, v, generator)[-1]
            p, states = self.top.sweep(below, generator)
            means = belief_layers.visible_means(self.directed, states, generator) if self.directed else p
            v = torch.where(known, given, sample_bernoulli(means, generator))
            yield torch.where(known, given, means)

    def log_likelihood(self, v: torch.Tensor, samples: int, ais: Annealing, generator: torch.Generator) -> Estimate:
        """Estimate a lower bound on log p(v), or log p(v) itself without layers below the top machine.

        Args:
            v: Binary pixels.
            samples: Samples of the hidden layers for each image.
            ais: Estimate of the top machine's log Z if it is too large to enumerate.
            generator: Source of the samples.
        """
        top, kinds = self.top, ("bound", "bound by ais") if self.directed else ("exact", "ais")
        h = belief_layers.recognize(self.directed, v, generator)[-1]
        unnormalized = torch.cat([self._bound(x, samples, generator) for x in torch.split(v, _MAX_IMAGES)])
        if top.smaller_side() <= MAX_ENUMERATED_UNITS:
            return Estimate(kinds[0], (unnormalized - boltzmann.log_partition(top.rbm, top.units)).float())
        h = top.with_sampled_labels(h, generator)
        forward, reverse = ais.log_partition(top.rbm, h, generator, top.units)
        return bracketed_estimate(kinds[1], unnormalized, forward, reverse)

    def _bound(self, v: torch.Tensor, samples: int, generator: torch.Generator) -> torch.Tensor:
        """Return the bound plus log Z of the top machine, [B]."""
        samples = samples if self.directed else 1
        total = torch.zeros(len(v), device=v.device)
        for _ in range(samples):
            states = belief_layers.recognize(self.directed, v, generator)
            total += belief_layers.log_weights(self.directed, states) - self.top.free_energy(states[-1])
        return total / samples

    def _upwards(self, v: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the units below the top machine, [B, V']."""
        for layer in self.directed:
            v = belief.probabilities(layer.recognition, v)
        return v
