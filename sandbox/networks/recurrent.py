"""What a recurrent agent remembers with, by name: an LSTM, a GRU, a plain RNN, or nothing at all.

Papers: Hochreiter & Schmidhuber 1997, "Long Short-Term Memory"; Cho et al. 2014, "Learning Phrase Representations using
    RNN Encoder-Decoder"; Elman 1990, "Finding Structure in Time".
Deviations: PyTorch's cells, whose LSTM has a forget gate (Gers et al. 2000). With `chrono_init_horizon`, gates begin
as in Tallec &
    Ollivier 2018, "Can recurrent neural networks warp time?": half open, they would forget half at every step.
"""

from abc import abstractmethod
from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt
from torch import nn

from sandbox.config.base import Config, unnamed_is

RecurrentState = tuple[torch.Tensor, ...]  # [B, size] each: an LSTM's output and cell, another's output, nothing's none


class RecurrentConfig(Config):
    """Makes a module of features [B, T, F] and the memory before them -> outputs [B, T, out_features], memory after."""

    @abstractmethod
    def make(self, features: int) -> "Recurrent": ...


Horizon = Annotated[int, Field(ge=3)] | None


class LSTM(RecurrentConfig):
    """`size`: numbers in its output and its cell; they begin by lasting from 1 to `chrono_init_horizon` steps, null:
    about 2."""

    name: Literal["lstm"] = "lstm"
    size: PositiveInt = 512
    chrono_init_horizon: Horizon = None

    def make(self, features: int) -> "Recurrent":
        cell = nn.LSTM(features, self.size, batch_first=True)
        if self.chrono_init_horizon is not None:
            keep = _spans(self.size, self.chrono_init_horizon)
            _bias(cell, slice(0, self.size), -keep)  # its input gate
            _bias(cell, slice(self.size, 2 * self.size), keep)  # its forget gate
        return Recurrent(cell, 2, self.size)


class GRU(RecurrentConfig):
    """`size`: numbers in its output; they begin by lasting from 1 to `chrono_init_horizon` steps, null: about 2."""

    name: Literal["gru"] = "gru"
    size: PositiveInt = 512
    chrono_init_horizon: Horizon = None

    def make(self, features: int) -> "Recurrent":
        cell = nn.GRU(features, self.size, batch_first=True)
        if self.chrono_init_horizon is not None:
            _bias(cell, slice(self.size, 2 * self.size), _spans(self.size, self.chrono_init_horizon))  # its update gate
        return Recurrent(cell, 1, self.size)


class RNN(RecurrentConfig):
    """tanh; `size`: numbers in its output."""

    name: Literal["rnn"] = "rnn"
    size: PositiveInt = 512

    def make(self, features: int) -> "Recurrent":
        return Recurrent(nn.RNN(features, self.size, batch_first=True), 1, self.size)


class NoRecurrence(RecurrentConfig):
    """Features go through as they are: what a recurrent agent is without its memory."""

    name: Literal["none"] = "none"

    def make(self, features: int) -> "Recurrent":
        return Recurrent(Identity(), 0, features)


AnyCore = Annotated[LSTM | GRU | RNN | NoRecurrence, Field(discriminator="name"), unnamed_is("lstm")]
AnyRecurrentCore = Annotated[LSTM | GRU | RNN, Field(discriminator="name"), unnamed_is("lstm")]


def _spans(size: int, chrono_init_horizon: int) -> torch.Tensor:
    """[size] biases of gates that keep what they have for 1 to `chrono_init_horizon` steps."""
    return torch.empty(size).uniform_(1, chrono_init_horizon - 1).log()


def _bias(cell: nn.RNNBase, gate: slice, values: torch.Tensor) -> None:
    """Start a gate with these biases: PyTorch adds two."""
    biases = dict(cell.named_parameters())
    with torch.no_grad():
        biases["bias_ih_l0"][gate] = values
        biases["bias_hh_l0"][gate] = 0.0


class Identity(nn.Module):
    """Has no memory."""

    def forward(self, features: torch.Tensor, memory: RecurrentState) -> tuple[torch.Tensor, RecurrentState]:
        return features, memory


class Recurrent(nn.Module):
    """One pass over all T steps, in fp32."""

    def __init__(self, cell: nn.Module, num_parts: int, out_features: int) -> None:
        super().__init__()
        self.cell, self._num_parts, self.out_features = cell, num_parts, out_features

    def initial(self, count: int, device: torch.device) -> RecurrentState:
        """[count, size] zeros each."""
        return tuple(torch.zeros(count, self.out_features, device=device) for _ in range(self._num_parts))

    def forward(self, features: torch.Tensor, memory: RecurrentState) -> tuple[torch.Tensor, RecurrentState]:
        parts = tuple(part[None].contiguous() for part in memory)
        with torch.autocast(features.device.type, enabled=False):
            outputs, after = self.cell(features.float(), parts[0] if len(parts) == 1 else parts)
        return outputs, tuple(part[0] for part in ((after,) if isinstance(after, torch.Tensor) else after))
