"""What each adversarial member promises beside its loss: limits, penalties, norms, precision."""

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
GAME = {"dcgan": NON_SATURATING, "lsgan": LEAST_SQUARES, "sngan": HINGE, "wgan": WASSERSTEIN, "wgan_gp": WASSERSTEIN}
ALONE = ("sngan", "wgan", "wgan_gp")  # no batch norm


def make(name: str, bf16: bool = False, family: str = "generators", **options: Any) -> Any:
    backbone = {"name": "strided", "channels": (4, 8), "normalization": "none" if name in ALONE else "batch"}
    file = importlib.import_module(f"sandbox.{family}.{name}")
    config = vars(file)[f"{CLASSES.get(name, 'DQN')}Config"].model_validate({"backbone": backbone, **options})
    return config.make(SPEC, Rng(0), Compute(torch.device("cpu"), bf16), NO_RUNS)


def images(count: int = 8, seed: int = 0) -> torch.Tensor:
    return torch.randint(256, (count, *SPEC.shape), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def fakes(learner: Any, count: int = 8) -> torch.Tensor:
    return learner._noise.images(learner._duel.generator, learner._noise.training(count)).detach()


@pytest.mark.parametrize("name", list(GAME))
def test_each_plays_its_game(name: str) -> None:
    learner, twin = make(name), make(name)
    metrics, game = learner.update(images()), GAME[name]
    fake = fakes(twin)
    on_real, on_fake = (twin._duel.discriminator(x).logits for x in (images(), fake))
    torch.testing.assert_close(metrics["discriminator_loss"], game.discriminator_loss(on_real, on_fake).detach())
    torch.testing.assert_close(metrics["d_real"], game.read(on_real).mean().detach())


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
    networks = (learner._duel.discriminator, learner._duel.average)
    assert all(weight.dtype == torch.float32 for network in networks for weight in network.parameters())
    judged = learner._duel.discriminator(images())
    assert judged.logits.dtype == torch.float32


def test_trap_24_the_generators_step_leaves_spectral_vectors_and_running_means_alone() -> None:
    for name in ("sngan", "dcgan"):
        duel = make(name)._duel
        before = {key: value.clone() for key, value in duel.discriminator.named_buffers()}
        assert before
        duel.generate(torch.rand(8, *SPEC.shape) * duel.generator(torch.randn(8, 100)).sigmoid())
        assert all(torch.equal(value, before[key]) for key, value in duel.discriminator.named_buffers())
        duel.discriminate(images(), torch.rand(8, *SPEC.shape))
        assert not all(torch.equal(value, before[key]) for key, value in duel.discriminator.named_buffers())


def test_trap_25_weights_are_clipped_after_each_step_of_the_critic() -> None:
    """Of which there are five to one of the generator; its scores are no probabilities."""
    learner = make("wgan", clip=0.003)
    for step in range(1, 6):
        with torch.no_grad():
            for weight in learner._duel.discriminator.parameters():
                weight.add_(0.1)
        metrics = learner.update(images())
        sizes = [weight.abs().max().item() for weight in learner._duel.discriminator.parameters()]
        assert sizes == pytest.approx([0.003] * len(sizes))
        assert ("generator_loss" in metrics) == (step == 5)
    torch.testing.assert_close(metrics["wasserstein"], metrics["d_real"] - metrics["d_fake"])
    assert metrics["d_real"] > 1  # of weights near 0.1 on features that are sums of many


def test_trap_25_the_generator_answers_clipped_weights() -> None:
    learner, twin = make("wgan", discriminator_steps=1), make("wgan", discriminator_steps=1)
    metrics = learner.update(images())
    answered = WASSERSTEIN.generator_loss(learner._duel.discriminator(fakes(twin)).logits)
    torch.testing.assert_close(metrics["generator_loss"], answered.detach())


@pytest.mark.parametrize("pack_size", [1, 2])
def test_trap_25_the_penalty_is_the_critics_own_before_its_step(pack_size: int) -> None:
    options: dict[str, Any] = {"regularizers": {"pack_size": pack_size}, "penalty": 7.0}
    learner, twin = make("wgan_gp", **options), make("wgan_gp", **options)
    metrics = learner.update(images())
    alphas = torch.rand(8 // pack_size, generator=twin._alphas)
    critic = twin._duel.discriminator
    expected = gradient_penalty(lambda x: critic(x).logits, images() / 255, fakes(twin), alphas)
    torch.testing.assert_close(metrics["penalty"], 7 * expected.detach())
    assert metrics["penalty"] > 1


def test_trap_25_the_penalty_is_in_fp32_in_a_run_in_bf16() -> None:
    learner = make("wgan_gp", bf16=True)
    seen = []
    last = learner._duel.discriminator.encoder.convolutions[-1]
    last.register_forward_hook(lambda layer, given, got: seen.append(got.dtype))
    learner.update(images())
    assert seen == [torch.bfloat16, torch.bfloat16, torch.float32]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"backbone": {"name": "strided", "channels": (4, 8)}},
            "generator.name=wgan_gp judges each image by itself, but its backbone normalises by batch. "
            "Set generator.backbone.normalization to none or instance.",
        ),
        (
            {"regularizers": {"minibatch_discrimination": {}}},
            "generator.name=wgan_gp judges each image by itself, but minibatch discrimination compares it with its "
            "batch. Leave generator.regularizers.minibatch_discrimination out; "
            "generator.regularizers.pack_size goes with it.",
        ),
    ],
)
def test_trap_25_a_critic_with_company_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        make("wgan_gp", **options)
    assert str(error.value) == message


@pytest.mark.parametrize("name", ["sngan", "wgan", "wgan_gp"])
def test_there_are_no_classes_to_smooth_among_scores(name: str) -> None:
    with pytest.raises(UserError) as error:
        make(name, regularizers={"label_smoothing": 0.1})
    assert str(error.value) == (
        "generator.regularizers.label_smoothing=0.1 smooths the classes real and fake, "
        "but this member's discriminator gives scores, not classes. Leave it out."
    )


def spectral_norms(network: nn.Module) -> list[float]:
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    return [torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item() for layer in layers]


@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
def test_trap_26_the_largest_singular_values_are_1(bf16: bool) -> None:
    """Of all layers, convolutions as matrices [out, in * K * K], after enough power iterations."""
    judge = make("sngan")._duel.discriminator
    with torch.no_grad():
        for _ in range(200):
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                judge(images(1))
    assert spectral_norms(judge.eval()) == pytest.approx([1.0] * 3, abs=0.01)
    learner = make("sngan", bf16)
    for _ in range(5):
        learner.update(images())
    assert spectral_norms(learner._duel.discriminator.eval()) == pytest.approx([1.0] * 3, abs=0.15)


def test_trap_26_power_iterations_belong_to_training() -> None:
    judge = make("sngan")._duel.discriminator
    before = {name: value.clone() for name, value in judge.named_buffers()}
    judge.eval()(images())
    assert all(torch.equal(value, before[name]) for name, value in judge.named_buffers())
    judge.train()(images())
    assert not all(torch.equal(value, before[name]) for name, value in judge.named_buffers())


@pytest.mark.parametrize("name", ["dcgan", "sngan", "wgan_gp"])
def test_a_discriminator_is_an_agents_torso(name: str) -> None:
    """With what its layers really multiply by, and the statistics of its batch norms."""
    giver = make(name)
    for _ in range(3):
        giver.update(images())
    normalization = "none" if name in ALONE else "batch"
    backbone = {"name": "strided", "channels": (4, 8), "normalization": normalization}
    stream = {"stack": 1, "replay": {"num_envs": 1, "capacity": 100, "warmup": 10}}
    agent = make("dqn", family="agents", backbone=backbone, stream=stream)
    freeze_batch_norms(agent)
    load_encoder(agent, giver, "muse")
    observations = images(4)
    judge = giver._duel.discriminator.eval()
    for network in (agent._network, agent._target):
        torch.testing.assert_close(network.encoder(observations), judge.encoder(observations))
    alone, _ = agent.act(observations.numpy()[:1], agent.initial_state(1), explore=False)
    together, _ = agent.act(observations.numpy(), agent.initial_state(4), explore=False)
    assert alone[0] == together[0]


def test_an_agent_is_judged_alone() -> None:
    """Acting beside others changes neither its values nor its statistics."""
    stream = {"stack": 1, "replay": {"num_envs": 1, "capacity": 100, "warmup": 10}}
    agent = make("dqn", family="agents", stream=stream)
    freeze_batch_norms(agent)
    before = {name: value.clone() for name, value in agent._network.state_dict().items()}
    with torch.no_grad():
        torch.testing.assert_close(agent._network(images(4))[:1], agent._network(images(1)))
    assert all(torch.equal(value, before[name]) for name, value in agent._network.state_dict().items())


def test_norms_that_are_judged_alone_learn_on_afterwards() -> None:
    learner = make("dcgan")
    judge, average = learner._duel.discriminator, learner._duel.average
    before = {name: value.clone() for name, value in judge.named_buffers()}
    with paused_batch_norms(learner):
        torch.testing.assert_close(judge(images(4)).logits[:1], judge(images(1)).logits)
        assert all(torch.equal(value, before[name]) for name, value in judge.named_buffers())
    assert all(part.training for part in judge.modules())
    assert not any(part.training for part in average.modules())


def test_a_spectral_norm_takes_an_encoder_and_normalises_it() -> None:
    giver, taker = make("wgan_gp"), make("sngan")
    load_encoder(taker, giver, "muse")
    layer, given = taker._duel.discriminator.encoder.convolutions[2], giver._duel.discriminator.encoder.convolutions[2]
    raw = layer.parametrizations.weight.original
    assert torch.equal(raw, given.weight)
    largest = torch.linalg.matrix_norm(given.weight.flatten(1), 2)
    torch.testing.assert_close(layer.weight, given.weight / largest, rtol=0.05, atol=0.01)


def test_the_gradients_norms_are_of_before_they_are_clipped() -> None:
    plain = make("dcgan").update(images())
    clipped = make("dcgan", discriminator_optimizer={"clip_norm": 1e-3}, generator_optimizer={"clip_norm": 1e-3})
    torch.testing.assert_close(clipped.update(images())["discriminator_gradient"], plain["discriminator_gradient"])


def test_trap_25_the_penalty_moves_the_critic() -> None:
    """Adam's first step has the sign of the gradient, which is another one without the penalty."""
    light, heavy = make("wgan_gp", penalty=1e-9), make("wgan_gp", penalty=1e3)
    for learner in (light, heavy):
        learner.update(images())
    moved = [learner._duel.discriminator.head.weight for learner in (light, heavy)]
    assert not torch.allclose(*moved, atol=1e-5)
