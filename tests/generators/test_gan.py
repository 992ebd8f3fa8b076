"""The GAN: its losses against the equations, its averaged samples, its checkpoint."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from sandbox.core.compute import choose
from sandbox.core.rng import Rng
from sandbox.generators.gan import GAN, GANConfig
from sandbox.interfaces.capabilities import HasLatents, HasLikelihood, HasPreview
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.adversarial import MINIMAX, NON_SATURATING

SPEC = Spec((1, 8, 8))
CPU = choose("cpu")


def make(rng: Rng | None = None, **options: Any) -> GAN:
    options = {"backbone": {"name": "mlp", "hidden": (32,)}, "latent_size": 4, **options}
    return GANConfig.model_validate(options).make(SPEC, rng or Rng(0), CPU, NO_RUNS)


def images(count: int = 10) -> torch.Tensor:
    return torch.randint(256, (count, *SPEC.shape), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def network(gan: GAN, name: str) -> nn.Module:
    part = gan.parts()[name]
    assert isinstance(part, nn.Module)
    return part


def fakes(gan: GAN, count: int = 10) -> torch.Tensor:
    """Return the images that a generator with seed 0 generates in its first update."""
    z = torch.randn(count, 4, generator=Rng(0).torch("noise/training", CPU.device))
    return torch.sigmoid(network(gan, "generator")(z))


def snapshot(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(module: nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize("loss", ["non_saturating", "minimax"])
def test_losses_are_those_of_the_untrained_pair(loss: str) -> None:
    options = {"regularizers": {"label_smoothing": 0.1}, "loss": loss}
    gan, twin = make(**options), make(**options)
    metrics = gan.update(images())
    fake = fakes(twin)
    on_real, on_fake = (network(twin, "discriminator")(x).logits for x in (images(), fake))
    expected = NON_SATURATING.discriminator_loss(on_real, on_fake, 0.1)
    torch.testing.assert_close(metrics["discriminator_loss"], expected.detach())
    torch.testing.assert_close(metrics["d_real"], on_real.sigmoid().mean().detach())
    torch.testing.assert_close(metrics["d_fake"], on_fake.sigmoid().mean().detach())
    assert metrics["loss"] == metrics["discriminator_loss"] + metrics["generator_loss"]
    after = network(gan, "discriminator")(fake.detach()).logits  # the generator faces the discriminator after its step
    wanted = {"non_saturating": NON_SATURATING, "minimax": MINIMAX}[loss].generator_loss(after)
    torch.testing.assert_close(metrics["generator_loss"], wanted.detach())


def test_the_gradients_norms_are_those_of_the_losses() -> None:
    gan, twin = make(), make()
    metrics = gan.update(images())
    discriminator = network(twin, "discriminator")
    on_real, on_fake = (discriminator(x).logits for x in (images(), fakes(twin).detach()))
    loss = NON_SATURATING.discriminator_loss(on_real, on_fake)
    gradients = torch.autograd.grad(loss, list(discriminator.parameters()))
    expected = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    torch.testing.assert_close(metrics["discriminator_gradient"], expected)
    assert metrics["generator_gradient"] > 0


def test_the_discriminator_may_move_more_often() -> None:
    gan = make(discriminator_steps=3)
    generator = network(gan, "generator")
    before = snapshot(generator)
    for _ in range(2):
        assert "generator_loss" not in gan.update(images())
        assert same(generator, before)
    assert "generator_loss" in gan.update(images())
    assert not same(generator, before)


def test_samples_come_from_the_average() -> None:
    gan = make(average_decay=0.75)
    generator, average = network(gan, "generator"), network(gan, "average")
    start = snapshot(generator)
    gan.update(images())
    for name, value in average.state_dict().items():
        torch.testing.assert_close(value, 0.1 * start[name] + 0.9 * generator.state_dict()[name])
    z = gan.latents(6)
    decoded = gan.decode(z)
    assert torch.equal(decoded, torch.sigmoid(average(z)))
    assert decoded.shape == (6, 1, 8, 8)
    assert 0 <= decoded.min() <= decoded.max() <= 1


def test_a_sample_of_a_generator_with_batch_norm_does_not_depend_on_its_batch() -> None:
    """The moving average covers the running means as well as the weights; its decay begins at 0.1."""
    gan = make(backbone={"name": "strided", "channels": (4, 8)}, average_decay=0.5)
    generator, average = network(gan, "generator"), network(gan, "average")
    name = "convolutions.0.running_mean"
    before = average.get_buffer(name).clone()
    gan.update(images())
    torch.testing.assert_close(average.get_buffer(name), 0.1 * before + 0.9 * generator.get_buffer(name))
    assert not torch.equal(average.get_buffer(name), before)
    z = gan.latents(6)
    torch.testing.assert_close(gan.decode(z)[:2], gan.decode(z[:2]))


def test_previews_are_of_the_same_latents() -> None:
    gan = make()
    first = gan.preview(4)
    gan.sample(3)
    assert torch.equal(gan.preview(4), first)
    gan.update(images())
    assert not torch.equal(gan.preview(4), first)


ALL_REGULARIZERS = {
    "label_smoothing": 0.1,
    "pack_size": 2,
    "minibatch_discrimination": {"num_kernels": 3, "kernel_size": 2},
    "feature_matching": 0.5,
    "historical_averaging": 0.1,
    "instance_noise": {"start": 0.1, "end": 0.01, "steps": 100},
}


@pytest.mark.parametrize("backbone", [{"name": "mlp", "hidden": (32,)}, {"name": "strided", "channels": (4, 8)}])
@pytest.mark.parametrize("regularizers", [{}, ALL_REGULARIZERS], ids=["plain", "regularizers"])
def test_a_restored_gan_continues_bit_for_bit(regularizers: dict[str, Any], backbone: dict[str, Any]) -> None:
    """The parts include the averaged generator, and weights keep their memory layout."""
    options = {"regularizers": regularizers, "discriminator_steps": 2, "backbone": backbone}
    rng, other_rng = Rng(0), Rng(1)
    gan, other = make(rng, **options), make(other_rng, **options)
    for _ in range(3):
        gan.update(images())
    assert gan.parts().keys() == other.parts().keys()
    for name, part in other.parts().items():
        part.load_state_dict(copy.deepcopy(gan.parts()[name].state_dict()))
    other_rng.load_state_dict(rng.state_dict())
    assert torch.equal(gan.sample(4), other.sample(4))
    for _ in range(2):
        assert gan.update(images()) == other.update(images())
    assert torch.equal(gan.sample(4), other.sample(4))


def test_instance_noise_changes_all_metrics() -> None:
    noisy = make(regularizers={"instance_noise": {"start": 0.2, "end": 0.02, "steps": 4}}).update(images())
    clean = make().update(images())
    assert {name for name in clean if noisy[name] == clean[name]} == set()


def test_capabilities() -> None:
    gan = make()
    assert isinstance(gan, HasPreview)
    assert isinstance(gan, HasLatents)
    assert not isinstance(gan, HasLikelihood)
    names = {name.split(".")[0] for name in gan.parts()["discriminator"].state_dict()}
    assert names == {"encoder", "head"}


@pytest.mark.learning
def test_equilibrium_on_a_target_that_can_be_represented() -> None:
    """On images of one gray value, the generator learns it, and D is 1/2 for real and for generated images."""
    adam = {"lr": 1e-3, "betas": (0.0, 0.99)}
    gan = make(average_decay=0.99, discriminator_optimizer=adam, generator_optimizer=adam)
    batch = torch.full((32, *SPEC.shape), 178, dtype=torch.uint8)
    tail = []
    for step in range(800):
        metrics = gan.update(batch)
        if step >= 400:
            tail.append([float(metrics["d_real"]), float(metrics["d_fake"])])
    assert torch.tensor(tail).mean(0).sub(0.5).abs().max() < 0.02
    assert (gan.sample(50).mean() - 178 / 255).abs() < 0.03
