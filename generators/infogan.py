"""InfoGAN: a GAN whose latent codes can be recovered from the images that it generates.

Paper: Chen et al. 2016, "InfoGAN: Interpretable Representation Learning by Information Maximizing Generative
    Adversarial Nets": one categorical code and codes in [-1, 1], all with uniform priors; the recognizer Q(c | x)
    shares the discriminator's layers; both losses include the bound on the mutual information of codes and images.
Deviations: no batch norm in the discriminator, so that Q can encode single images; those of all GANs
    (`generators/_adversarial/training.py`).
"""

import math
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from sandbox.config.numbers import NonNegative, Units, UnitsOrZero
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.config import AdversarialConfig, GeneratorOptimizer
from sandbox.generators._adversarial.discriminator import Discriminator, DiscriminatorOutput
from sandbox.generators._adversarial.latents import Latents
from sandbox.generators._adversarial.regularizers import Regularizers
from sandbox.generators._adversarial.training import AdversarialTrainer
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import HasClusters, HasEncoder, HasLatentCodes, HasLatents, HasPreview
from sandbox.interfaces.generator import Generator
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import AnyBackbone
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.inputs import as_pixels, in_fp32
from sandbox.networks.strided import Strided
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.likelihood import categorical_information_bound, uniform_information_bound
from sandbox.optimizers.adam import Adam
from sandbox.streams.shuffled import ShuffledConfig

_MIN_LOG_VARIANCE = -6.0  # of Q; a smaller variance would let its loss dominate the others


class InfoGANConfig(AdversarialConfig):
    """Options of an InfoGAN."""

    name: Literal["infogan"] = "infogan"
    backbone: AnyBackbone = Field(
        Strided(norm="none"), description="the discriminator; its mirror image is the generator"
    )
    num_categories: int = Field(10, ge=2, le=4_096, description="values K of the categorical code")
    num_codes: UnitsOrZero = Field(2, description="number of codes in [-1, 1]")
    noise_size: UnitsOrZero = Field(62, description="number of normal latents that Q does not recover")
    category_weight: NonNegative = Field(1.0, description="weight of the categorical code's mutual information")
    code_weight: NonNegative = Field(0.1, description="weight of the mutual information of the codes in [-1, 1]")
    recognizer_size: Units = Field(128, description="hidden units of the recognizer Q")
    generator_optimizer: GeneratorOptimizer = Adam(lr=1e-3, betas=(0.5, 0.999))
    regularizers: Annotated[
        Regularizers, Field(description="regularizers of adversarial training; pack_size must be 1")
    ] = Regularizers()
    stream: ShuffledConfig = Field(ShuffledConfig(), description="batches of images")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "InfoGAN":
        return InfoGAN(self, spec, rng, compute)


class CodePosterior(NamedTuple):
    """Q(c | x): `logits` [B, K] of the categories; `mean` and `log_variance` [B, C] of the other codes."""

    logits: torch.Tensor
    mean: torch.Tensor
    log_variance: torch.Tensor


class Information(NamedTuple):
    """Lower bounds on the mutual information of images with their category and with their other codes, nats."""

    category: torch.Tensor
    codes: torch.Tensor


class RecognizingDiscriminator(nn.Module):
    """A discriminator, and the recognizer Q on top of its features."""

    def __init__(self, config: InfoGANConfig, shape: tuple[int, ...]) -> None:
        super().__init__()
        self._sizes = [config.num_categories, config.num_codes, config.num_codes]
        self.discriminator = Discriminator(config.backbone, shape, config.regularizers)
        features, hidden = self.discriminator.encoder.out_features, config.recognizer_size
        self.recognizer = nn.Sequential(
            nn.Linear(features, hidden), nn.LeakyReLU(0.1), nn.Linear(hidden, sum(self._sizes))
        )

    def forward(self, x: torch.Tensor) -> DiscriminatorOutput:
        return self.discriminator(x)

    def posterior(self, output: DiscriminatorOutput) -> CodePosterior:
        """Return Q(c | x) for the images that `output` belongs to."""
        logits, mean, log_variance = torch.split(in_fp32(self.recognizer, output.features), self._sizes, 1)
        log_variance = _MIN_LOG_VARIANCE + F.softplus(log_variance - _MIN_LOG_VARIANCE)
        return CodePosterior(logits, mean, log_variance)


class InfoGAN(Generator, HasPreview, HasLatents, HasLatentCodes, HasClusters, HasEncoder):
    """An information-maximizing GAN.

    Latents are [B, K + C + noise]: the one-hot category, the codes in [-1, 1], and normal noise.
    """

    def __init__(self, config: InfoGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Build both networks.

        Raises:
            UserError: For points, and for packed images: Q needs the features of each image.
        """
        shape = self._shape = image_shape(spec, "infogan")
        if config.regularizers.pack_size > 1:
            raise UserError(
                f"generator.regularizers.pack_size={config.regularizers.pack_size} makes the discriminator see several "
                "images at once, but infogan recovers the codes of each image. Leave pack_size out."
            )
        self._config, self._compute = config, compute
        with rng.initializing("infogan/discriminator"):
            self._discriminator = RecognizingDiscriminator(config, shape)
        with rng.initializing("infogan/generator"):
            size = config.num_categories + config.num_codes + config.noise_size
            generator = mirror(config.backbone, size, shape)
        self._latents = Latents(1 + config.num_codes + config.noise_size, rng, compute)
        self._trainer = AdversarialTrainer(config, NON_SATURATING, generator, self._discriminator, rng, compute)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Update the discriminator with Q, and in every `discriminator_steps`-th update the generator.

        Metrics include `category_information` and `code_information`, lower bounds in nats for the generated images.
        """
        trainer = self._trainer
        codes = self._codes(self._latents.training(len(batch)))  # c and z
        fake = trainer.generate(codes)  # G(z, c)
        # The discriminator maximizes log D(x) + log(1 - D(G(z, c))) + the information bound L(G, Q), as Q does.
        outputs = trainer.discriminate(batch, fake.detach())
        information = self._information(outputs.fake, codes)
        metrics = trainer.discriminator_step(outputs, extra_loss=self._information_loss(information))
        if trainer.generator_due():
            # The generator maximizes log D(G(z, c)) + L(G, Q).
            output = trainer.discriminate_fake(fake)
            information = self._information(output, codes)
            metrics |= trainer.generator_step(output, extra_loss=self._information_loss(information))
        category, others = information.category.detach(), information.codes.detach()
        return metrics | {"category_information": category, "code_information": others}

    def _information(self, output: DiscriminatorOutput, codes: torch.Tensor) -> Information:
        """Return how much Q recovers of the codes [B, K + C + noise], given its output for their images."""
        posterior = self._discriminator.posterior(output)
        categories, others, _ = self._split(codes)
        return Information(
            categorical_information_bound(posterior.logits, categories.argmax(1)),
            uniform_information_bound(posterior.mean, posterior.log_variance, others),
        )

    def _information_loss(self, information: Information) -> torch.Tensor:
        config = self._config
        return -(config.category_weight * information.category + config.code_weight * information.codes)

    def parts(self) -> dict[str, Stateful]:
        return self._trainer.parts()

    def _split(self, codes: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Split codes into category, codes in [-1, 1] and noise."""
        sizes = [self._config.num_categories, self._config.num_codes, self._config.noise_size]
        return torch.split(codes, sizes, 1)

    def _codes(self, normal: torch.Tensor) -> torch.Tensor:
        """Turn normal latents [B, 1 + C + noise] into codes; erf makes the first 1 + C of them uniform."""
        uniform = torch.erf(normal[:, : 1 + self._config.num_codes] / math.sqrt(2))  # in [-1, 1]
        last = self._config.num_categories - 1
        categories = ((uniform[:, 0] + 1) / 2 * self._config.num_categories).long().clamp(max=last)
        noise = normal[:, 1 + self._config.num_codes :]
        return torch.cat([self._one_hot(categories), uniform[:, 1:], noise], 1)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Generate images from codes [B, K + C + noise] with the averaged generator: [B, C, H, W] in [0, 1]."""
        return self._trainer.generate_averaged(codes)

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the most probable codes by Q, with zeros for the noise."""
        posterior = self._posterior(images)
        categories = self._one_hot(posterior.logits.argmax(1))
        noise = torch.zeros(len(images), self._config.noise_size, device=self._compute.device)
        return torch.cat([categories, posterior.mean.clamp(-1, 1), noise], 1)

    @torch.no_grad()
    def cluster(self, images: torch.Tensor) -> torch.Tensor:
        """Return Q's probabilities of the categories [B, K]; these are clusters, not classes."""
        return self._posterior(images).logits.softmax(1)

    def num_classes(self) -> int:
        """Return the number of categories."""
        return self._config.num_categories

    def num_codes(self) -> int:
        return self._config.num_codes

    def sample_of(self, labels: torch.Tensor) -> torch.Tensor:
        """Sample images of the categories [B] with random codes and noise, [B, C, H, W] in [0, 1]."""
        _, *rest = self._split(self.latents(len(labels)))
        return self.decode(torch.cat([self._one_hot(labels), *rest], 1))

    def steer(self, labels: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        noise = self._latents.preview(1)[:, 1 + self._config.num_codes :].expand(len(labels), -1)
        return self.decode(torch.cat([self._one_hot(labels), codes.to(noise), noise], 1))

    def latents(self, count: int) -> torch.Tensor:
        return self._codes(self._latents.sampling(count))

    def sample(self, count: int) -> torch.Tensor:
        return self.decode(self.latents(count))

    def preview(self, count: int) -> torch.Tensor:
        return self.decode(self._codes(self._latents.preview(count)))

    def _one_hot(self, categories: torch.Tensor) -> torch.Tensor:
        return F.one_hot(categories.to(self._compute.device), self._config.num_categories).float()

    def _posterior(self, images: torch.Tensor) -> CodePosterior:
        """Return Q(c | x) for images [B, C, H, W].

        Raises:
            UserError: For images of another shape.
        """
        x = as_pixels(require_shape(images, self._shape, "infogan"), self._compute.device)
        self._discriminator.eval()
        with self._compute.autocast():
            output = self._discriminator(x)
        self._discriminator.train()
        return self._discriminator.posterior(output)
