"""Image-to-image translation without pairs: there and back again must be where one began.

Paper: Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks".
Deviations: small networks for small images, in widths of your choice; patches of 10 pixels with the default channels
    (theirs: 70 of 256); any batch size (theirs: 1); the learning rate falls if its optimiser says so; errors
    of pixels in [0, 1] and the generators' game are both half of the paper's; a weight for the identity loss is for
    sources and images with the same channels, others have no identity; translations come from moving averages of the
    weights (Yazici et al. 2019).
"""

import copy
from typing import Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import nn

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.generators._adversarial.image_pool import Pool
from sandbox.generators._adversarial.patch_discriminator import PatchDiscriminator
from sandbox.generators._adversarial.training import ADAM, Decay
from sandbox.generators._images.preview_images import PreviewImages
from sandbox.generators._images.shapes import fitting, source_shape
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float, as_pixels
from sandbox.networks.translator import Translator
from sandbox.ops import adversarial
from sandbox.ops.adversarial import LEAST_SQUARES
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.paired import Both
from sandbox.streams.unpaired import UnpairedConfig

_Channels = tuple[PositiveInt, ...]


class CycleGANConfig(GeneratorConfig):
    """`channels`: the translators' first at full size, each other one after a halving; `num_blocks`: residual ones.

    `patch_channels`: of the discriminators, a halving each. `cycle_weight` and `identity_weight` of mean absolute
    errors a pixel beside the game; `pool_size`: generated images of the past, for the discriminators.
    """

    name: Literal["cyclegan"] = "cyclegan"
    channels: _Channels = Field((16, 32), min_length=1)
    num_blocks: PositiveInt = 3
    patch_channels: _Channels = Field((32, 64), min_length=1)
    cycle_weight: NonNegativeFloat = 10.0
    identity_weight: NonNegativeFloat = 5.0
    pool_size: PositiveInt = 50
    average_decay: Decay = 0.99
    discriminator_optimizer: AnyOptimizer = ADAM
    generator_optimizer: AnyOptimizer = ADAM
    stream: UnpairedConfig = UnpairedConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "CycleGAN":
        return CycleGAN(self, spec, rng, compute)


class CycleGAN:
    """`there`: sources to images, `back`: images to sources; each against a discriminator of where it leads."""

    def __init__(self, config: CycleGANConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Raises UserError for data without sources, or of sizes that do not fit."""
        self._config, self._compute = config, compute
        self._shapes = {"there": spec.shape, "back": source_shape(spec, "cyclegan")}  # of what comes out
        self._generators, self._discriminators, self._pools = nn.ModuleDict(), nn.ModuleDict(), dict[str, Pool]()
        for way, other in (("there", "back"), ("back", "there")):
            shape = self._shapes[way]
            with rng.initializing(f"cyclegan/{way}/generator"):
                generator = Translator(self._shapes[other], shape[0], config.channels, config.num_blocks)
            with rng.initializing(f"cyclegan/{way}/discriminator"):
                discriminator = PatchDiscriminator(shape, config.patch_channels)
            draws = rng.torch(f"cyclegan/{way}/pool", compute.device)
            self._pools[way] = Pool(config.pool_size, shape, compute, draws)
            self._generators[way] = generator.to(compute.device)
            self._discriminators[way] = discriminator.to(compute.device)
        self._averages = copy.deepcopy(self._generators).eval()
        self._generator_optimizer = config.generator_optimizer.make(self._generators.parameters(), compute)
        self._discriminator_optimizer = config.discriminator_optimizer.make(self._discriminators.parameters(), compute)
        self._held = PreviewImages(self._shapes["back"], compute)

    def update(self, batch: Both) -> Metrics:
        self._held.see(batch.sources)
        real = {"there": as_float(batch.images), "back": as_float(batch.sources)}
        fake, metrics = self._update_generators(real)
        metrics |= self._update_discriminators(real, fake)
        return {"loss": metrics["generator_loss"] + metrics["discriminator_loss"], **metrics}

    def _update_generators(
        self, real: dict[str, torch.Tensor]
    ) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Both at once: the game, the cycles, and the identity. The fakes, and what there is to report."""
        fake = {
            "there": self._images(self._generators["there"], real["back"]),
            "back": self._images(self._generators["back"], real["there"]),
        }
        games, cycles, identities = [], [], []
        for way, other in (("there", "back"), ("back", "there")):
            with self._compute.autocast():
                logits, _ = adversarial.without_traces(self._discriminators[way], fake[way])
            games.append(LEAST_SQUARES.generator_loss(logits))
            again = self._images(self._generators[way], fake[other])
            cycles.append((again - real[way]).abs().mean())
            if self._config.identity_weight and self._shapes[way] == self._shapes[other]:
                same = self._images(self._generators[way], real[way])
                identities.append((same - real[way]).abs().mean())
        cycle = torch.stack(cycles).sum()
        loss = torch.stack(games).sum() + self._config.cycle_weight * cycle
        metrics = {"cycle": cycle.detach() / 2}
        if identities:
            identity = torch.stack(identities).sum()
            loss = loss + self._config.identity_weight * identity
            metrics["identity"] = identity.detach() / 2
        self._generator_optimizer.minimize(loss)
        adversarial.average_into(self._averages, self._generators, self._config.average_decay)
        return fake, {"generator_loss": loss.detach(), **metrics}

    def _update_discriminators(
        self, real: dict[str, torch.Tensor], fake: dict[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        """Each on real ones and on fakes of now and of the past."""
        losses, metrics = [], {}
        for way, discriminator in self._discriminators.items():
            past = self._pools[way].exchange(fake[way])
            with self._compute.autocast():
                on_real, on_fake = discriminator(real[way]).logits, discriminator(past).logits
            losses.append(LEAST_SQUARES.discriminator_loss(on_real, on_fake))
            metrics[f"d_real_{way}"], metrics[f"d_fake_{way}"] = on_real.detach().mean(), on_fake.detach().mean()
        loss = torch.stack(losses).sum()
        self._discriminator_optimizer.minimize(loss)
        return {"discriminator_loss": loss.detach(), **metrics}

    def parts(self) -> dict[str, Stateful]:
        return {
            "generators": self._generators,
            "discriminators": self._discriminators,
            "averages": self._averages,
            "generator_optimizer": self._generator_optimizer,
            "discriminator_optimizer": self._discriminator_optimizer,
            "held": self._held,
            **{f"pool_{way}": pool for way, pool in self._pools.items()},
        }

    def translate(self, sources: torch.Tensor) -> torch.Tensor:
        """Raises UserError for sources that do not fit."""
        return self._translated(sources, "there", "back")

    def translate_back(self, images: torch.Tensor) -> torch.Tensor:
        """Raises UserError for images that do not fit."""
        return self._translated(images, "back", "there")

    def sample(self, count: int) -> torch.Tensor:
        """Translations of sources that it has been trained on, the same each time."""
        return self.translate(self._held.first(count))

    @torch.no_grad()
    def _translated(self, images: torch.Tensor, way: str, other: str) -> torch.Tensor:
        x = as_pixels(fitting(images, self._shapes[other], "cyclegan"), self._compute.device)
        return self._images(self._averages[way], x)

    def _images(self, generator: nn.Module, images: torch.Tensor) -> torch.Tensor:
        with self._compute.autocast():
            logits = generator(images)
        return torch.sigmoid(logits.float())
