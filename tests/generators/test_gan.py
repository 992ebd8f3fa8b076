"""The adversarial pair: who moves when, and what is shown."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from sandbox.core.compute import choose
from sandbox.core.rng import Rng
from sandbox.generators._adversarial.regularizers import ExponentialDecay
from sandbox.generators.gan import GAN, GANConfig
from sandbox.interfaces.generator import Generator, Imagines, Likelihood, Previews
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.adversarial import MINIMAX, NON_SATURATING

SPEC = Spec((1, 8, 8))


def make(**options: Any) -> GAN:
    options = {"backbone": {"name": "mlp", "hidden": (32,)}, "latent_size": 4, **options}
    return GANConfig.model_validate(options).make(SPEC, Rng(0), choose("cpu"), NO_RUNS)


def images(count: int = 10) -> torch.Tensor:
    return torch.randint(256, (count, *SPEC.shape), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def fakes(gan: GAN, count: int = 10) -> torch.Tensor:
    return gan._noise.images(gan._duel.generator, gan._noise.training(count))


def snapshot(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(module: nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.fixture
def gan() -> GAN:
    """With batch norm in the discriminator, and a spectral norm, to see their buffers move."""
    gan = make()
    discriminator = gan._duel.discriminator
    assert isinstance(discriminator.encoder, nn.Module)
    normed = nn.utils.parametrizations.spectral_norm(nn.Linear(32, 32))
    discriminator.encoder = nn.Sequential(discriminator.encoder, normed, nn.BatchNorm1d(32))
    return gan


def test_the_generators_step_does_not_touch_the_discriminator(gan: GAN) -> None:
    duel = gan._duel
    duel.discriminate(images(), fakes(gan).detach())
    discriminator, generator = snapshot(duel.discriminator), snapshot(duel.generator)
    duel.generate(fakes(gan))
    assert same(duel.discriminator, discriminator)
    assert all(parameter.grad is None for parameter in duel.discriminator.parameters())
    assert not same(duel.generator, generator)


def test_the_discriminators_step_does_not_touch_the_generator(gan: GAN) -> None:
    duel = gan._duel
    fake = fakes(gan)
    discriminator, generator = snapshot(duel.discriminator), snapshot(duel.generator)
    duel.discriminate(images(), fake.detach())
    assert same(duel.generator, generator)
    assert all(parameter.grad is None for parameter in duel.generator.parameters())
    assert not same(duel.discriminator, discriminator)


def test_real_and_fake_go_through_apart(gan: GAN) -> None:
    """Two batches for the batch norm in one update, none of them mixed."""
    gan.update(images())
    assert gan._duel.discriminator.get_buffer("encoder.2.num_batches_tracked").item() == 2


@pytest.mark.parametrize("game", ["non_saturating", "minimax"])
def test_losses_are_those_of_the_untrained_pair(game: str) -> None:
    options = {"regularizers": {"label_smoothing": 0.1}, "game": game}
    gan, twin = make(**options), make(**options)
    metrics = gan.update(images())
    fake = fakes(twin)
    on_real, on_fake = (twin._duel.discriminator(x).logits for x in (images(), fake))
    expected = NON_SATURATING.discriminator_loss(on_real, on_fake, 0.1)
    torch.testing.assert_close(metrics["discriminator_loss"], expected.detach())
    torch.testing.assert_close(metrics["d_real"], on_real.sigmoid().mean().detach())
    torch.testing.assert_close(metrics["d_fake"], on_fake.sigmoid().mean().detach())
    assert metrics["loss"] == metrics["discriminator_loss"] + metrics["generator_loss"]
    after = gan._duel.discriminator(fake.detach()).logits  # the generator answers the discriminator as it is now
    wanted = {"non_saturating": NON_SATURATING, "minimax": MINIMAX}[game].generator_loss(after)
    torch.testing.assert_close(metrics["generator_loss"], wanted.detach())


def test_the_gradients_norms_are_those_of_the_losses() -> None:
    gan, twin = make(), make()
    metrics = gan.update(images())
    on_real, on_fake = (twin._duel.discriminator(x).logits for x in (images(), fakes(twin).detach()))
    loss = NON_SATURATING.discriminator_loss(on_real, on_fake)
    gradients = torch.autograd.grad(loss, list(twin._duel.discriminator.parameters()))
    expected = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    torch.testing.assert_close(metrics["discriminator_gradient"], expected)
    assert metrics["generator_gradient"] > 0


def test_the_discriminator_may_move_more_often() -> None:
    gan = make(discriminator_steps=3)
    generator = snapshot(gan._duel.generator)
    for _ in range(2):
        assert "generator_loss" not in gan.update(images())
        assert same(gan._duel.generator, generator)
    assert "generator_loss" in gan.update(images())
    assert not same(gan._duel.generator, generator)


def test_samples_come_from_the_average() -> None:
    gan = make(average_decay=0.75)
    start = snapshot(gan._duel.generator)
    gan.update(images())
    for name, value in gan._duel.average.state_dict().items():
        torch.testing.assert_close(value, 0.75 * start[name] + 0.25 * gan._duel.generator.state_dict()[name])
    z = gan.latents(6)
    pictures = gan.decode(z)
    assert torch.equal(pictures, torch.sigmoid(gan._duel.average(z)))
    assert pictures.shape == (6, 1, 8, 8)
    assert 0 <= pictures.min() <= pictures.max() <= 1


def test_an_average_of_a_normalised_generator_judges_each_image_by_itself() -> None:
    """Its running means are averaged as its weights are; a sample does not depend on its neighbours."""
    gan = make(backbone={"name": "strided", "channels": (4, 8)}, average_decay=0.5)
    name = "convolutions.0.running_mean"
    before = gan._duel.average.get_buffer(name).clone()
    gan.update(images())
    torch.testing.assert_close(
        gan._duel.average.get_buffer(name), 0.5 * before + 0.5 * gan._duel.generator.get_buffer(name)
    )
    assert not torch.equal(gan._duel.average.get_buffer(name), before)
    z = gan.latents(6)
    torch.testing.assert_close(gan.decode(z)[:2], gan.decode(z[:2]))


def test_previews_are_of_the_same_latents() -> None:
    gan = make()
    first = gan.preview(4)
    gan.sample(3)
    assert torch.equal(gan.preview(4), first)
    gan.update(images())
    assert not torch.equal(gan.preview(4), first)


ALL_TRICKS = {
    "label_smoothing": 0.1,
    "pack_size": 2,
    "minibatch_discrimination": {"num_kernels": 3, "kernel_size": 2},
    "feature_matching": 0.5,
    "historical_averaging": 0.1,
    "instance_noise": {"start": 0.1, "end": 0.01, "steps": 100},
}


@pytest.mark.parametrize("backbone", [{"name": "mlp", "hidden": (32,)}, {"name": "strided", "channels": (4, 8)}])
@pytest.mark.parametrize("regularizers", [{}, ALL_TRICKS], ids=["plain", "regularizers"])
def test_all_that_decides_what_comes_next_is_in_its_parts(
    regularizers: dict[str, Any], backbone: dict[str, Any]
) -> None:
    """The average, too (trap 26), and to the last bit, whatever the layout in memory."""
    gan = make(regularizers=regularizers, discriminator_steps=2, backbone=backbone)
    other = GANConfig.model_validate(gan._duel._terms).make(SPEC, Rng(1), choose("cpu"), NO_RUNS)
    for _ in range(3):
        gan.update(images())
    assert gan.parts().keys() == other.parts().keys()
    for name, part in other.parts().items():
        part.load_state_dict(copy.deepcopy(gan.parts()[name].state_dict()))
    for noise in (gan._noise, other._noise):
        noise._training.manual_seed(5)
    for player in (gan, other):
        player._duel._blur._generator.manual_seed(7)
    for noise in (gan._noise, other._noise):
        noise._sampling.manual_seed(6)
    assert torch.equal(gan.sample(4), other.sample(4))
    for _ in range(2):
        assert gan.update(images()) == other.update(images())
    assert torch.equal(gan.sample(4), other.sample(4))


@pytest.mark.parametrize(("step", "value"), [(0, 0.4), (5, 0.04), (9, 0.4 * 0.01**0.9), (10, 0.0), (99, 0.0)])
def test_fading(step: int, value: float) -> None:
    assert ExponentialDecay(start=0.4, end=0.004, steps=10).at(step) == pytest.approx(value)


def test_noise_is_on_all_that_is_judged_and_fades() -> None:
    regularizers = {"instance_noise": {"start": 0.2, "end": 0.02, "steps": 4}}
    gan, plain = make(regularizers=regularizers), make()
    noisy, clean = gan.update(images()), plain.update(images())
    assert {name for name in clean if noisy[name] == clean[name]} == set()
    blur, grey = gan._duel._blur, torch.full((100_000,), 51, dtype=torch.uint8)
    for update, deviation in [(0, 0.2), (2, 0.2 * 0.1**0.5), (3, 0.2 * 0.1**0.75)]:
        noisy = blur.over(grey, update)
        assert noisy.mean().item() == pytest.approx(0.2, abs=0.003)
        assert noisy.std().item() == pytest.approx(deviation, rel=0.02)
    assert blur.over(grey, 4) is grey


def test_interfaces() -> None:
    gan = make()
    assert isinstance(gan, Generator)
    assert isinstance(gan, Previews)
    assert isinstance(gan, Imagines)
    assert not isinstance(gan, Likelihood)
    names = {name.split(".")[0] for name in gan.parts()["discriminator"].state_dict()}
    assert names == {"encoder", "head"}


@pytest.mark.learning
def test_equilibrium_on_a_target_that_can_be_represented() -> None:
    """Images of one grey value: the generator finds it, and the discriminator cannot tell them apart."""
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
