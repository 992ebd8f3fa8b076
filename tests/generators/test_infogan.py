"""Codes go in, and Q tells them again: on the discriminator's features, for the gain of both players."""

from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.gan import GANConfig
from sandbox.generators.infogan import InfoGAN, InfoGANConfig
from sandbox.interfaces.generator import Classifier, Clusters, Coder, Conditional, Generator, Imagines, Previews, Steers
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.likelihood import categorical_information, uniform_information
from sandbox.training.warm_start import load_encoder

SPEC = Spec((1, 8, 8))


def make(**options: Any) -> InfoGAN:
    small = {"backbone": {"name": "mlp", "hidden": (16,)}, "num_categories": 3, "noise_size": 4, "recognizer_size": 8}
    return InfoGANConfig.model_validate({**small, **options}).make(SPEC, Rng(0), choose("cpu"), NO_RUNS)


def images(count: int = 10) -> torch.Tensor:
    return torch.randint(256, (count, *SPEC.shape), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def test_codes_are_drawn_evenly() -> None:
    codes = make().latents(6_000)
    categories, others, noise = torch.split(codes, [3, 2, 4], 1)
    assert categories.unique().tolist() == [0.0, 1.0]
    assert categories.sum(1).unique().tolist() == [1.0]
    torch.testing.assert_close(categories.mean(0), torch.full((3,), 1 / 3), rtol=0, atol=0.03)
    assert -1 <= others.min() < -0.99 < 0.99 < others.max() <= 1
    torch.testing.assert_close(others.square().mean(0), torch.full((2,), 1 / 3), rtol=0, atol=0.03)
    torch.testing.assert_close(noise.std(0), torch.ones(4), rtol=0, atol=0.05)


def test_its_encoder_starts_a_plain_discriminator() -> None:
    """Though it stands within the network that has Q, too."""
    giver = make()
    taker = GANConfig(backbone=giver._config.backbone).make(SPEC, Rng(1), choose("cpu"), NO_RUNS)
    load_encoder(taker, giver, "muse")
    given = giver._recogniser.judge.encoder.state_dict()
    assert all(
        torch.equal(value, given[name]) for name, value in taker._duel.discriminator.encoder.state_dict().items()
    )


def test_both_players_gain_by_what_q_can_tell() -> None:
    weights = {"category_weight": 2.0, "code_weight": 0.5}
    gan, twin = make(**weights), make(**weights)
    metrics = gan.update(images())
    codes = twin._codes(twin._noise.training(10))
    fake = twin._noise.images(twin._duel.generator, codes)
    categories, others, _ = torch.split(codes, [3, 2, 4], 1)

    def bounds(recognizer: Any) -> tuple[torch.Tensor, torch.Tensor]:
        guess = recognizer.guess(recognizer(fake))
        category = categorical_information(guess.logits, categories.argmax(1))
        return category, uniform_information(guess.mean, guess.log_variance, others)

    on_real, on_fake = (twin._recogniser(x).logits for x in (images(), fake))
    game = NON_SATURATING.discriminator_loss(on_real, on_fake)
    category, code = bounds(twin._recogniser)
    loss = game - 2.0 * category - 0.5 * code
    gradients = torch.autograd.grad(loss, list(twin._recogniser.parameters()), retain_graph=True)
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    torch.testing.assert_close(metrics["discriminator_gradient"], norm)
    category, code = bounds(gan._recogniser)  # the generator is judged by the moved discriminator and Q
    torch.testing.assert_close(metrics["category_information"], category.detach())
    torch.testing.assert_close(metrics["code_information"], code.detach())
    after = NON_SATURATING.generator_loss(gan._recogniser(fake).logits)
    torch.testing.assert_close(metrics["generator_loss"], (after - 2.0 * category - 0.5 * code).detach())


def test_q_shares_the_trunk() -> None:
    """What Q loses changes the discriminator's encoder, too."""
    gan = make()
    codes = gan.latents(5)
    guess = gan._recogniser.guess(gan._recogniser(gan.decode(codes)))
    loss = categorical_information(guess.logits, codes[:, :3].argmax(1))
    slopes = torch.autograd.grad(loss, list(gan._recogniser.judge.encoder.parameters()))
    assert all(slope.abs().max() > 0 for slope in slopes)


def test_a_code_in_another_place_changes_what_is_made_in_steps() -> None:
    gan = make()
    labels, turned = torch.tensor([0, 1, 1]), torch.tensor([[0.0, 0.5], [0.0, 0.5], [0.9, 0.5]])
    pictures = gan.steer(labels, turned)
    noise = gan._noise.preview(1)[:, 3:].expand(3, -1)
    assert torch.equal(pictures, gan.decode(torch.cat([torch.eye(3)[labels], turned, noise], 1)))
    assert torch.equal(gan.steer(labels, turned), pictures)
    assert gan.sample_of(labels).shape == (3, 1, 8, 8)


def test_guesses_are_the_likeliest_codes_and_judge_each_image_by_itself() -> None:
    gan = make(backbone={"name": "strided", "channels": (4, 8)})  # with batch norm
    for _ in range(3):
        gan.update(images())
    before = {name: value.clone() for name, value in gan._recogniser.state_dict().items()}
    p, codes = gan.cluster(images()), gan.encode(images())
    assert p.shape == (10, 3)
    torch.testing.assert_close(p.sum(1), torch.ones(10))
    assert torch.equal(codes[:, :3], torch.eye(3)[p.argmax(1)])
    assert codes[:, 3:5].abs().max() <= 1
    assert codes[:, 5:].abs().max() == 0
    torch.testing.assert_close(gan.cluster(images()[:1]), p[:1])
    assert all(torch.equal(value, before[name]) for name, value in gan._recogniser.state_dict().items())
    assert gan._recogniser.training
    assert gan.decode(codes).shape == (10, 1, 8, 8)


def test_without_codes_or_noise() -> None:
    gan = make(num_codes=0, noise_size=0)
    assert gan.update(images())["code_information"] == 0
    assert gan.steer(torch.arange(3), torch.zeros(3, 0)).shape == (3, 1, 8, 8)


def test_packs_are_refused() -> None:
    with pytest.raises(UserError) as error:
        make(regularizers={"pack_size": 2})
    assert str(error.value) == (
        "generator.regularizers.pack_size=2 judges several images at once, but infogan guesses the codes of each. "
        "Leave it out."
    )


def test_other_images_are_refused() -> None:
    """A perceptron would take these: they have as many pixels."""
    for ask in (make().cluster, make().encode):
        with pytest.raises(UserError) as error:
            ask(torch.zeros(5, 1, 4, 16))
        assert str(error.value) == (
            "this infogan takes images [B, 1, 8, 8], which it has learnt from, but these are [5, 1, 4, 16]. "
            "Bring them to that shape, or train one on images such as these."
        )


def test_interfaces() -> None:
    gan = make()
    for protocol in (Generator, Previews, Imagines, Coder, Conditional, Steers, Clusters):
        assert isinstance(gan, protocol)
    assert not isinstance(gan, Classifier)  # its categories have no names
    assert (gan.num_classes(), gan.num_codes()) == (3, 2)
    assert torch.equal(gan.preview(3), gan.preview(3))
