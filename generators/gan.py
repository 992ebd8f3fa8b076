"""The generative adversarial network: a generator of images against a discriminator of real and fake.

Paper: Goodfellow et al. 2014, "Generative Adversarial Networks", with the non-saturating loss of its section 3.
    Deviations: any backbone discriminates and its mirror image generates; one discriminator step to each of the
    generator; Adam with beta1 = 0.5 (Radford et al. 2016); one-sided label smoothing (Salimans et al. 2016); samples
    come from a moving average of the generator's weights (Yazici et al. 2019).
"""

import copy
from typing import Literal

import torch
from pydantic import Field, PositiveInt
from torch import nn

from sandbox.decoders.mirror import mirror
from sandbox.device import Compute
from sandbox.generator import GeneratorConfig
from sandbox.learner import Metrics, Spec, Stateful
from sandbox.networks.backbone import Backbone
from sandbox.networks.mlp import MLP
from sandbox.ops import adversarial
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.seeding import Rng
from sandbox.streams.shuffled import ShuffledConfig

_ADAM = Adam(lr=2e-4, betas=(0.5, 0.999))


class GANConfig(GeneratorConfig):
    """`latent_size`: Z; `label_smoothing`: real images have the target 1 - this; `average_decay`: an update."""

    name: Literal["gan"] = "gan"
    backbone: Backbone = MLP()
    latent_size: PositiveInt = 32
    label_smoothing: float = Field(0.1, ge=0.0, lt=0.5)
    average_decay: float = Field(0.999, ge=0.0, lt=1.0)
    discriminator_optimizer: AnyOptimizer = _ADAM
    generator_optimizer: AnyOptimizer = _ADAM
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute) -> "GAN":
        return GAN(self, spec, rng, compute)


class Discriminator(nn.Module):
    """[B, C, H, W] -> logits [B]."""

    def __init__(self, backbone: Backbone, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder = backbone.make(shape)
        self.head = nn.Linear(self.encoder.out_features, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(images))[:, 0]


class GAN:
    """Two networks, two optimisers, one update of each a batch: first the discriminator, then the generator."""

    def __init__(self, config: GANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._compute = config, compute
        with rng.initialising("gan/discriminator"):
            self._discriminator = Discriminator(config.backbone, spec.shape).to(compute.device)
        with rng.initialising("gan/generator"):
            self._generator = mirror(config.backbone, config.latent_size, spec.shape).to(compute.device)
        self._average = copy.deepcopy(self._generator)
        self._discriminator_optimizer = config.discriminator_optimizer.make(self._discriminator.parameters())
        self._generator_optimizer = config.generator_optimizer.make(self._generator.parameters())
        self._latents = rng.torch("gan/latents", compute.device)
        self._prior = rng.torch("gan/sample", compute.device)

    def update(self, batch: torch.Tensor) -> Metrics:
        fake = self._images(self._generator, len(batch), self._latents)
        discriminator_loss, d_real, d_fake = self._update_discriminator(batch, fake.detach())
        generator_loss = self._update_generator(fake)
        adversarial.average_into(self._average, self._generator, self._config.average_decay)
        return {
            "loss": discriminator_loss + generator_loss,
            "discriminator_loss": discriminator_loss,
            "generator_loss": generator_loss,
            "d_real": d_real,
            "d_fake": d_fake,
        }

    def _update_discriminator(
        self, real: torch.Tensor, fake: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Real and fake go through apart: together they would share a batch's statistics."""
        with self._compute.autocast():
            logits_real, logits_fake = self._discriminator(real), self._discriminator(fake)
        logits_real, logits_fake = logits_real.float(), logits_fake.float()
        loss = adversarial.discriminator_loss(logits_real, logits_fake, self._config.label_smoothing)
        self._discriminator_optimizer.minimise(loss)
        return loss.detach(), logits_real.detach().sigmoid().mean(), logits_fake.detach().sigmoid().mean()

    def _update_generator(self, fake: torch.Tensor) -> torch.Tensor:
        with self._compute.autocast():
            logits = adversarial.without_traces(self._discriminator, fake)
        loss = adversarial.generator_loss(logits.float())
        self._generator_optimizer.minimise(loss)
        return loss.detach()

    def parts(self) -> dict[str, Stateful]:
        return {
            "discriminator": self._discriminator,
            "generator": self._generator,
            "average": self._average,
            "discriminator_optimizer": self._discriminator_optimizer,
            "generator_optimizer": self._generator_optimizer,
        }

    @torch.no_grad()
    def sample(self, count: int) -> torch.Tensor:
        """Images of the averaged generator, [count, C, H, W] in [0, 1]."""
        return self._images(self._average, count, self._prior)

    def _images(self, generator: nn.Module, count: int, randomness: torch.Generator) -> torch.Tensor:
        z = torch.randn(count, self._config.latent_size, generator=randomness, device=self._compute.device)
        with self._compute.autocast():
            logits = generator(z)
        return torch.sigmoid(logits.float())
