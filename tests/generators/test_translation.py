"""pix2pix and CycleGAN: what they are trained on, against the equations written out, and what they refuse."""

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
from sandbox.interfaces.generator import Generator, Previews, Translates
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.adversarial import LEAST_SQUARES, NON_SATURATING
from sandbox.streams.paired import Both

SPEC = Spec((3, 8, 8), source_shape=(1, 8, 8))
SMALL = {"channels": (4, 8), "patch_channels": (4, 8)}


def pix2pix(**options: Any) -> Pix2Pix:
    return Pix2PixConfig.model_validate({**SMALL, **options}).make(SPEC, Rng(0), choose("cpu"), NO_RUNS)


def cyclegan(spec: Spec = SPEC, **options: Any) -> CycleGAN:
    config = CycleGANConfig.model_validate({**SMALL, "num_blocks": 1, **options})
    return config.make(spec, Rng(0), choose("cpu"), NO_RUNS)


def both(count: int = 5, channels: int = 3, seed: int = 0) -> Both:
    draws = torch.Generator().manual_seed(seed)
    images, sources = (torch.randint(256, (count, c, 8, 8), generator=draws).to(torch.uint8) for c in (channels, 1))
    return Both(images, sources)


def snapshot(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(module: nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_pix2pix_plays_on_pairs_and_is_pulled_to_the_truth() -> None:
    """The discriminator sees [source, image] and [source, fake], the generator also 10 times the mean error."""
    model, twin, batch = pix2pix(l1_weight=10.0), pix2pix(l1_weight=10.0), both()
    metrics = model.update(batch)
    images, sources = batch.images / 255, batch.sources / 255
    fake = torch.sigmoid(twin._duel.generator(sources, twin._training))
    judge = twin._duel.discriminator
    real_logits = judge(torch.cat([sources, images], 1)).logits
    fake_logits = judge(torch.cat([sources, fake], 1)).logits
    assert real_logits.shape == (5, 1, 2, 2)
    expected = NON_SATURATING.discriminator_loss(real_logits, fake_logits).detach()
    torch.testing.assert_close(metrics["discriminator_loss"], expected)
    l1 = (fake - images).abs().mean().detach()
    torch.testing.assert_close(metrics["l1"], l1)
    moved = model._duel.discriminator(torch.cat([sources, fake], 1)).logits
    game = NON_SATURATING.generator_loss(moved).detach()
    torch.testing.assert_close(metrics["generator_loss"], game + 10 * l1)


def test_pix2pix_translates_with_noise_and_previews_without_surprise() -> None:
    model = pix2pix(channels=(4, 8, 8))
    assert isinstance(model, Generator | Translates | Previews)
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
def test_a_restored_one_samples_from_the_same_sources(make: Any) -> None:
    model, other = make(average_decay=0.0), make(average_decay=0.0)
    model.update(both())
    other.update(both(seed=1))
    for name, part in other.parts().items():
        part.load_state_dict(copy.deepcopy(model.parts()[name].state_dict()))
    for one in (model, other):
        if isinstance(one, Pix2Pix):
            one._translating.manual_seed(0)
    assert torch.equal(other.sample(6), model.sample(6))


def test_cyclegan_against_its_equations() -> None:
    """Both generators at once, then both discriminators, on fakes from before the generators moved."""
    spec = Spec((1, 8, 8), source_shape=(1, 8, 8))
    options = {"cycle_weight": 3.0, "identity_weight": 2.0}
    model, twin, batch = cyclegan(spec, **options), cyclegan(spec, **options), both(channels=1)
    metrics = model.update(batch)
    y, x = batch.images / 255, batch.sources / 255
    there, back = (lambda z, way=way: torch.sigmoid(twin._generators[way](z)) for way in ("there", "back"))
    on_y, on_x = (lambda z, way=way: twin._discriminators[way](z).logits for way in ("there", "back"))
    cycle = (back(there(x)) - x).abs().mean() + (there(back(y)) - y).abs().mean()
    identity = (there(y) - y).abs().mean() + (back(x) - x).abs().mean()
    game = LEAST_SQUARES.generator_loss(on_y(there(x))) + LEAST_SQUARES.generator_loss(on_x(back(y)))
    torch.testing.assert_close(metrics["generator_loss"], (game + 3 * cycle + 2 * identity).detach())
    torch.testing.assert_close(metrics["cycle"], cycle.detach() / 2)
    torch.testing.assert_close(metrics["identity"], identity.detach() / 2)
    judged = LEAST_SQUARES.discriminator_loss(on_y(y), on_y(there(x)))
    judged = judged + LEAST_SQUARES.discriminator_loss(on_x(x), on_x(back(y)))
    torch.testing.assert_close(metrics["discriminator_loss"], judged.detach())
    torch.testing.assert_close(metrics["loss"], metrics["generator_loss"] + metrics["discriminator_loss"])


def test_without_an_identity_there_is_none() -> None:
    metrics = cyclegan().update(both())
    assert "identity" not in metrics


def test_each_player_moves_alone() -> None:
    model = cyclegan()
    real = {"there": both().images / 255, "back": both().sources / 255}
    before = snapshot(model._discriminators)
    fake, _ = model._update_generators(real)
    assert same(model._discriminators, before)
    before = snapshot(model._generators)
    model._update_discriminators(real, fake)
    assert same(model._generators, before)


def test_discriminators_are_shown_the_past() -> None:
    model = cyclegan(pool_size=5)
    model.update(both())
    old = {way: pool.state_dict()["images"] for way, pool in model._pools.items()}
    fakes = model._images(model._generators["there"], both().sources / 255).detach()
    shown = model._pools["there"].exchange(fakes)
    from_past = [any(torch.equal(image, image_then) for image_then in old["there"]) for image in shown]
    assert 0 < sum(from_past) < 5


def test_translations_come_from_the_averages_both_ways() -> None:
    model = cyclegan(average_decay=0.75)
    start = snapshot(model._generators)
    model.update(both())
    for name, value in model._averages.state_dict().items():
        torch.testing.assert_close(value, 0.75 * start[name] + 0.25 * model._generators.state_dict()[name])
    images, sources = both()
    expected = torch.sigmoid(model._averages["there"](sources))
    assert torch.equal(model.translate(sources), expected)
    assert torch.equal(model.sample(5), expected)
    assert torch.equal(model.translate_back(images), torch.sigmoid(model._averages["back"](images)))


@pytest.mark.parametrize("make", [pix2pix, cyclegan])
def test_sources_of_another_shape(make: Any) -> None:
    model, name = make(), make.__name__
    for shape in ((2, 3, 8, 8), (2, 1, 9, 8), (1, 8, 8)):
        with pytest.raises(UserError) as refused:
            model.translate(torch.zeros(shape))
        assert str(refused.value) == (
            f"this {name} takes images [B, 1, 8, 8], which it has learnt from, but these are {list(shape)}. "
            "Bring them to that shape, or train one on images such as these."
        )
    with pytest.raises(UserError, match=r"images are bytes or floats in \[0, 1\], but these are floats from 0 to 2"):
        model.translate(torch.linspace(0, 2, 64).view(1, 1, 8, 8))


@pytest.mark.parametrize(("config", "name"), [(Pix2PixConfig(), "pix2pix"), (CycleGANConfig(), "cyclegan")])
def test_data_without_sources_or_of_two_sizes(config: Any, name: str) -> None:
    with pytest.raises(UserError) as refused:
        config.make(Spec((1, 8, 8)), Rng(0), choose("cpu"), NO_RUNS)
    assert str(refused.value) == (
        f"generator.name={name} translates sources to images, but these data have images only. Take a set with "
        "both, e.g. data.name=edges (pairs) or data.name=colors (no pairs, for generator.name=cyclegan)."
    )
    with pytest.raises(UserError) as refused:
        config.make(Spec((1, 8, 8), source_shape=(1, 16, 16)), Rng(0), choose("cpu"), NO_RUNS)
    assert str(refused.value) == (
        f"generator.name={name} translates between images of one size, but the sources of these data are "
        "16x16 and their images 8x8. Scale one of them."
    )
