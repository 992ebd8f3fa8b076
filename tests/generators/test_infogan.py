"""InfoGAN: codes are recovered by Q, on the discriminator's features, and both losses have the information bound."""

from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.gan import GANConfig
from sandbox.generators.infogan import InfoGAN, InfoGANConfig, RecognizingDiscriminator
from sandbox.interfaces.capabilities import (
    ClassConditional,
    HasClassifier,
    HasClusters,
    HasEncoder,
    HasLatentCodes,
    HasLatents,
    HasPreview,
)
from sandbox.interfaces.generator import Generator
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.mlp import MLP
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.likelihood import categorical_information_bound, uniform_information_bound
from sandbox.training.warm_start import load_encoder

SPEC = Spec((1, 8, 8))
CPU = choose("cpu")


def make(**options: Any) -> InfoGAN:
    small = {"backbone": {"name": "mlp", "hidden": (16,)}, "num_categories": 3, "noise_size": 4, "recognizer_size": 8}
    return InfoGANConfig.model_validate({**small, **options}).make(SPEC, Rng(0), CPU, NO_RUNS)


def network(gan: Generator, name: str) -> Any:
    return gan.parts()[name]


def images(count: int = 10) -> torch.Tensor:
    return torch.randint(256, (count, *SPEC.shape), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def make_codes(normal: torch.Tensor) -> torch.Tensor:
    """Return codes by the distribution function of normal latents; the first latent gives the category."""
    uniform = torch.special.ndtr(normal[:, :3])
    categories = torch.eye(3)[(3 * uniform[:, 0]).long()]
    return torch.cat([categories, 2 * uniform[:, 1:] - 1, normal[:, 3:]], 1)


def test_codes_are_uniform() -> None:
    codes = make().latents(6_000)
    categories, others, noise = torch.split(codes, [3, 2, 4], 1)
    assert categories.unique().tolist() == [0.0, 1.0]
    assert categories.sum(1).unique().tolist() == [1.0]
    torch.testing.assert_close(categories.mean(0), torch.full((3,), 1 / 3), rtol=0, atol=0.03)
    assert -1 <= others.min() < -0.99 < 0.99 < others.max() <= 1
    torch.testing.assert_close(others.square().mean(0), torch.full((2,), 1 / 3), rtol=0, atol=0.03)
    torch.testing.assert_close(noise.std(0), torch.ones(4), rtol=0, atol=0.05)


def test_its_encoder_starts_a_plain_discriminator() -> None:
    """The warm start also finds the encoder inside the network that has Q."""
    giver = make()
    taker = GANConfig(backbone=MLP(hidden=(16,))).make(SPEC, Rng(1), CPU, NO_RUNS)
    load_encoder(taker, giver, "muse")
    given = network(giver, "discriminator").discriminator.encoder.state_dict()
    taken = network(taker, "discriminator").encoder.state_dict()
    assert all(torch.equal(value, given[name]) for name, value in taken.items())


def test_both_losses_have_the_information_bound() -> None:
    weights = {"category_weight": 2.0, "code_weight": 0.5}
    gan, twin = make(**weights), make(**weights)
    metrics = gan.update(images())
    codes = make_codes(torch.randn(10, 7, generator=Rng(0).torch("noise/training", CPU.device)))
    fake = torch.sigmoid(network(twin, "generator")(codes))
    before, after = network(twin, "discriminator"), network(gan, "discriminator")
    categories, others, _ = torch.split(codes, [3, 2, 4], 1)

    def bounds(discriminator: RecognizingDiscriminator) -> tuple[torch.Tensor, torch.Tensor]:
        posterior = discriminator.posterior(discriminator(fake))
        category = categorical_information_bound(posterior.logits, categories.argmax(1))
        return category, uniform_information_bound(posterior.mean, posterior.log_variance, others)

    on_real, on_fake = (before(x).logits for x in (images(), fake))
    category, code = bounds(before)
    loss = NON_SATURATING.discriminator_loss(on_real, on_fake) - 2.0 * category - 0.5 * code
    gradients = torch.autograd.grad(loss, list(before.parameters()), retain_graph=True)
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    torch.testing.assert_close(metrics["discriminator_gradient"], norm)
    category, code = bounds(after)  # the generator faces the discriminator and Q after their step
    torch.testing.assert_close(metrics["category_information"], category.detach())
    torch.testing.assert_close(metrics["code_information"], code.detach())
    expected = NON_SATURATING.generator_loss(after(fake).logits) - 2.0 * category - 0.5 * code
    torch.testing.assert_close(metrics["generator_loss"], expected.detach())


def test_q_shares_the_encoder() -> None:
    """Q's loss has gradients for the discriminator's encoder."""
    gan = make()
    codes, discriminator = gan.latents(5), network(gan, "discriminator")
    posterior = discriminator.posterior(discriminator(gan.decode(codes)))
    loss = categorical_information_bound(posterior.logits, codes[:, :3].argmax(1))
    gradients = torch.autograd.grad(loss, list(discriminator.discriminator.encoder.parameters()))
    assert all(gradient.abs().max() > 0 for gradient in gradients)


def test_steered_images_share_their_noise() -> None:
    gan = make()
    labels, turned = torch.tensor([0, 1, 1]), torch.tensor([[0.0, 0.5], [0.0, 0.5], [0.9, 0.5]])
    steered = gan.steer(labels, turned)
    seed = Rng(0).integer("noise/preview")
    noise = torch.randn(1, 7, generator=torch.Generator().manual_seed(seed))[:, 3:].expand(3, -1)
    assert torch.equal(steered, gan.decode(torch.cat([torch.eye(3)[labels], turned, noise], 1)))
    assert torch.equal(gan.steer(labels, turned), steered)
    assert gan.sample_of(labels).shape == (3, 1, 8, 8)


def test_encoded_codes_are_the_most_probable_and_do_not_depend_on_the_batch() -> None:
    gan = make(backbone={"name": "strided", "channels": (4, 8)})  # with batch norm
    for _ in range(3):
        gan.update(images())
    discriminator = network(gan, "discriminator")
    before = {name: value.clone() for name, value in discriminator.state_dict().items()}
    p, codes = gan.cluster(images()), gan.encode(images())
    assert p.shape == (10, 3)
    torch.testing.assert_close(p.sum(1), torch.ones(10))
    assert torch.equal(codes[:, :3], torch.eye(3)[p.argmax(1)])
    assert codes[:, 3:5].abs().max() <= 1
    assert codes[:, 5:].abs().max() == 0
    torch.testing.assert_close(gan.cluster(images()[:1]), p[:1])
    assert all(torch.equal(value, before[name]) for name, value in discriminator.state_dict().items())
    assert discriminator.training
    assert gan.decode(codes).shape == (10, 1, 8, 8)


def test_the_recognizer_by_hand() -> None:
    """A hidden layer whose negative inputs count a tenth, and codes that end at -1 and 1."""
    gan = make()
    discriminator = network(gan, "discriminator")
    first, last = discriminator.recognizer[0], discriminator.recognizer[2]
    output = discriminator(images() / 255)
    hidden = output.features @ first.weight.T + first.bias
    assert (hidden < 0).any()
    assert (hidden > 0).any()
    answers = torch.where(hidden < 0, 0.1 * hidden, hidden) @ last.weight.T + last.bias
    posterior = discriminator.posterior(output)
    torch.testing.assert_close(posterior.logits, answers[:, :3])
    torch.testing.assert_close(posterior.mean, answers[:, 3:5])
    with torch.no_grad():
        last.bias[3:5] = torch.tensor([-9.0, 9.0])
    assert gan.encode(images())[:, 3:5].unique(dim=0).tolist() == [[-1.0, 1.0]]


def test_without_codes_or_noise() -> None:
    gan = make(num_codes=0, noise_size=0)
    assert gan.update(images())["code_information"] == 0
    assert gan.steer(torch.arange(3), torch.zeros(3, 0)).shape == (3, 1, 8, 8)


def test_packs_are_refused() -> None:
    with pytest.raises(UserError) as error:
        make(regularizers={"pack_size": 2})
    assert str(error.value) == (
        "generator.regularizers.pack_size=2 makes the discriminator see several images at once, but infogan recovers "
        "the codes of each image. Leave pack_size out."
    )


def test_other_images_are_refused() -> None:
    """The images have as many pixels, so the MLP alone would accept them."""
    for ask in (make().cluster, make().encode):
        with pytest.raises(UserError) as error:
            ask(torch.zeros(5, 1, 4, 16))
        assert str(error.value) == (
            "this infogan was trained on images [B, 1, 8, 8], but these are [5, 1, 4, 16]. "
            "Bring them to that shape, or train a generator on images such as these."
        )


def test_capabilities() -> None:
    gan = make()
    for capability in (HasPreview, HasLatents, HasEncoder, ClassConditional, HasLatentCodes, HasClusters):
        assert isinstance(gan, capability)
    assert not isinstance(gan, HasClassifier)  # its categories have no names
    assert (gan.num_classes(), gan.num_codes()) == (3, 2)
    assert torch.equal(gan.preview(3), gan.preview(3))
