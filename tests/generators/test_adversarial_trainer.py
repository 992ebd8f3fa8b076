"""The two steps of adversarial training: which weights move, when, and by which loss."""

from typing import Any

import torch
from torch import nn

from sandbox.core.compute import choose
from sandbox.core.rng import Rng
from sandbox.generators._adversarial.discriminator import Discriminator
from sandbox.generators._adversarial.regularizers import Regularizers
from sandbox.generators._adversarial.training import AdversarialTrainer
from sandbox.generators.gan import GANConfig
from sandbox.networks.mlp import MLP
from sandbox.ops.adversarial import NON_SATURATING

SHAPE = (1, 8, 8)


def make(**options: Any) -> AdversarialTrainer:
    """A discriminator with batch norm and a spectral norm, to see their buffers move, and a linear generator."""
    discriminator = Discriminator(MLP(hidden=(32,)), SHAPE, Regularizers())
    spectral = nn.utils.parametrizations.spectral_norm(nn.Linear(32, 32))
    discriminator.encoder = nn.Sequential(discriminator.encoder, spectral, nn.BatchNorm1d(32))
    generator = nn.Sequential(nn.Linear(4, 64), nn.Unflatten(1, SHAPE))
    config = GANConfig.model_validate(options)
    return AdversarialTrainer(config, NON_SATURATING, generator, discriminator, Rng(0), choose("cpu"))


def images(count: int = 10) -> torch.Tensor:
    return torch.randint(256, (count, *SHAPE), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def latents(count: int = 10) -> torch.Tensor:
    return torch.randn(count, 4, generator=torch.Generator().manual_seed(0))


def snapshot(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(module: nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_the_generators_step_does_not_touch_the_discriminator() -> None:
    trainer = make()
    fake = trainer.generate(latents())
    trainer.discriminator_step(trainer.discriminate(images(), fake.detach()))
    discriminator, generator = snapshot(trainer.discriminator), snapshot(trainer.generator)
    trainer.generator_step(trainer.discriminate_fake(fake))
    assert same(trainer.discriminator, discriminator)
    assert all(parameter.grad is None for parameter in trainer.discriminator.parameters())
    assert not same(trainer.generator, generator)


def test_the_discriminators_step_does_not_touch_the_generator() -> None:
    trainer = make()
    fake = trainer.generate(latents())
    discriminator, generator = snapshot(trainer.discriminator), snapshot(trainer.generator)
    trainer.discriminator_step(trainer.discriminate(images(), fake.detach()))
    assert same(trainer.generator, generator)
    assert all(parameter.grad is None for parameter in trainer.generator.parameters())
    assert not same(trainer.discriminator, discriminator)


def test_real_and_generated_images_pass_separately() -> None:
    """Batch norm sees two batches in one update: the real images, then the generated ones."""
    trainer = make()
    fake = trainer.generate(latents())
    trainer.discriminator_step(trainer.discriminate(images(), fake.detach()))
    trainer.generator_step(trainer.discriminate_fake(fake))
    assert trainer.discriminator.get_buffer("encoder.2.num_batches_tracked").item() == 2


def test_gradients_are_recorded_only_for_updates_in_which_the_generator_moves() -> None:
    trainer = make(discriminator_steps=3)
    recorded, due = [], []
    for _ in range(6):
        fake = trainer.generate(latents())
        trainer.discriminator_step(trainer.discriminate(images(), fake.detach()))
        recorded.append(fake.requires_grad)
        due.append(trainer.generator_due())
    assert recorded == due == [False, False, True] * 2
    assert torch.is_grad_enabled()


def test_extra_losses_count_in_the_steps() -> None:
    """With a weight times 1e6 as the extra loss, the norm of the gradient is 1e6."""
    trainer = make()
    fake = trainer.generate(latents())
    outputs = trainer.discriminate(images(), fake.detach())
    head = trainer.discriminator.get_parameter("head.bias")
    metrics = trainer.discriminator_step(outputs, extra_loss=1e6 * head.sum())
    torch.testing.assert_close(metrics["discriminator_gradient"].item(), 1e6, rtol=1e-3, atol=0)
    plain = NON_SATURATING.discriminator_loss(outputs.real.logits, outputs.fake.logits).detach()
    torch.testing.assert_close(metrics["discriminator_loss"], plain)

    output = trainer.discriminate_fake(fake)
    bias = trainer.generator.get_parameter("0.bias")
    extra = 1e6 * bias[0]
    metrics = trainer.generator_step(output, extra_loss=extra)
    torch.testing.assert_close(metrics["generator_gradient"].item(), 1e6, rtol=1e-3, atol=0)
    expected = (NON_SATURATING.generator_loss(output.logits) + extra).detach()
    torch.testing.assert_close(metrics["generator_loss"], expected)
    torch.testing.assert_close(metrics["loss"], plain + expected)


def test_the_average_generates_without_gradients() -> None:
    trainer = make()
    generated = trainer.generate_averaged(latents(3))
    assert not generated.requires_grad
    torch.testing.assert_close(generated, torch.sigmoid(trainer.average.network(latents(3))))


def test_extra_losses_and_historical_averaging_are_minimized() -> None:
    """A loss of 1e6 times a weight, or times its squared distance to an earlier value, makes that weight fall."""
    for weight_of_history in (0.0, 1e6):
        trainer = make(regularizers={"historical_averaging": weight_of_history})
        networks = (trainer.discriminator.get_parameter("head.bias"), trainer.generator.get_parameter("0.bias"))
        before, extra = list[torch.Tensor](), 0.0 if weight_of_history else 1e6
        for update in range(2):  # the first one has no history
            with torch.no_grad():
                for bias in networks if update else ():
                    bias.add_(0.1)
            before = [bias.detach().clone() for bias in networks]
            fake = trainer.generate(latents())
            outputs = trainer.discriminate(images(), fake.detach())
            trainer.discriminator_step(outputs, extra_loss=extra * networks[0].sum())
            trainer.generator_step(trainer.discriminate_fake(fake), extra_loss=extra * networks[1].sum())
        assert all((now < was).all() for now, was in zip(networks, before, strict=True))


def test_a_longer_pause_between_the_generators_steps_slows_its_average() -> None:
    """The average's warm-up counts steps of the generator, not of the discriminator."""
    trainer, counted = make(discriminator_steps=3), list[int]()
    trainer.average.update = counted.append  # type: ignore[method-assign]
    for update in range(1, 10):
        fake = trainer.generate(latents())
        trainer.discriminator_step(trainer.discriminate(images(), fake.detach()))
        if update % 3 == 0:
            trainer.generator_step(trainer.discriminate_fake(fake))
    assert counted == [0, 1, 2]
