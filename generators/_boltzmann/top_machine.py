"""The undirected top of a deep belief net, with or without label units: an associative memory.

Paper: Hinton, Osindero & Teh 2006, "A Fast Learning Algorithm for Deep Belief Nets".
"""

import torch
from torch.nn import functional as F

from sandbox.ops import boltzmann, labels
from sandbox.ops.belief import SigmoidLayer
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.units import BERNOULLI, BernoulliAndSoftmax, Units, sample_one_hot


class TopMachine:
    """A restricted Boltzmann machine on [the V units of the layer below, K label units]; K may be 0.

    Attributes:
        rbm: Its weights and biases.
        units: Kind of its visible units.
    """

    def __init__(self, rbm: RBMParameters, num_labels: int) -> None:
        self.rbm, self._num_labels = rbm, num_labels
        self.units: Units = BernoulliAndSoftmax(num_labels) if num_labels else BERNOULLI

    @property
    def recognition(self) -> SigmoidLayer:
        """The pass upwards without labels: the weights from the units below, and the hidden biases."""
        return SigmoidLayer(self.rbm.weight[: self._num_below()], self.rbm.hidden_bias)

    @property
    def generation(self) -> SigmoidLayer:
        """The pass downwards to the units below: the weights transposed, and the visible biases."""
        below = self._num_below()
        return SigmoidLayer(self.rbm.weight[:below].T, self.rbm.visible_bias[:below])

    def below(self, v: torch.Tensor) -> torch.Tensor:
        """Return the units of the layer below, without the labels: [B, V + K] -> [B, V]."""
        return v[:, : self._num_below()]

    def with_labels(self, below: torch.Tensor, given: torch.Tensor | None) -> torch.Tensor:
        """Append the given labels [B] as one-hot vectors, if the machine has label units: [B, V] -> [B, V + K]."""
        if not self._num_labels:
            return below
        assert given is not None, "the constructor of the net requires classes"
        one_hot = F.one_hot(given.to(below.device), self._num_labels)
        return torch.cat([below, one_hot.to(below.dtype)], 1)

    def with_sampled_labels(self, below: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Append labels drawn from p(y | below), if the machine has label units: [B, V] -> [B, V + K]."""
        if not self._num_labels:
            return below
        return torch.cat([below, sample_one_hot(self.label_probabilities(below), generator)], 1)

    def label_probabilities(self, below: torch.Tensor) -> torch.Tensor:
        """Return p(y | below) by the free energies, [B, V] -> [B, K]."""
        return labels.probabilities(self.rbm, below, self._num_labels)

    def free_energy(self, below: torch.Tensor) -> torch.Tensor:
        """Return -log sum exp(-E) over the hidden units and the labels, [B, V] -> [B]."""
        if not self._num_labels:
            return boltzmann.free_energy(self.rbm, below)
        return -torch.logsumexp(-labels.free_energies(self.rbm, below, self._num_labels), 1)

    def sample(
        self, h: torch.Tensor, given: torch.Tensor | None, steps: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Run Gibbs sweeps from hidden states; return the last means of the units below and their sample, [B, V] each.

        Args:
            h: The first hidden states, [B, H].
            given: Labels [B] that are clamped, or None to sample them, too.
            steps: Number of sweeps.
            generator: Source of the samples.
        """
        v = self.units.sample(boltzmann.visible_means(self.rbm, h, self.units), generator)
        if given is None:
            means, v = boltzmann.gibbs(self.rbm, v, steps, generator, self.units)
            return self.below(means), self.below(v)
        for _ in range(steps):
            v = self.with_labels(self.below(v), given)
            means, v = boltzmann.gibbs(self.rbm, v, 1, generator, self.units)
        return self.below(means), self.below(v)

    def sweep(self, below: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Run a Gibbs sweep from units below, whose labels are drawn first; return as `sample` does."""
        v = self.with_sampled_labels(below, generator)
        means, v = boltzmann.gibbs(self.rbm, v, 1, generator, self.units)
        return self.below(means), self.below(v)

    def smaller_side(self) -> int:
        """Return the number of units whose states have to be enumerated for log Z."""
        hidden = len(self.rbm.hidden_bias)
        return hidden if self._num_labels else min(hidden, len(self.rbm.visible_bias))

    def _num_below(self) -> int:
        return len(self.rbm.visible_bias) - self._num_labels
