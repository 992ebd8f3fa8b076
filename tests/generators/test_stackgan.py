"""StackGAN: stage I learns on small images, then stage II on those of stage I."""

from typing import Any

import pytest
import torch
from torch import nn

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators._adversarial.labels import ClassLabels
from sandbox.generators.stackgan import StackGAN, StackGANConfig
from sandbox.interfaces.capabilities import ClassConditional, HasLatents, HasPreview
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.images import downsample, upsample
from sandbox.ops.likelihood import gaussian_kl
from sandbox.streams.labeled import Labeled

SPEC = Spec((1, 8, 8), num_classes=3)
CPU = choose("cpu")
LABELS = torch.tensor([2, 0, 1, 1, 0, 2])
IMAGES = torch.randint(256, (6, 1, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
BATCH = Labeled(IMAGES, LABELS)
HOT = torch.eye(3)[LABELS]
IN_TURN = torch.tensor([0, 1, 2, 0, 1, 2])


def make(**options: Any) -> StackGAN:
    small = {
        "stage_one": {"name": "strided", "channels": (4,)},
        "backbone": {"name": "strided", "channels": (4,)},
        "stage_one_steps": 2,
        "condition_size": 2,
        "latent_size": 3,
        "channels": 4,
    }
    return StackGANConfig.model_validate({**small, **options}).make(SPEC, Rng(0), CPU, NO_RUNS)


def network(gan: StackGAN, name: str) -> Any:
    return gan.parts()[name]


def snapshot(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(module: nn.Module, before: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_stage_two_begins_when_stage_one_has_had_its_updates() -> None:
    gan = make()
    networks = {
        number: [network(gan, f"{stage}.{name}") for name in ("generator", "discriminator", "average")]
        for number, stage in ((1, "stage_one"), (2, "stage_two"))
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


def test_stage_one_learns_on_halved_images_with_the_kl_of_its_condition() -> None:
    gan, twin = make(kl_weight=3.0), make(kl_weight=3.0)
    metrics = gan.update(BATCH)
    latents = torch.randn(6, 7, generator=Rng(0).torch("noise/training", CPU.device))
    noise, z, _ = torch.split(latents, [2, 3, 2], 1)
    generator = network(twin, "stage_one.generator")
    mean, log_variance = generator.condition.embedding(HOT).chunk(2, 1)
    condition = mean + (0.5 * log_variance).exp() * noise
    fake = torch.sigmoid(generator.decoder(torch.cat([condition, z], 1)))
    kl = gaussian_kl(mean, log_variance).mean()
    torch.testing.assert_close(metrics["kl"], kl.detach())
    classes = ClassLabels(SPEC, "stackgan", Rng(0), CPU)
    pairs = [classes.append_planes(x, LABELS) for x in (downsample(IMAGES / 255), fake)]
    before, after = network(twin, "stage_one.discriminator"), network(gan, "stage_one.discriminator")
    expected = NON_SATURATING.discriminator_loss(*(before(x).logits for x in pairs))
    torch.testing.assert_close(metrics["discriminator_loss"], expected.detach())
    expected = NON_SATURATING.generator_loss(after(pairs[1]).logits) + 3.0 * kl
    torch.testing.assert_close(metrics["generator_loss"], expected.detach(), rtol=1e-4, atol=1e-4)


def test_stage_two_refines_small_images_of_the_averaged_stage_one() -> None:
    gan = make(stage_one_steps=1)
    codes, hot = gan.latents(6), torch.eye(3)[IN_TURN]
    first, z, second = torch.split(codes, [2, 3, 2], 1)
    stage_one, stage_two = network(gan, "stage_one.average"), network(gan, "stage_two.average")
    small = torch.sigmoid(stage_one(hot, first, z).logits)
    assert small.shape == (6, 1, 4, 4)
    assert torch.equal(gan.decode(codes), upsample(small, (8, 8)))  # stage II has not learned yet
    gan.update(BATCH), gan.update(BATCH)
    small = torch.sigmoid(stage_one(hot, first, z).logits)
    assert torch.equal(gan.decode(codes), torch.sigmoid(stage_two(hot, second, small).logits))


def test_stage_two_sees_small_images_from_minus_one_to_one() -> None:
    gan, seen = make(), list[torch.Tensor]()
    stage = network(gan, "stage_two.generator")
    stage.features.register_forward_pre_hook(lambda layer, given: seen.append(given[0]))
    small = torch.tensor([0.0, 0.25, 1.0]).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    stage(HOT[:3], torch.zeros(3, 2), small)
    assert seen[0][:, 0, 0, 0].tolist() == [-1.0, -0.5, 1.0]


def test_decoded_images_are_of_all_classes_in_turn() -> None:
    gan = make()
    codes = gan.latents(1).expand(6, -1)
    decoded = gan.decode(codes)
    torch.testing.assert_close(decoded[:3], decoded[3:])
    assert not torch.allclose(decoded[0], decoded[1])
    assert not torch.allclose(decoded[1], decoded[2])
    assert torch.equal(gan.preview(4), gan.preview(4))
    assert gan.sample_of(LABELS).shape == (6, 1, 8, 8)


def test_samples_are_independent_of_each_other() -> None:
    gan = make()
    gan.sample_of = lambda labels: labels  # type: ignore[method-assign]
    kinds = gan.sample(3_000)
    assert torch.bincount(kinds).tolist() == pytest.approx([1_000] * 3, abs=100)
    assert float((kinds[1:] == kinds[:-1]).double().mean()) == pytest.approx(1 / 3, abs=0.04)


def test_bad_data() -> None:
    with pytest.raises(UserError) as error:
        StackGANConfig().make(Spec((1, 8, 8)), Rng(0), CPU, NO_RUNS)
    assert str(error.value) == (
        "generator.name=stackgan learns images of given classes, but these data have no labels. Use data with "
        "labels, e.g. data.name=digits or data.name=mnist, or generator.name=dcgan, which needs none."
    )
    with pytest.raises(UserError) as error:
        StackGANConfig().make(Spec((1, 1, 8), num_classes=2), Rng(0), CPU, NO_RUNS)
    assert str(error.value) == (
        "generator.name=stackgan halves images, but these are 1x8. Use larger images, or generator.name=cgan."
    )


def test_capabilities() -> None:
    gan = make()
    for capability in (HasPreview, HasLatents, ClassConditional):
        assert isinstance(gan, capability)
    assert gan.num_classes() == 3
