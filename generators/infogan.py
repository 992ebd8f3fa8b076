"""A GAN that must not lose the codes it is given: what it makes of them has to tell them again.

Paper: Chen et al. 2016, "InfoGAN: Interpretable Representation Learning by Information Maximizing Generative
    Adversarial Nets": one categorical code, evenly drawn, and codes in [-1, 1]; the recognizer Q stands on the
    discriminator's features, and both players gain by the bound on the information that an image has of its codes.
Deviations: no batch norm in the discriminator, which is also asked about images one by one; what is said in `_duel.py`.
"""

import math
from typing import Literal, NamedTuple

import torch
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt
from torch import nn
from torch.nn import functional as F

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.discriminator import Discriminator, DiscriminatorOutput
from sandbox.generators._adversarial.latents import Latents
from sandbox.generators._adversarial.regularizers import Regularizers
from sandbox.generators._adversarial.training import ADAM, AdversarialTrainer, Decay
from sandbox.generators._images.shapes import fitting, image_shape
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.backbone import Backbone
from sandbox.networks.decoders.mirror import mirror
from sandbox.networks.inputs import as_pixels, in_fp32
from sandbox.networks.strided import Strided
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.likelihood import categorical_information, uniform_information
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.shuffled import ShuffledConfig

_NARROWEST = -6.0  # log-variance: surer than this, Q would outweigh all else


class InfoGANConfig(GeneratorConfig):
    """`num_categories`: K of the categorical code; `num_codes`: of those in [-1, 1]; `noise_size`: what stays noise.

    `category_weight` and `code_weight`: of the two bounds on the information, in both players' losses.
    `recognizer_size`: hidden units of Q. `average_decay` and `discriminator_steps`: to an update of the generator.
    """

    name: Literal["infogan"] = "infogan"
    backbone: Backbone = Strided(normalization="none")
    num_categories: int = Field(10, ge=2)
    num_codes: NonNegativeInt = 2
    noise_size: NonNegativeInt = 62
    category_weight: NonNegativeFloat = 1.0
    code_weight: NonNegativeFloat = 0.1
    recognizer_size: PositiveInt = 128
    average_decay: Decay = 0.999
    discriminator_steps: PositiveInt = 1
    discriminator_optimizer: AnyOptimizer = ADAM
    generator_optimizer: AnyOptimizer = Adam(lr=1e-3, betas=(0.5, 0.999))
    regularizers: Regularizers = Regularizers()
    stream: ShuffledConfig = ShuffledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "InfoGAN":
        return InfoGAN(self, spec, rng, compute)


class Guess(NamedTuple):
    """Q(c | x): `logits` [B, K] of the categories; `mean` and `log_variance` [B, C] of the other codes."""

    logits: torch.Tensor
    mean: torch.Tensor
    log_variance: torch.Tensor


class Recognizer(nn.Module):
    """The discriminator, and Q on top of its features."""

    def __init__(self, config: InfoGANConfig, shape: tuple[int, ...]) -> None:
        super().__init__()
        self._sizes = [config.num_categories, config.num_codes, config.num_codes]
        self.judge = Discriminator(config.backbone, shape, config.regularizers)
        hidden = config.recognizer_size
        self.codes = nn.Sequential(
            nn.Linear(self.judge.encoder.out_features, hidden), nn.LeakyReLU(0.1), nn.Linear(hidden, sum(self._sizes))
        )

    def forward(self, x: torch.Tensor) -> DiscriminatorOutput:
        return self.judge(x)

    def guess(self, verdict: DiscriminatorOutput) -> Guess:
        logits, mean, log_variance = torch.split(in_fp32(self.codes, verdict.features), self._sizes, 1)
        return Guess(logits, mean, _NARROWEST + F.softplus(log_variance - _NARROWEST))


class InfoGAN:
    """A code is [K + C + noise]: the category as 0s and a 1, the codes in [-1, 1], normal noise."""

    def __init__(self, config: InfoGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Raises UserError for points, and if images are to be judged in packs: Q looks at each by itself."""
        shape = self._shape = image_shape(spec, "infogan")
        if config.regularizers.pack_size > 1:
            raise UserError(
                f"generator.regularizers.pack_size={config.regularizers.pack_size} judges several images at once, "
                "but infogan guesses the codes of each. Leave it out."
            )
        self._config = config
        with rng.initializing("infogan/discriminator"):
            self._recogniser = Recognizer(config, shape)
        with rng.initializing("infogan/generator"):
            size = config.num_categories + config.num_codes + config.noise_size
            generator = mirror(config.backbone, size, shape)
        self._noise, self._compute = Latents(1 + config.num_codes + config.noise_size, rng, compute), compute
        self._duel = AdversarialTrainer(config, NON_SATURATING, generator, self._recogniser, rng, compute)

    def update(self, batch: torch.Tensor) -> Metrics:
        """Beside the game: `category_information` and `code_information`, bounds in nats, on the images just made."""
        codes, found = self._codes(self._noise.training(len(batch))), dict[str, torch.Tensor]()

        def lost(_: object, verdict: DiscriminatorOutput) -> torch.Tensor:
            category, others = self._information(self._recogniser.guess(verdict), codes)
            found.update(category_information=category.detach(), code_information=others.detach())
            return -(self._config.category_weight * category + self._config.code_weight * others)

        draw = self._noise.images
        return {**self._duel.play(batch, lambda: draw(self._duel.generator, codes), more=lost, also=lost), **found}

    def _information(self, guess: Guess, codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        categories, others, _ = self._split(codes)
        return (
            categorical_information(guess.logits, categories.argmax(1)),
            uniform_information(guess.mean, guess.log_variance, others),
        )

    def parts(self) -> dict[str, Stateful]:
        return self._duel.parts()

    def _split(self, codes: torch.Tensor) -> tuple[torch.Tensor, ...]:
        sizes = [self._config.num_categories, self._config.num_codes, self._config.noise_size]
        return torch.split(codes, sizes, 1)

    def _codes(self, normal: torch.Tensor) -> torch.Tensor:
        """Normal numbers [B, 1 + C + noise] -> codes: the first say which category, by their quantile."""
        even = torch.erf(normal[:, : 1 + self._config.num_codes] / math.sqrt(2))  # in [-1, 1]
        last = self._config.num_categories - 1
        categories = ((even[:, 0] + 1) / 2 * self._config.num_categories).long().clamp(max=last)
        rest = [even[:, 1:], normal[:, 1 + self._config.num_codes :]]
        return torch.cat([self._one_hot(categories), *rest], 1)

    @torch.no_grad()
    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Images of the averaged generator: [B, K + C + noise] -> [B, C, H, W] in [0, 1]."""
        return self._noise.images(self._duel.average, codes)

    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> the codes that Q finds likeliest, and no noise."""
        guess = self._guess(images)
        categories = self._one_hot(guess.logits.argmax(1))
        noise = torch.zeros(len(images), self._config.noise_size, device=self._compute.device)
        return torch.cat([categories, guess.mean.clamp(-1, 1), noise], 1)

    @torch.no_grad()
    def cluster(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> Q's probabilities of the categories [B, K], which are no classes: nobody has named them."""
        return self._guess(images).logits.softmax(1)

    def num_classes(self) -> int:
        """The categories."""
        return self._config.num_categories

    def num_codes(self) -> int:
        """Those in [-1, 1]."""
        return self._config.num_codes

    def sample_of(self, labels: torch.Tensor) -> torch.Tensor:
        """Images of the categories [B], all else drawn, [B, C, H, W] in [0, 1]."""
        _, *rest = self._split(self.latents(len(labels)))
        return self.decode(torch.cat([self._one_hot(labels), *rest], 1))

    def steer(self, labels: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Images of categories [B] and codes [B, C], all of the same noise, [B, C, H, W] in [0, 1]."""
        noise = self._noise.preview(1)[:, 1 + self._config.num_codes :].expand(len(labels), -1)
        return self.decode(torch.cat([self._one_hot(labels), codes.to(noise), noise], 1))

    def _one_hot(self, categories: torch.Tensor) -> torch.Tensor:
        return F.one_hot(categories.to(self._compute.device), self._config.num_categories).float()

    def _guess(self, images: torch.Tensor) -> Guess:
        """Raises UserError for images that do not fit."""
        x = as_pixels(fitting(images, self._shape, "infogan"), self._compute.device)
        self._recogniser.eval()
        with self._compute.autocast():
            verdict = self._recogniser(x)
        self._recogniser.train()
        return self._recogniser.guess(verdict)

    def latents(self, count: int) -> torch.Tensor:
        return self._codes(self._noise.sampling(count))

    def sample(self, count: int) -> torch.Tensor:
        return self.decode(self.latents(count))

    def preview(self, count: int) -> torch.Tensor:
        return self.decode(self._codes(self._noise.preview(count)))
