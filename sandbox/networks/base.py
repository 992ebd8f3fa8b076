"""What every backbone offers."""

from abc import abstractmethod
from collections.abc import Sequence

from torch import nn

from sandbox.config.base import Config


class Encoder(nn.Module):
    """[B, *input_shape] -> [B, out_features]."""

    out_features: int


class BackboneConfig(Config):
    """A file under `sandbox/networks/` that defines one is a backbone, by its `name`."""

    name: str

    @abstractmethod
    def make(self, input_shape: Sequence[int]) -> Encoder:
        """Raises UserError for inputs this backbone cannot take."""
