"""pix2pix and CycleGAN: their losses against the equations, their samples, and the data that they refuse."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.cyclegan import CycleGAN, CycleGANConfig
from sandbox.generators.pix2pix import Pix2Pix, Pix2PixConfig
from sandbox.interfaces.capabilities import HasPreview, HasTranslation
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.adversarial import LEAST_SQUARES, NON_SATURATING
from sandbox.streams.paired import Both

SPEC = Spec((3, 8, 8), source_shape=(1, 8, 8))
CPU = choose("cpu")
SMALL = {"channels": (4, 8), "patch_channels": (4, 8)}


def pix2pix(rng: Rng | None = None, **options: Any) -> Pix2Pix:
    return Pix2PixConfig.model_validate({**SMALL, **options}).make(SPEC, rng or Rng(0), CPU, NO_RUNS)


def cyclegan(rng: Rng | None = None, spec: Spec = SPEC, **options: Any) -> CycleGAN:
    config = CycleGANConfig.model_validate({**SMALL, "num_blocks": 1, **options})
    return config.make(spec, rng or Rng(0), CPU, NO_RUNS)


def part(model: Pix2Pix | CycleGAN, name: str) -> Any:
    return model.parts()[name]


def both(count: int = 5, channels: int = 3, seed: int = 0) -> Both:
    draws = torch.Generator().manual_seed(seed)
    images, sources = (torch.randint(256, (count, c, 8, 8), generator=draws).to(torch.uint8) for c in (channels, 1))
    return Both(images, sources)


def snapshot(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(module: nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_pix2pix_against_its_equations() -> None:
    """The discriminator sees [source, image] and [source, fake]; the error of a pixel has weight 10."""
    model, twin, batch = pix2pix(l1_weight=10.0), pix2pix(l1_weight=10.0), both()
    metrics = model.update(batch)
    images, sources = batch.images / 255, batch.sources / 255
    fake = torch.sigmoid(part(twin, "generator")(sources, Rng(0).torch("pix2pix/dropout", CPU.device)))
    discriminator = part(twin, "discriminator")
    real_logits = discriminator(torch.cat([sources, images], 1)).logits
    fake_logits = discriminator(torch.cat([sources, fake], 1)).logits
    assert real_logits.shape == (5, 1, 2, 2)
    expected = NON_SATURATING.discriminator_loss(real_logits, fake_logits).detach()
    torch.testing.assert_close(metrics["discriminator_loss"], expected)
    l1 = (fake - images).abs().mean().detach()
    torch.testing.assert_close(metrics["l1"], l1)
    after = part(model, "discriminator")(torch.cat([sources, fake], 1)).logits
    adversarial = NON_SATURATING.generator_loss(after).detach()
    torch.testing.assert_close(metrics["generator_loss"], adversarial + 10 * l1)


def test_pix2pix_translates_with_new_noise_and_previews_with_the_same() -> None:
    model = pix2pix(channels=(4, 8, 8))
    assert isinstance(model, HasTranslation)
    assert isinstance(model, HasPreview)
    model.update(both())
    sources = both().sources
    assert model.translate(sources).shape == (5, 3, 8, 8)
    assert not torch.equal(model.translate(sources), model.translate(sources))
    torch.testing.assert_close(model.preview(7)[:2], model.preview(7)[5:], atol=0.2, rtol=0)  # five sources, again
    first = model.preview(5)
    model.sample(2)
    assert torch.equal(model.preview(5), first)
    model.update(both(seed=1))
    assert not torch.equal(model.preview(5), first)


@pytest.mark.parametrize("make", [pix2pix, cyclegan])
def test_a_restored_model_samples_from_the_same_sources(make: Any) -> None:
    rng, other_rng = Rng(0), Rng(0)
    model, other = make(rng, average_decay=0.0), make(other_rng, average_decay=0.0)
    model.update(both())
    other.update(both(seed=1))
    for name, restored in other.parts().items():
        restored.load_state_dict(copy.deepcopy(model.parts()[name].state_dict()))
    other_rng.load_state_dict(rng.state_dict())
    assert torch.equal(other.sample(6), model.sample(6))


def test_cyclegan_against_its_equations() -> None:
    """Both generators at once, then both discriminators, on fakes from before the generators moved."""
    spec = Spec((1, 8, 8), source_shape=(1, 8, 8))
    options = {"cycle_weight": 3.0, "identity_weight": 2.0}
    model, twin = cyclegan(spec=spec, **options), cyclegan(spec=spec, **options)
    batch = both(channels=1)
    metrics = model.update(batch)
    y, x = batch.images / 255, batch.sources / 255
    generators, discriminators = part(twin, "generators"), part(twin, "discriminators")

    def g(z: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(generators["to_image"](z))

    def f(z: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(generators["to_source"](z))

    def d_y(z: torch.Tensor) -> torch.Tensor:
        return discriminators["to_image"](z).logits

    def d_x(z: torch.Tensor) -> torch.Tensor:
        return discriminators["to_source"](z).logits

    cycle = (f(g(x)) - x).abs().mean() + (g(f(y)) - y).abs().mean()
    identity = (g(y) - y).abs().mean() + (f(x) - x).abs().mean()
    adversarial = LEAST_SQUARES.generator_loss(d_y(g(x))) + LEAST_SQUARES.generator_loss(d_x(f(y)))
    torch.testing.assert_close(metrics["generator_loss"], (adversarial + 3 * cycle + 2 * identity).detach())
    torch.testing.assert_close(metrics["cycle"], cycle.detach() / 2)
    torch.testing.assert_close(metrics["identity"], identity.detach() / 2)
    loss = LEAST_SQUARES.discriminator_loss(d_y(y), d_y(g(x)))
    loss = loss + LEAST_SQUARES.discriminator_loss(d_x(x), d_x(f(y)))
    torch.testing.assert_close(metrics["discriminator_loss"], loss.detach())
    torch.testing.assert_close(metrics["loss"], metrics["generator_loss"] + metrics["discriminator_loss"])


def test_images_with_other_channels_have_no_identity_loss() -> None:
    metrics = cyclegan().update(both())
    assert "identity" not in metrics


def test_each_step_moves_its_own_networks_only() -> None:
    """The generators' step changes the generators only, and the discriminators' step the discriminators only."""
    model = cyclegan()
    generators, discriminators = part(model, "generators"), part(model, "discriminators")
    start = snapshot(generators), snapshot(discriminators)
    seen = []
    discriminators["to_image"].register_forward_pre_hook(
        lambda module, given: seen.append((snapshot(generators), snapshot(discriminators)))
    )
    model.update(both())
    moved_generators, discriminators_before_step = seen[1]  # seen[0] is in the generators' step
    assert not same(generators, start[0])
    assert same(generators, moved_generators)
    assert all(torch.equal(value, start[1][name]) for name, value in discriminators_before_step.items())
    assert not same(discriminators, start[1])


def test_discriminators_see_earlier_images() -> None:
    """After the first update has filled the pool, the discriminator sees some images of that update in the second."""
    model = cyclegan(pool_size=5, generator_optimizer={"lr": 1e-30})
    seen: list[torch.Tensor] = []
    discriminator = part(model, "discriminators")["to_image"]
    model.update(both())
    old = part(model, "pool_to_image").state_dict()["images"]
    discriminator.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    model.update(both(seed=1))
    _, pooled = seen[-2:]
    from_pool = [any(torch.equal(image, earlier) for earlier in old) for image in pooled]
    assert 0 < sum(from_pool) < 5


def test_translations_come_from_the_averages_both_ways() -> None:
    model = cyclegan(average_decay=0.75)
    generators, averages = part(model, "generators"), part(model, "averages")
    start = snapshot(generators)
    model.update(both())
    for name, value in averages.state_dict().items():
        torch.testing.assert_close(value, 0.1 * start[name] + 0.9 * generators.state_dict()[name])
    images, sources = both()
    expected = torch.sigmoid(averages["to_image"](sources))
    assert torch.equal(model.translate(sources), expected)
    assert torch.equal(model.sample(5), expected)
    assert torch.equal(model.translate_back(images), torch.sigmoid(averages["to_source"](images)))


@pytest.mark.parametrize("make", [pix2pix, cyclegan])
def test_sources_of_another_shape(make: Any) -> None:
    model, name = make(), make.__name__
    for shape in ((2, 3, 8, 8), (2, 1, 9, 8), (1, 8, 8)):
        with pytest.raises(UserError) as refused:
            model.translate(torch.zeros(shape))
        assert str(refused.value) == (
            f"this {name} was trained on images [B, 1, 8, 8], but these are {list(shape)}. "
            "Bring them to that shape, or train a generator on images such as these."
        )
    with pytest.raises(
        UserError, match=r"images must be bytes or floats in \[0, 1\], but these are floats from 0 to 2"
    ):
        model.translate(torch.linspace(0, 2, 64).view(1, 1, 8, 8))


@pytest.mark.parametrize(("config", "name"), [(Pix2PixConfig(), "pix2pix"), (CycleGANConfig(), "cyclegan")])
def test_data_without_sources_or_of_two_sizes(config: Any, name: str) -> None:
    with pytest.raises(UserError) as refused:
        config.make(Spec((1, 8, 8)), Rng(0), CPU, NO_RUNS)
    assert str(refused.value) == (
        f"generator.name={name} translates source images, but these data have none. Take a set that has them, "
        "e.g. data.name=edges (pairs) or data.name=colors (no pairs, for generator.name=cyclegan)."
    )
    with pytest.raises(UserError) as refused:
        config.make(Spec((1, 8, 8), source_shape=(1, 16, 16)), Rng(0), CPU, NO_RUNS)
    assert str(refused.value) == (
        f"generator.name={name} translates between images of one size, but the source images of these data are "
        "16x16 and their images 8x8. Scale one of them."
    )
