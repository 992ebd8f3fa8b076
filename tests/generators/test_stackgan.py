"""First the sketch, then the picture: who learns when, on what."""

from typing import Any

import pytest
import torch
from torch import nn

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.stackgan import StackGAN, StackGANConfig
from sandbox.interfaces.generator import Conditional, Generator, Imagines, Previews
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.images import enlarged, halved
from sandbox.ops.likelihood import gaussian_kl
from sandbox.streams.labeled import Labeled

SPEC = Spec((1, 8, 8), num_classes=3)
LABELS = torch.tensor([2, 0, 1, 1, 0, 2])
IMAGES = torch.randint(256, (6, 1, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
BATCH = Labeled(IMAGES, LABELS)
HOT = torch.eye(3)[LABELS]


def make(**options: Any) -> StackGAN:
    small = {
        "stage_one": {"name": "strided", "channels": (4,)},
        "backbone": {"name": "strided", "channels": (4,)},
        "stage_one_steps": 2,
        "condition_size": 2,
        "latent_size": 3,
        "channels": 4,
    }
    return StackGANConfig.model_validate({**small, **options}).make(SPEC, Rng(0), choose("cpu"), NO_RUNS)


def snapshot(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(module: nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_stage_two_begins_when_stage_one_has_had_its_updates() -> None:
    gan = make()
    networks = {
        stage: [duel.generator, duel.discriminator, duel.average]
        for stage, duel in ((1, gan._stage_one), (2, gan._stage_two))
    }
    for stage in (1, 1, 2, 2):
        before = {number: [snapshot(part) for part in parts] for number, parts in networks.items()}
        assert gan.update(BATCH)["stage"] == stage
        moved = {n: [not same(*pair) for pair in zip(networks[n], before[n], strict=True)] for n in (1, 2)}
        assert moved == {stage: [True] * 3, 3 - stage: [False] * 3}


def test_the_stage_is_in_the_checkpoint() -> None:
    gan, other = make(), make()
    gan.update(BATCH), gan.update(BATCH)
    for name, part in other.parts().items():
        part.load_state_dict(gan.parts()[name].state_dict())
    assert other.update(BATCH)["stage"] == 2


def test_stage_one_plays_on_halved_images_and_pays_for_its_condition() -> None:
    gan, twin = make(kl_weight=3.0), make(kl_weight=3.0)
    metrics = gan.update(BATCH)
    noise, z, _ = torch.split(twin._noise.training(6), [2, 3, 2], 1)
    mean, log_variance = twin._stage_one.generator.condition.embedding(HOT).chunk(2, 1)
    condition = mean + (0.5 * log_variance).exp() * noise
    fake = torch.sigmoid(twin._stage_one.generator.decoder(torch.cat([condition, z], 1)))
    kl = gaussian_kl(mean, log_variance).mean()
    torch.testing.assert_close(metrics["kl"], kl.detach())
    pairs = [twin._classes.as_planes(x, LABELS) for x in (halved(IMAGES / 255), fake)]
    expected = NON_SATURATING.discriminator_loss(*(twin._stage_one.discriminator(x).logits for x in pairs))
    torch.testing.assert_close(metrics["discriminator_loss"], expected.detach())
    moved = NON_SATURATING.generator_loss(gan._stage_one.discriminator(pairs[1]).logits) + 3.0 * kl
    torch.testing.assert_close(metrics["generator_loss"], moved.detach(), rtol=1e-4, atol=1e-4)


def test_stage_two_paints_over_sketches_of_the_average() -> None:
    gan = make(stage_one_steps=1)
    codes = gan.latents(6)
    first, z, second = torch.split(codes, [2, 3, 2], 1)
    sketch = torch.sigmoid(gan._stage_one.average(HOT, first, z).logits)
    assert sketch.shape == (6, 1, 4, 4)
    assert torch.equal(gan._make(codes, LABELS), enlarged(sketch, (8, 8)))  # nothing better is there yet
    gan.update(BATCH), gan.update(BATCH)
    sketch = torch.sigmoid(gan._stage_one.average(HOT, first, z).logits)
    assert torch.equal(gan._make(codes, LABELS), torch.sigmoid(gan._stage_two.average(HOT, second, sketch).logits))


def test_what_is_decoded_is_of_all_classes_in_turn() -> None:
    gan = make()
    codes, turn = gan.latents(6), torch.tensor([0, 1, 2, 0, 1, 2])
    assert torch.equal(gan.decode(codes), gan._make(codes, turn))
    assert not torch.allclose(gan.decode(codes)[:1], gan._make(codes[:1], turn[1:2]))
    assert torch.equal(gan.preview(4), gan.preview(4))
    assert gan.sample_of(LABELS).shape == (6, 1, 8, 8)


def test_samples_are_independent_of_each_other() -> None:
    gan = make()
    gan._make = lambda codes, labels: labels  # type: ignore[method-assign]
    kinds = gan.sample(3_000)
    assert torch.bincount(kinds).tolist() == pytest.approx([1_000] * 3, abs=100)
    assert float((kinds[1:] == kinds[:-1]).double().mean()) == pytest.approx(1 / 3, abs=0.04)


def test_bad_data() -> None:
    with pytest.raises(UserError) as error:
        StackGANConfig().make(Spec((1, 8, 8)), Rng(0), choose("cpu"), NO_RUNS)
    assert str(error.value) == (
        "generator.name=stackgan makes images of a class, but these data have no labels. Take some that have, "
        "e.g. data.name=digits or data.name=mnist, or generator.name=dcgan, which needs none."
    )
    with pytest.raises(UserError) as error:
        StackGANConfig().make(Spec((1, 1, 8), num_classes=2), Rng(0), choose("cpu"), NO_RUNS)
    assert str(error.value) == (
        "generator.name=stackgan halves images, but these are 1x8. Take larger ones, or generator.name=cgan."
    )


def test_interfaces() -> None:
    gan = make()
    for protocol in (Generator, Previews, Imagines, Conditional):
        assert isinstance(gan, protocol)
    assert gan.num_classes() == 3
