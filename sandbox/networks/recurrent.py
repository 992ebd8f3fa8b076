"""Recurrent cores: LSTM, GRU, RNN, or none.

Papers: Hochreiter & Schmidhuber 1997, "Long Short-Term Memory"; Cho et al. 2014, "Learning Phrase Representations using
    RNN Encoder-Decoder"; Elman 1990, "Finding Structure in Time".
Deviations: PyTorch's cells, whose LSTM has a forget gate (Gers et al. 2000). With `chrono_init_horizon`, the biases of
    gates are initialized as in Tallec & Ollivier 2018, "Can recurrent neural networks warp time?"; otherwise gates
    start half open, so that a state halves at every step.
"""

from abc import abstractmethod
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.base import Config, unnamed_is
from sandbox.config.numbers import StateSize

# [B, size] each: output and cell of an LSTM, the output of a GRU or RNN; empty without a recurrent core.
RecurrentState = tuple[torch.Tensor, ...]


class RecurrentConfig(Config):
    """Options of a recurrent core."""

    @abstractmethod
    def make(self, features: int) -> "Recurrent":
        """Build the core for inputs of `features` numbers."""


Size = Annotated[StateSize, Field(description="numbers in the output")]
Horizon = Annotated[
    Annotated[int, Field(ge=3, le=1_000_000)] | None,
    Field(description="gates are initialized to keep the state for 1 to so many steps; null: for about 2"),
]


class LSTM(RecurrentConfig):
    """A long short-term memory."""

    name: Literal["lstm"] = "lstm"
    size: Size = 512
    chrono_init_horizon: Horizon = None

    def make(self, features: int) -> "Recurrent":
        """Build the core."""
        cell = nn.LSTM(features, self.size, batch_first=True)
        if self.chrono_init_horizon is not None:
            keep = _chrono_biases(self.size, self.chrono_init_horizon)
            _set_biases(cell, slice(0, self.size), -keep)  # input gate
            _set_biases(cell, slice(self.size, 2 * self.size), keep)  # forget gate
        return Recurrent(cell, 2, self.size)


class GRU(RecurrentConfig):
    """A gated recurrent unit."""

    name: Literal["gru"] = "gru"
    size: Size = 512
    chrono_init_horizon: Horizon = None

    def make(self, features: int) -> "Recurrent":
        """Build the core."""
        cell = nn.GRU(features, self.size, batch_first=True)
        if self.chrono_init_horizon is not None:
            keep = _chrono_biases(self.size, self.chrono_init_horizon)
            _set_biases(cell, slice(self.size, 2 * self.size), keep)  # update gate
        return Recurrent(cell, 1, self.size)


class RNN(RecurrentConfig):
    """A plain recurrent network with tanh units."""

    name: Literal["rnn"] = "rnn"
    size: Size = 512

    def make(self, features: int) -> "Recurrent":
        """Build the core."""
        return Recurrent(nn.RNN(features, self.size, batch_first=True), 1, self.size)


class NoRecurrence(RecurrentConfig):
    """No recurrent core: the features are the outputs."""

    name: Literal["none"] = "none"

    def make(self, features: int) -> "Recurrent":
        """Build the identity."""
        return Recurrent(Identity(), 0, features)


AnyCore = Annotated[LSTM | GRU | RNN | NoRecurrence, Field(discriminator="name"), unnamed_is("lstm")]
AnyRecurrentCore = Annotated[LSTM | GRU | RNN, Field(discriminator="name"), unnamed_is("lstm")]


def _chrono_biases(size: int, chrono_init_horizon: int) -> torch.Tensor:
    """Draw biases [size] of gates that keep the state for 1 to `chrono_init_horizon` steps."""
    return torch.empty(size).uniform_(1, chrono_init_horizon - 1).log()


def _set_biases(cell: nn.RNNBase, gate: slice, values: torch.Tensor) -> None:
    """Initialize the biases of a gate; PyTorch adds two, of which the second becomes 0."""
    biases = dict(cell.named_parameters())
    with torch.no_grad():
        biases["bias_ih_l0"][gate] = values
        biases["bias_hh_l0"][gate] = 0.0


class Identity(nn.Module):
    """A cell without a state."""

    def forward(self, features: torch.Tensor, state: RecurrentState) -> tuple[torch.Tensor, RecurrentState]:
        """Return both arguments."""
        return features, state


class Recurrent(nn.Module):
    """Features [B, T, F] and the state before them -> outputs [B, T, out_features] and the state after them; fp32."""

    def __init__(self, cell: nn.Module, num_parts: int, out_features: int) -> None:
        super().__init__()
        self.cell, self._num_parts, self.out_features = cell, num_parts, out_features

    def initial(self, count: int, device: torch.device) -> RecurrentState:
        """Return the state at an episode's start: zeros [count, size]."""
        return tuple(torch.zeros(count, self.out_features, device=device) for _ in range(self._num_parts))

    def forward(self, features: torch.Tensor, state: RecurrentState) -> tuple[torch.Tensor, RecurrentState]:
        """Go through all T steps in one pass."""
        parts = tuple(part[None].contiguous() for part in state)  # PyTorch has a dimension of layers before B
        with torch.autocast(features.device.type, enabled=False):
            outputs, after = self.cell(features.float(), parts[0] if len(parts) == 1 else parts)
        if isinstance(after, torch.Tensor):
            after = (after,)
        return outputs, tuple(part[0] for part in after)
