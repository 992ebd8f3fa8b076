"""The adversarial pair: who moves when, and what is shown."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from generators.gan import GAN, GANConfig
from sandbox.device import choose
from sandbox.generator import Generator, Likelihood
from sandbox.learner import Spec
from sandbox.ops import adversarial
from sandbox.seeding import Rng

SPEC = Spec((1, 8, 8))


def make(**options: Any) -> GAN:
    options = {"backbone": {"name": "mlp", "hidden": (32,)}, "latent_size": 4, **options}
    return GANConfig.model_validate(options).make(SPEC, Rng(0), choose("cpu"))


def images(count: int = 10) -> torch.Tensor:
    return torch.randint(256, (count, *SPEC.shape), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def snapshot(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(module: nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.fixture
def gan() -> GAN:
    """With batch norm in the discriminator, to see its buffers move."""
    gan = make()
    gan._discriminator.encoder = nn.Sequential(gan._discriminator.encoder, nn.BatchNorm1d(32))
    return gan


def test_the_generators_step_does_not_touch_the_discriminator(gan: GAN) -> None:
    discriminator, generator = snapshot(gan._discriminator), snapshot(gan._generator)
    gan._update_generator(gan._images(gan._generator, 10, gan._latents))
    assert same(gan._discriminator, discriminator)
    assert all(parameter.grad is None for parameter in gan._discriminator.parameters())
    assert not same(gan._generator, generator)


def test_the_discriminators_step_does_not_touch_the_generator(gan: GAN) -> None:
    discriminator, generator = snapshot(gan._discriminator), snapshot(gan._generator)
    fake = gan._images(gan._generator, 10, gan._latents)
    gan._update_discriminator(images(), fake.detach())
    assert same(gan._generator, generator)
    assert all(parameter.grad is None for parameter in gan._generator.parameters())
    assert not same(gan._discriminator, discriminator)


def test_real_and_fake_go_through_apart(gan: GAN) -> None:
    """Two batches for the batch norm in one update, none of them mixed."""
    gan.update(images())
    assert gan._discriminator.get_buffer("encoder.1.num_batches_tracked").item() == 2


def test_losses_are_those_of_the_untrained_pair() -> None:
    gan, twin = make(label_smoothing=0.1), make(label_smoothing=0.1)
    metrics = gan.update(images())
    fake = twin._images(twin._generator, 10, twin._latents)
    real_logits, fake_logits = twin._discriminator(images()), twin._discriminator(fake)
    expected = adversarial.discriminator_loss(real_logits, fake_logits, 0.1)
    torch.testing.assert_close(metrics["discriminator_loss"], expected.detach())
    torch.testing.assert_close(metrics["d_real"], real_logits.sigmoid().mean().detach())
    torch.testing.assert_close(metrics["d_fake"], fake_logits.sigmoid().mean().detach())
    assert metrics["loss"] == metrics["discriminator_loss"] + metrics["generator_loss"]


def test_samples_come_from_the_average() -> None:
    gan = make(average_decay=0.75)
    start = snapshot(gan._generator)
    gan.update(images())
    for name, value in gan._average.state_dict().items():
        torch.testing.assert_close(value, 0.75 * start[name] + 0.25 * gan._generator.state_dict()[name])
    average = gan._images(gan._average, 6, torch.Generator().manual_seed(1))
    gan._prior.manual_seed(1)
    pictures = gan.sample(6)
    assert torch.equal(pictures, average)
    assert pictures.shape == (6, 1, 8, 8)
    assert 0 <= pictures.min() <= pictures.max() <= 1


def test_all_that_decides_what_comes_next_is_in_its_parts() -> None:
    gan, other = make(), GANConfig.model_validate(make()._config).make(SPEC, Rng(1), choose("cpu"))
    for _ in range(3):
        gan.update(images())
    for name, part in other.parts().items():
        part.load_state_dict(copy.deepcopy(gan.parts()[name].state_dict()))
    for generator in (gan._prior, other._prior, gan._latents, other._latents):
        generator.manual_seed(5)
    assert torch.equal(gan.sample(4), other.sample(4))
    assert gan.update(images()) == other.update(images())
    assert torch.equal(gan.sample(4), other.sample(4))


def test_interfaces() -> None:
    gan = make()
    assert isinstance(gan, Generator)
    assert not isinstance(gan, Likelihood)
    assert {name.split(".")[0] for name in gan.parts()["discriminator"].state_dict()} == {"encoder", "head"}


def test_equilibrium_on_a_target_that_can_be_represented() -> None:
    """Images of one grey value: the generator finds it, and the discriminator cannot tell them apart."""
    adam = {"lr": 1e-3, "betas": (0.0, 0.99)}
    gan = make(label_smoothing=0.0, average_decay=0.99, discriminator_optimizer=adam, generator_optimizer=adam)
    batch = torch.full((32, *SPEC.shape), 178, dtype=torch.uint8)
    tail = []
    for step in range(800):
        metrics = gan.update(batch)
        if step >= 400:
            tail.append([float(metrics["d_real"]), float(metrics["d_fake"])])
    assert torch.tensor(tail).mean(0).sub(0.5).abs().max() < 0.02
    assert (gan.sample(50).mean() - 178 / 255).abs() < 0.03
