"""Adversarial training: the steps of a discriminator and of a generator.

Deviations from the papers, shared by all members that use `AdversarialTrainer`: the generator moves in every
`discriminator_steps`-th update, on the generated images that the discriminator was trained on in that update (the
papers generate new ones); samples come from a moving average of the generator's weights (Yazici et al. 2019).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import torch
from torch import nn

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._adversarial.discriminator import DiscriminatorOutput
from sandbox.generators._adversarial.regularizers import InstanceNoise, Regularizers, WeightHistory
from sandbox.networks.weight_average import WeightAverage
from sandbox.ops.adversarial import AdversarialLoss, feature_matching, forward_without_buffer_updates
from sandbox.optimizers.base import Optimizer, OptimizerConfig
from sandbox.optimizers.gradient_norm import GradientNorm


class AdversarialOptions(Protocol):
    """The options that `AdversarialTrainer` reads; `AdversarialConfig` has them all."""

    @property
    def average_decay(self) -> float: ...
    @property
    def discriminator_steps(self) -> int: ...
    @property
    def discriminator_optimizer(self) -> OptimizerConfig: ...
    @property
    def generator_optimizer(self) -> OptimizerConfig: ...
    @property
    def regularizers(self) -> Regularizers: ...


class DiscriminatorOutputs(NamedTuple):
    """Outputs of the discriminator for real and for generated images, and these images, with instance noise."""

    real: DiscriminatorOutput
    fake: DiscriminatorOutput
    real_images: torch.Tensor
    fake_images: torch.Tensor


class AdversarialTrainer:
    """A discriminator and a generator with their optimizers, and one training step of each.

    An update of a member generates images (`generate`), passes them and real images to the discriminator
    (`discriminate`), and takes a `discriminator_step`. If `generator_due`, it passes the generated images to the new
    discriminator (`discriminate_fake`) and takes a `generator_step`.
    """

    def __init__(
        self,
        config: AdversarialOptions,
        loss: AdversarialLoss,
        generator: nn.Module,
        discriminator: nn.Module,
        rng: Rng,
        compute: Compute,
    ) -> None:
        """Move both networks to the device, and make their optimizers.

        Args:
            config: Optimizers, regularizers and how often the generator moves.
            loss: The losses of both networks.
            generator: A network that returns logits, for `generate`; or any network whose images the caller computes.
            discriminator: Maps [B, ...] to a `DiscriminatorOutput`.
            rng: Random streams; each trainer needs its own child.
            compute: Device and precision.

        Raises:
            UserError: If labels are to be smoothed, but the loss has none.
        """
        smoothing = config.regularizers.label_smoothing
        if smoothing and not loss.supports_label_smoothing:
            raise UserError(
                f"generator.regularizers.label_smoothing={smoothing} smooths the labels real and fake, but this "
                "generator's discriminator is trained without labels: it gives scores. Leave the option out."
            )
        self._config, self._loss, self._compute = config, loss, compute
        self._instance_noise = InstanceNoise(config.regularizers, rng, compute)
        self.generator, self.discriminator = generator.to(compute.device), discriminator.to(compute.device)
        self.average = WeightAverage(self.generator, config.average_decay)
        self._discriminator_optimizer = config.discriminator_optimizer.make(self.discriminator.parameters(), compute)
        self._generator_optimizer = config.generator_optimizer.make(self.generator.parameters(), compute)
        self._updates = Counter()
        self._histories: dict[str, WeightHistory] = {}
        if config.regularizers.historical_averaging:
            self._histories["discriminator_history"] = WeightHistory(list(self.discriminator.parameters()))
            self._histories["generator_history"] = WeightHistory(list(self.generator.parameters()))
        self._real_images = torch.zeros(0)  # of this update, with instance noise
        self._discriminator_loss = torch.zeros(0)  # of this update

    @contextmanager
    def generator_grad(self) -> Iterator[None]:
        """Record gradients inside the block only if the generator will move in this update."""
        with torch.set_grad_enabled((self._updates.value + 1) % self._config.discriminator_steps == 0):
            yield

    def generate(self, *inputs: object) -> torch.Tensor:
        """Generate images in [0, 1] for this update, with gradients only if the generator will move.

        Args:
            inputs: Arguments of the generator, which returns logits.
        """
        with self.generator_grad():
            return self._images(self.generator, *inputs)

    @torch.no_grad()
    def generate_averaged(self, *inputs: object) -> torch.Tensor:
        """Generate images in [0, 1] with the averaged weights; for samples."""
        return self._images(self.average.network, *inputs)

    def _images(self, network: nn.Module, *inputs: object) -> torch.Tensor:
        with self._compute.autocast():
            logits = network(*inputs)
        return torch.sigmoid(logits.float())

    def discriminate(self, real: torch.Tensor, fake: torch.Tensor) -> DiscriminatorOutputs:
        """Count an update, and pass real and generated images through the discriminator, with instance noise.

        The two batches pass separately, so that batch norm does not mix their statistics.

        Args:
            real: Images [B, C, H, W] or points [B, D].
            fake: As many of the same shape, without gradients.
        """
        self._updates.value += 1
        real = self._instance_noise.add(real, self._updates.value)
        fake = self._instance_noise.add(fake, self._updates.value)
        with self._compute.autocast():
            outputs = DiscriminatorOutputs(self.discriminator(real), self.discriminator(fake), real, fake)
        self._real_images = real
        return outputs

    def discriminator_step(
        self, outputs: DiscriminatorOutputs, extra_loss: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        """Update the discriminator.

        Args:
            outputs: Result of `discriminate`.
            extra_loss: A scalar that is minimized too.

        Returns:
            Metrics: `loss` and `discriminator_loss`, without the extra loss; `d_real` and `d_fake`, the mean outputs;
            `discriminator_gradient`, the norm of the gradient before clipping.
        """
        real, fake = outputs.real.logits, outputs.fake.logits
        loss = self._loss.discriminator_loss(real, fake, self._config.regularizers.label_smoothing)
        self._discriminator_loss = loss.detach()
        metrics = {
            "loss": self._discriminator_loss,
            "discriminator_loss": self._discriminator_loss,
            "d_real": self._loss.readout(real.detach()).mean(),
            "d_fake": self._loss.readout(fake.detach()).mean(),
        }
        if extra_loss is not None:
            loss = loss + extra_loss
        loss = loss + self._historical_averaging("discriminator_history")
        return metrics | {"discriminator_gradient": _minimize(loss, self._discriminator_optimizer)}

    def generator_due(self) -> bool:
        """Return whether the generator moves in this update, after the discriminator."""
        return self._updates.value % self._config.discriminator_steps == 0

    def discriminate_fake(self, fake: torch.Tensor) -> DiscriminatorOutput:
        """Pass generated images through the discriminator, with instance noise; its buffers stay unchanged.

        Args:
            fake: Images [B, C, H, W] or points [B, D] with gradients of the generator.
        """
        with self._compute.autocast():
            noisy = self._instance_noise.add(fake, self._updates.value)
            output: DiscriminatorOutput = forward_without_buffer_updates(self.discriminator, noisy)
            return output

    def generator_step(
        self, output: DiscriminatorOutput, extra_loss: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        """Update the generator and its moving average.

        Args:
            output: Result of `discriminate_fake`.
            extra_loss: A scalar that is minimized too.

        Returns:
            Metrics: `generator_loss` with the extra loss; `loss`, the sum of both networks' losses;
            `generator_gradient`, the norm of the gradient before clipping.
        """
        share = self._config.regularizers.feature_matching
        loss = (1 - share) * self._loss.generator_loss(output.logits)
        if share:
            loss = loss + share * feature_matching(self._real_features(), output.features.float())
        if extra_loss is not None:
            loss = loss + extra_loss
        gradient = _minimize(loss + self._historical_averaging("generator_history"), self._generator_optimizer)
        self.average.update(self._updates.value // self._config.discriminator_steps - 1)
        return {
            "loss": self._discriminator_loss + loss.detach(),
            "generator_loss": loss.detach(),
            "generator_gradient": gradient,
        }

    @torch.no_grad()
    def _real_features(self) -> torch.Tensor:
        """Return the features of this update's real images, from the discriminator after its step."""
        with self._compute.autocast():
            output: DiscriminatorOutput = forward_without_buffer_updates(self.discriminator, self._real_images)
            return output.features.float()

    def _historical_averaging(self, name: str) -> torch.Tensor | float:
        if not self._histories:
            return 0.0
        return self._config.regularizers.historical_averaging * self._histories[name].distance()

    def parts(self) -> dict[str, Stateful]:
        """Return the networks, the average, the optimizers, the count of updates and the weight histories."""
        return {
            "discriminator": self.discriminator,
            "generator": self.generator,
            "average": self.average.network,
            "discriminator_optimizer": self._discriminator_optimizer,
            "generator_optimizer": self._generator_optimizer,
            "updates": self._updates,
            **self._histories,
        }


def _minimize(loss: torch.Tensor, optimizer: Optimizer) -> torch.Tensor:
    """Take a gradient step, and return the norm of the gradient before it is clipped."""
    with GradientNorm(optimizer) as gradient:
        optimizer.minimize(loss)
    assert gradient.norm is not None, "the optimizer has stepped"
    return gradient.norm
