"""The network of an autoencoder with a Gaussian fitted to its codes."""

from collections.abc import Sequence

import torch

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.networks.base import BackboneConfig, CanCouple
from sandbox.networks.decoders.bottleneck import Bottleneck
from sandbox.networks.moments import CodeMoments


class ImageCoder:
    """A backbone that encodes images linearly and its mirror image that decodes, in the run's precision.

    An autoencoder has no distribution over its codes. For samples, this fits a Gaussian to the codes of the latest
    batches.
    """

    def __init__(
        self, backbone: BackboneConfig, latent_size: int, shape: tuple[int, ...], rng: Rng, name: str, compute: Compute
    ) -> None:
        """Build the network.

        Args:
            backbone: Network of the encoder.
            latent_size: Size of the code, Z.
            shape: Shape of an image, [C, H, W].
            rng: The run's random streams.
            name: Prefix of its random streams.
            compute: Device and precision.
        """
        self._compute = compute
        with rng.initializing(name):
            self.network = Bottleneck(backbone, latent_size, shape).to(compute.device)
        self.moments = CodeMoments(latent_size).to(compute.device)
        self._sampling = rng.torch(f"{name}/sample", compute.device)

    @torch.no_grad()
    def start_decoder(self, layers: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Copy weights [inputs, outputs] and biases into the decoder's layers above the code's, which stays as it is.

        Args:
            layers: The pass downwards of a stack with the same backbone, topmost layer first.
        """
        decoder = self.network.decoder
        assert isinstance(decoder, CanCouple), "the backbones of such stacks are perceptrons"
        for linear, (weight, bias) in zip(decoder.couplings()[1:], layers, strict=True):
            linear.weight.copy_(weight.T)
            linear.bias.copy_(bias)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """Return codes [B, Z] in fp32 of pixels [B, C, H, W] in [0, 1]."""
        with self._compute.autocast():
            codes = self.network.encode(x)
        return codes.float()

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the logits of the pixels [B, C, H, W] in fp32 of codes [B, Z]."""
        with self._compute.autocast():
            logits = self.network.decode(codes)
        return logits.float()

    def sample_codes(self, count: int) -> torch.Tensor:
        """Draw codes [count, Z] from the fitted Gaussian."""
        return self.moments.draw(count, self._sampling)

    def parts(self) -> dict[str, Stateful]:
        return {"network": self.network, "moments": self.moments}
