"""The Markov chains of the top machine of a deep belief net in the up-down algorithm."""

import torch
from torch import nn

from sandbox.generators._boltzmann.rbm_layer import Chains, PersistentChains
from sandbox.generators._boltzmann.top_machine import TopMachine
from sandbox.ops import boltzmann
from sandbox.ops.units import sample_bernoulli


class TopChains(nn.Module):
    """Visible states [C, V + K] that go on from one update to the next; C = 0 for chains that start at the data."""

    states: torch.Tensor

    def __init__(self, chains: Chains, visible: int, device: torch.device) -> None:
        """Reserve the states of persistent chains; `start` sets them.

        Args:
            chains: The kind of chains, and their sweeps.
            visible: Number of visible units of the top machine, V + K.
            device: Device of the states.
        """
        super().__init__()
        self._steps = chains.steps
        count = chains.count if isinstance(chains, PersistentChains) else 0
        self.register_buffer("states", torch.zeros(count, visible, device=device))

    def start(self, data: torch.Tensor) -> None:
        """Let persistent chains begin at data [B, V + K], repeated if there are fewer of them."""
        self.states.copy_(data[torch.arange(len(self.states), device=data.device) % len(data)])

    def started(self) -> bool:
        """Return whether there are persistent chains that have been started; before that, all their units are 0."""
        return bool(self.states.any())

    def advance(self, top: TopMachine, data: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return samples of the machine after some Gibbs sweeps from the persistent chains [C, V + K], or from data.

        Args:
            top: The machine.
            data: Its visible units, given the data, [B, V + K].
            generator: Source of the samples.
        """
        persistent = len(self.states) > 0
        _, model = boltzmann.gibbs(top.rbm, self.states if persistent else data, self._steps, generator, top.units)
        if persistent:
            self.states.copy_(model)
        return model

    def hidden_states(self, top: TopMachine, count: int, generator: torch.Generator) -> torch.Tensor:
        """Return hidden states [count, H] given those of persistent chains; the chains do not change."""
        v = self.states[torch.arange(count, device=self.states.device) % len(self.states)]
        return sample_bernoulli(boltzmann.hidden_probabilities(top.rbm, v), generator)
