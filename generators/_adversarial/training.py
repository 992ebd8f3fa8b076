"""One generator against one discriminator: who moves when, what is averaged, what is logged.

Deviations of all that use it: the generator moves on the images that the discriminator has just been trained on, and
in every `discriminator_steps`-th update only, so each discriminator step has a batch of its own; samples come from a
moving average of the generator's weights and buffers (Yazici et al. 2019).
"""

import copy
from collections.abc import Callable
from typing import Annotated, Protocol

import torch
from pydantic import Field
from torch import nn

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._adversarial.discriminator import DiscriminatorOutput
from sandbox.generators._adversarial.regularizers import InstanceNoise, Regularizers, WeightHistory
from sandbox.interfaces.learner import Metrics
from sandbox.ops import adversarial
from sandbox.ops.adversarial import AdversarialLoss, Critic
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.base import OptimizerConfig

ADAM = Adam(lr=2e-4, betas=(0.5, 0.999))  # Radford et al. 2016
Decay = Annotated[float, Field(ge=0.0, lt=1.0)]
Penalty = Callable[[Critic, torch.Tensor, torch.Tensor], torch.Tensor]
OfFakes = Callable[
    [torch.Tensor, DiscriminatorOutput], torch.Tensor
]  # generated images and the verdict on them -> scalar
OfBoth = Callable[
    [DiscriminatorOutput, DiscriminatorOutput], torch.Tensor
]  # the verdicts on real and on generated images -> scalar


class AdversarialConfig(Protocol):
    """What members' configs have in common."""

    @property
    def average_decay(self) -> float:
        """Of the moving average of the generator, an update of it."""

    @property
    def discriminator_steps(self) -> int:
        """Updates of the discriminator to each of the generator."""

    @property
    def discriminator_optimizer(self) -> OptimizerConfig: ...
    @property
    def generator_optimizer(self) -> OptimizerConfig: ...
    @property
    def regularizers(self) -> Regularizers: ...


class AdversarialTrainer:
    """Two networks and their optimisers. `discriminator`: [B, ...] -> Verdict; real and fake go through apart.

    `penalty(critic, real, fake)` is added to the discriminator's loss, outside autocast; the critic gives logits.
    """

    def __init__(
        self,
        terms: AdversarialConfig,
        game: AdversarialLoss,
        generator: nn.Module,
        discriminator: nn.Module,
        rng: Rng,
        compute: Compute,
        penalty: Penalty | None = None,
    ) -> None:
        """Raises UserError if labels are to be smoothed in a game that has none."""
        if terms.regularizers.label_smoothing and not game.labels:
            raise UserError(
                f"generator.regularizers.label_smoothing={terms.regularizers.label_smoothing} "
                "smooths the classes real and fake, but this member's discriminator gives scores, not "
                "classes. Leave it out."
            )
        self._terms, self._game, self._compute, self._penalty = terms, game, compute, penalty
        self._blur = InstanceNoise(terms.regularizers, rng, compute)
        self.generator, self.discriminator = generator.to(compute.device), discriminator.to(compute.device)
        self.average = copy.deepcopy(self.generator).eval()
        self._discriminator_optimizer = terms.discriminator_optimizer.make(self.discriminator.parameters(), compute)
        self._generator_optimizer = terms.generator_optimizer.make(self.generator.parameters(), compute)
        self._updates, self._histories = Counter(), dict[str, WeightHistory]()
        if terms.regularizers.historical_averaging:
            self._histories = {
                "discriminator_history": WeightHistory(list(self.discriminator.parameters())),
                "generator_history": WeightHistory(list(self.generator.parameters())),
            }
        self._real = torch.zeros(0)  # this update's real images, as they were judged

    def play(
        self,
        real: torch.Tensor,
        draw: Callable[[], torch.Tensor],
        more: OfFakes | None = None,
        limit: Callable[[], None] = lambda: None,
        also: OfBoth | None = None,
    ) -> Metrics:
        """A whole update: on `real` [B, ...] and on what `draw` gives.

        `more` is added to the generator's loss, `also` to the discriminator's; `limit` comes after the discriminator's
        step, and may change its weights.
        """
        moves = self.moves()
        with torch.set_grad_enabled(moves):
            fake = draw()
        metrics = self.discriminate(real, fake.detach(), also)
        limit()
        if not moves:
            return metrics
        found = self.generate(fake, more)
        return metrics | found | {"loss": metrics["loss"] + found["generator_loss"]}

    def moves(self) -> bool:
        """Begin an update; whether the generator moves in it."""
        self._updates.value += 1
        return self._updates.value % self._terms.discriminator_steps == 0

    def discriminate(
        self, real: torch.Tensor, fake: torch.Tensor, also: OfBoth | None = None
    ) -> dict[str, torch.Tensor]:
        """The discriminator's step. Together, real and fake images would share a batch's statistics."""
        real, fake = (self._blur.over(x, self._updates.value) for x in (real, fake))
        with self._compute.autocast():
            on_real, on_fake = self.discriminator(real), self.discriminator(fake)
        self._real = real
        regularizers, game = self._terms.regularizers, self._game
        loss = game.discriminator_loss(on_real.logits, on_fake.logits, regularizers.label_smoothing)
        metrics = {
            "loss": loss.detach(),
            "discriminator_loss": loss.detach(),
            "d_real": game.read(on_real.logits.detach()).mean(),
            "d_fake": game.read(on_fake.logits.detach()).mean(),
        }
        if self._penalty is not None:
            penalty = self._penalty(lambda x: self.discriminator(x).logits, real, fake)
            metrics["penalty"] = penalty.detach()
            loss = loss + penalty
        if also is not None:
            loss = loss + also(on_real, on_fake)
        loss = loss + self._pull("discriminator_history")
        gradients = self._discriminator_optimizer.minimize(loss)
        return metrics | {"discriminator_gradient": nn.utils.get_total_norm(gradients)}

    def generate(self, fake: torch.Tensor, more: OfFakes | None = None) -> dict[str, torch.Tensor]:
        """The generator's step, which leaves no trace in the discriminator."""
        with self._compute.autocast():
            judged = self._blur.over(fake, self._updates.value)
            verdict = DiscriminatorOutput(*adversarial.without_traces(self.discriminator, judged))
        share = self._terms.regularizers.feature_matching
        loss = (1 - share) * self._game.generator_loss(verdict.logits)
        if share:
            loss = loss + share * adversarial.feature_matching(self._real_features(), verdict.features.float())
        if more is not None:
            loss = loss + more(fake, verdict)
        gradients = self._generator_optimizer.minimize(loss + self._pull("generator_history"))
        adversarial.average_into(self.average, self.generator, self._terms.average_decay)
        return {"generator_loss": loss.detach(), "generator_gradient": nn.utils.get_total_norm(gradients)}

    @torch.no_grad()
    def _real_features(self) -> torch.Tensor:
        """As the discriminator sees real images now: the fakes are to be compared under the same weights."""
        with self._compute.autocast():
            return DiscriminatorOutput(*adversarial.without_traces(self.discriminator, self._real)).features.float()

    def _pull(self, name: str) -> torch.Tensor | float:
        if not self._histories:
            return 0.0
        return self._terms.regularizers.historical_averaging * self._histories[name].distance()

    def parts(self) -> dict[str, Stateful]:
        return {
            "discriminator": self.discriminator,
            "generator": self.generator,
            "average": self.average,
            "discriminator_optimizer": self._discriminator_optimizer,
            "generator_optimizer": self._generator_optimizer,
            "updates": self._updates,
            **self._histories,
        }
