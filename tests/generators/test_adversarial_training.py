"""Adversarial members against their papers: losses, clipping, gradient penalty, spectral norms, precision."""

import importlib
from typing import Any

import pytest
import torch
from torch import nn

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.adversarial import HINGE, LEAST_SQUARES, NON_SATURATING, WASSERSTEIN, gradient_penalty
from sandbox.training.batch_norm import freeze_batch_norms, paused_batch_norms
from sandbox.training.warm_start import load_encoder

SPEC = Spec((1, 8, 8), num_actions=3)
CLASSES = {"gan": "GAN", "dcgan": "DCGAN", "lsgan": "LSGAN", "sngan": "SNGAN", "wgan": "WGAN", "wgan_gp": "WGANGP"}
LOSSES = {"dcgan": NON_SATURATING, "lsgan": LEAST_SQUARES, "sngan": HINGE, "wgan": WASSERSTEIN, "wgan_gp": WASSERSTEIN}
WITHOUT_BATCH_NORM = ("sngan", "wgan", "wgan_gp")


def make(name: str, bf16: bool = False, family: str = "generators", **options: Any) -> Any:
    norm = "none" if name in WITHOUT_BATCH_NORM else "batch"
    backbone = {"name": "strided", "channels": (4, 8), "norm": norm}
    file = importlib.import_module(f"sandbox.{family}.{name}")
    config = vars(file)[f"{CLASSES.get(name, 'DQN')}Config"].model_validate({"backbone": backbone, **options})
    return config.make(SPEC, Rng(0), Compute(torch.device("cpu"), bf16), NO_RUNS)


def images(count: int = 8, seed: int = 0) -> torch.Tensor:
    return torch.randint(256, (count, *SPEC.shape), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def network(learner: Any, name: str) -> Any:
    return learner.parts()[name]


def fakes(learner: Any, count: int = 8) -> torch.Tensor:
    """Return the images that a generator with seed 0 generates in its first update."""
    z = torch.randn(count, 100, generator=Rng(0).torch("noise/training", torch.device("cpu")))
    return torch.sigmoid(network(learner, "generator")(z)).detach()


@pytest.mark.parametrize("name", list(LOSSES))
def test_each_has_its_loss(name: str) -> None:
    learner, twin = make(name), make(name)
    metrics, loss = learner.update(images()), LOSSES[name]
    fake = fakes(twin)
    on_real, on_fake = (network(twin, "discriminator")(x).logits for x in (images(), fake))
    torch.testing.assert_close(metrics["discriminator_loss"], loss.discriminator_loss(on_real, on_fake).detach())
    torch.testing.assert_close(metrics["d_real"], loss.readout(on_real).mean().detach())


@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize("name", list(CLASSES))
def test_each_learns_in_either_precision(name: str, bf16: bool) -> None:
    learner = make(name, bf16, discriminator_steps=2)
    for _ in range(4):
        metrics = learner.update(images())
    assert all(value.dtype == torch.float32 and bool(value.isfinite()) for value in metrics.values())
    sample = learner.sample(3)
    assert (sample.dtype, sample.shape) == (torch.float32, (3, *SPEC.shape))
    assert 0 <= sample.min() <= sample.max() <= 1
    networks = (network(learner, "discriminator"), network(learner, "average"))
    assert all(weight.dtype == torch.float32 for network in networks for weight in network.parameters())
    discriminatord = network(learner, "discriminator")(images())
    assert discriminatord.logits.dtype == torch.float32


def test_the_generators_step_leaves_spectral_vectors_and_running_means_alone() -> None:
    """Only the discriminator's step changes the buffers of its spectral norms and batch norms."""
    for name in ("sngan", "dcgan"):
        learner, twin = make(name, discriminator_steps=1), make(name, discriminator_steps=2)
        before = {key: value.clone() for key, value in network(learner, "discriminator").named_buffers()}
        assert "generator_loss" in learner.update(images())
        assert "generator_loss" not in twin.update(images())
        without_generator = dict(network(twin, "discriminator").named_buffers())
        after = dict(network(learner, "discriminator").named_buffers())
        assert all(torch.equal(value, without_generator[key]) for key, value in after.items())
        assert not all(torch.equal(value, before[key]) for key, value in after.items())


def test_weights_are_clipped_after_each_step_of_the_critic() -> None:
    """The critic takes five steps for each step of the generator; its scores are no probabilities."""
    learner = make("wgan", clip=0.003)
    for step in range(1, 6):
        with torch.no_grad():
            for weight in network(learner, "discriminator").parameters():
                weight.add_(0.1)
        metrics = learner.update(images())
        sizes = [weight.abs().max().item() for weight in network(learner, "discriminator").parameters()]
        assert sizes == pytest.approx([0.003] * len(sizes))
        assert ("generator_loss" in metrics) == (step == 5)
    torch.testing.assert_close(metrics["wasserstein"], metrics["d_real"] - metrics["d_fake"])
    assert metrics["d_real"] > 1  # of weights near 0.1 on features that are sums of many


def test_the_generator_faces_clipped_weights() -> None:
    learner, twin = make("wgan", discriminator_steps=1), make("wgan", discriminator_steps=1)
    metrics = learner.update(images())
    answered = WASSERSTEIN.generator_loss(network(learner, "discriminator")(fakes(twin)).logits)
    torch.testing.assert_close(metrics["generator_loss"], answered.detach())


@pytest.mark.parametrize("pack_size", [1, 2])
def test_the_penalty_is_that_of_the_critic_before_its_step(pack_size: int) -> None:
    options: dict[str, Any] = {"regularizers": {"pack_size": pack_size}, "penalty": 7.0}
    learner, twin = make("wgan_gp", **options), make("wgan_gp", **options)
    metrics = learner.update(images())
    alphas = torch.rand(8 // pack_size, generator=Rng(0).torch("wgan_gp/alphas", torch.device("cpu")))
    critic = network(twin, "discriminator")
    expected = gradient_penalty(lambda x: critic(x).logits, images() / 255, fakes(twin), alphas)
    torch.testing.assert_close(metrics["penalty"], 7 * expected.detach())
    assert metrics["penalty"] > 1
    torch.testing.assert_close(metrics["wasserstein"], metrics["d_real"] - metrics["d_fake"])
    assert metrics["wasserstein"].abs() > 1e-4


def test_the_penalty_is_minimized() -> None:
    learner = make("wgan_gp", penalty=1e3, discriminator_optimizer={"lr": 0.01})
    penalties = [float(learner.update(images())["penalty"]) for _ in range(10)]
    assert penalties[-1] < 0.5 * penalties[0]


def test_the_penalty_is_in_fp32_in_a_run_in_bf16() -> None:
    learner = make("wgan_gp", bf16=True)
    seen = []
    last = network(learner, "discriminator").encoder.convolutions[-1]
    last.register_forward_hook(lambda layer, given, got: seen.append(got.dtype))
    learner.update(images())
    assert seen == [torch.bfloat16, torch.bfloat16, torch.float32]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"backbone": {"name": "strided", "channels": (4, 8)}},
            "generator.name=wgan_gp penalizes the gradient of each image by itself, but its backbone normalizes by "
            "batch. Set generator.backbone.norm to none, layer, instance or group.",
        ),
        (
            {"regularizers": {"minibatch_discrimination": {}}},
            "generator.name=wgan_gp penalizes the gradient of each image by itself, but minibatch discrimination "
            "compares it with its batch. Leave generator.regularizers.minibatch_discrimination out; "
            "generator.regularizers.pack_size can be used instead.",
        ),
    ],
)
def test_a_critic_with_batch_statistics_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        make("wgan_gp", **options)
    assert str(error.value) == message


@pytest.mark.parametrize("name", ["sngan", "wgan", "wgan_gp"])
def test_label_smoothing_needs_labels(name: str) -> None:
    with pytest.raises(UserError) as error:
        make(name, regularizers={"label_smoothing": 0.1})
    assert str(error.value) == (
        "generator.regularizers.label_smoothing=0.1 smooths the labels real and fake, but this "
        "generator's discriminator is trained without labels: it gives scores. Leave the option out."
    )


def spectral_norms(network: nn.Module) -> list[float]:
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    return [torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item() for layer in layers]


@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
def test_the_largest_singular_values_are_1(bf16: bool) -> None:
    """Convolutions are matrices [out, in * K * K]; many power iterations make the norms exact."""
    discriminator = network(make("sngan"), "discriminator")
    with torch.no_grad():
        for _ in range(200):
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                discriminator(images(1))
    assert spectral_norms(discriminator.eval()) == pytest.approx([1.0] * 3, abs=0.01)
    learner = make("sngan", bf16)
    for _ in range(5):
        learner.update(images())
    assert spectral_norms(network(learner, "discriminator").eval()) == pytest.approx([1.0] * 3, abs=0.15)


def test_power_iterations_belong_to_training() -> None:
    discriminator = network(make("sngan"), "discriminator")
    before = {name: value.clone() for name, value in discriminator.named_buffers()}
    discriminator.eval()(images())
    assert all(torch.equal(value, before[name]) for name, value in discriminator.named_buffers())
    discriminator.train()(images())
    assert not all(torch.equal(value, before[name]) for name, value in discriminator.named_buffers())


@pytest.mark.parametrize("name", ["dcgan", "sngan", "wgan_gp"])
def test_a_discriminator_is_an_agents_torso(name: str) -> None:
    """The agent's encoder takes spectrally normalized weights, as the layers use them, and batch norm statistics."""
    giver = make(name)
    for _ in range(3):
        giver.update(images())
    norm = "none" if name in WITHOUT_BATCH_NORM else "batch"
    backbone = {"name": "strided", "channels": (4, 8), "norm": norm}
    stream = {"replay": {"num_envs": 1, "capacity": 100, "warmup": 10}}
    agent = make("dqn", family="agents", backbone=backbone, frame_stack=1, stream=stream)
    freeze_batch_norms(agent)
    load_encoder(agent, giver, "muse")
    observations = images(4)
    discriminator = network(giver, "discriminator").eval()
    for encoder in (network(agent, "network").encoder, network(agent, "target").network.encoder):
        torch.testing.assert_close(encoder(observations), discriminator.encoder(observations))
    alone, _ = agent.act(observations.numpy()[:1], agent.initial_state(1), explore=False)
    together, _ = agent.act(observations.numpy(), agent.initial_state(4), explore=False)
    assert alone[0] == together[0]


def test_an_agents_values_do_not_depend_on_its_batch() -> None:
    """Other images in the batch change neither an agent's values nor its batch norm statistics."""
    stream = {"replay": {"num_envs": 1, "capacity": 100, "warmup": 10}}
    agent = make("dqn", family="agents", frame_stack=1, stream=stream)
    freeze_batch_norms(agent)
    q_network = network(agent, "network")
    before = {name: value.clone() for name, value in q_network.state_dict().items()}
    with torch.no_grad():
        torch.testing.assert_close(q_network(images(4))[:1], q_network(images(1)))
    assert all(torch.equal(value, before[name]) for name, value in q_network.state_dict().items())


def test_paused_batch_norms_learn_on_afterwards() -> None:
    learner = make("dcgan")
    discriminator, average = network(learner, "discriminator"), network(learner, "average")
    before = {name: value.clone() for name, value in discriminator.named_buffers()}
    with paused_batch_norms(learner):
        torch.testing.assert_close(discriminator(images(4)).logits[:1], discriminator(images(1)).logits)
        assert all(torch.equal(value, before[name]) for name, value in discriminator.named_buffers())
    assert all(part.training for part in discriminator.modules())
    assert not any(part.training for part in average.modules())


def test_a_spectral_norm_takes_an_encoder_and_normalizes_it() -> None:
    giver, taker = make("wgan_gp"), make("sngan")
    load_encoder(taker, giver, "muse")
    layer, given = (network(learner, "discriminator").encoder.convolutions[2] for learner in (taker, giver))
    raw = layer.parametrizations.weight.original
    assert torch.equal(raw, given.weight)
    largest = torch.linalg.matrix_norm(given.weight.flatten(1), 2)
    torch.testing.assert_close(layer.weight, given.weight / largest, rtol=0.05, atol=0.01)


def test_metrics_have_the_norms_of_gradients_before_clipping() -> None:
    plain = make("dcgan").update(images())
    clipped = make("dcgan", discriminator_optimizer={"clip_norm": 1e-3}, generator_optimizer={"clip_norm": 1e-3})
    torch.testing.assert_close(clipped.update(images())["discriminator_gradient"], plain["discriminator_gradient"])


def test_the_penalty_moves_the_critic() -> None:
    """Adam's first step depends on the signs of the gradient alone; a large penalty changes some of them."""
    light, heavy = make("wgan_gp", penalty=1e-9), make("wgan_gp", penalty=1e3)
    for learner in (light, heavy):
        learner.update(images())
    moved = [network(learner, "discriminator").head.weight for learner in (light, heavy)]
    assert not torch.allclose(*moved, atol=1e-5)
