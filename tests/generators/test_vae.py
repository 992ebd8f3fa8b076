"""The variational autoencoder: by hand with weights of zero, against quadrature, and its interfaces."""

import math
from typing import Any

import pytest
import torch

from sandbox.core.compute import Compute, choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.vae import VAE, VAEConfig
from sandbox.interfaces.capabilities import HasLikelihood, HasReconstruction
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.ops import likelihood

SPEC = Spec((1, 8, 8))


def make(compute: Compute | None = None, rng: Rng | None = None, **options: Any) -> VAE:
    options = {"backbone": {"name": "mlp", "hidden": (32,)}, "latent_size": 3, **options}
    return VAEConfig.model_validate(options).make(SPEC, rng or Rng(0), compute or choose("cpu"), NO_RUNS)


def stream(rng: Rng, name: str) -> torch.Generator:
    """Return a copy of the random stream `name` in its present state."""
    device, state = rng.state_dict()["torch"][name]
    return torch.Generator(device).set_state(state)


def network(vae: VAE) -> torch.nn.Module:
    part = vae.parts()["network"]
    assert isinstance(part, torch.nn.Module)
    return part


def images(count: int = 20) -> torch.Tensor:
    draws = torch.Generator().manual_seed(0)
    return (torch.rand(count, *SPEC.shape, generator=draws) < 0.5).to(torch.uint8) * 255


def silence(vae: VAE, mean: float) -> None:
    """Set all weights to 0, so that q(z | x) = N(mean, 1) and p(pixel) = 1/2."""
    with torch.no_grad():
        for parameter in network(vae).parameters():
            parameter.zero_()
        network(vae).get_parameter("posterior.bias")[:3] = mean


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_loss_by_hand(beta: float) -> None:
    """Pixels and latents are summed, the batch is averaged: means over pixels would make beta 64 times as large."""
    vae = make(beta=beta)
    silence(vae, 1.0)
    metrics = {name: float(value) for name, value in vae.update(images()).items()}
    reconstruction, kl = -64 * math.log(2), 3 * 0.5
    assert metrics["reconstruction"] == pytest.approx(reconstruction)
    assert metrics["kl"] == pytest.approx(kl)
    assert metrics["elbo"] == pytest.approx(reconstruction - kl)
    assert metrics["loss"] == pytest.approx(beta * kl - reconstruction)


def test_the_importance_weighted_bound_by_hand() -> None:
    """Pixels that do not depend on z leave log 1/K sum_k (p(z_k) / q(z_k | x))^beta."""
    rng = Rng(0)
    vae = make(rng=rng, bound_samples=7, beta=2.0)
    silence(vae, 0.5)
    z = 0.5 + torch.randn(7, 20, 3, generator=stream(rng, "vae/noise"))
    log_ratio = (-0.5 * z.square() + 0.5 * (z - 0.5).square()).sum(-1)
    expected = 64 * math.log(2) - ((2 * log_ratio).logsumexp(0) - math.log(7)).mean()
    metrics = vae.update(images())
    torch.testing.assert_close(metrics["loss"], expected)
    torch.testing.assert_close(metrics["kl"], -log_ratio.mean())


def weighed(vae: VAE, samples: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean bound with `samples` latents for each image, and the mean log importance weight."""
    with torch.no_grad():
        posterior = vae._posterior(images())
        noise = torch.randn(samples, *posterior[0].shape, generator=vae._noise)
        reconstruction, ratio = vae._sample_bound(as_float(images()), posterior, noise)
    return likelihood.importance_log_likelihood(reconstruction - ratio).mean(), (reconstruction - ratio).mean()


def test_one_importance_sample_is_the_elbo_and_more_are_tighter() -> None:
    vae = make()
    for _ in range(30):
        vae.update(images())
    elbo = torch.stack([vae.bound(images())[0].mean() for _ in range(500)]).mean()
    one = torch.stack([weighed(vae, 1)[0] for _ in range(500)]).mean()
    torch.testing.assert_close(one, elbo, atol=0.1, rtol=0)
    bound, mean = weighed(vae, 1)
    assert bound == mean
    five, fifty = (torch.stack([weighed(vae, k)[0] for _ in range(2_000 // k)]).mean() for k in (5, 50))
    assert elbo + 0.05 < five < fifty - 0.02
    assert fifty < vae.log_likelihood(images()).nats.mean() + 0.1


def test_one_bound_sample_trains_as_the_elbo_does() -> None:
    """With K = 1, the gradient with the KL in closed form is the mean gradient of the sampled bound."""
    vae = make(latent_size=2)
    weight = network(vae).get_parameter("posterior.weight")
    x, draws = as_float(images()), 3_000
    posterior = vae._posterior(images())
    noise = torch.randn(draws, *posterior[0].shape, generator=vae._noise)
    reconstruction, ratio = vae._sample_bound(x, posterior, noise)
    (sampled,) = torch.autograd.grad((reconstruction - ratio).mean(), weight, retain_graph=True)
    closed = reconstruction.mean() - likelihood.gaussian_kl(*posterior).mean()
    (exact,) = torch.autograd.grad(closed, weight)
    torch.testing.assert_close(sampled, exact, atol=0.01, rtol=0.05)


def test_likelihoods_of_many_images_at_once_are_those_of_parts_and_take_little_memory() -> None:
    """At most about a thousand latents are decoded at once, whatever the number of images."""
    vae = make()
    sizes = []
    network(vae).get_submodule("decoder").register_forward_hook(lambda module, z, logits: sizes.append(len(z[0])))
    many = images(1_100)
    nats = vae.log_likelihood(many).nats
    assert nats.shape == (1_100,)
    assert max(sizes) <= 1_024
    assert sum(sizes) == 500 * 1_100
    torch.testing.assert_close(nats[:100], vae.log_likelihood(many[:100]).nats, atol=0.5, rtol=0)


def test_a_likelihood_decodes_so_many_latents_for_each_image_and_no_more() -> None:
    """At most 64 images and 1,024 latents at a time."""
    vae = make(importance_samples=501)
    decoded = list[int]()
    network(vae).get_submodule("decoder").register_forward_hook(lambda layer, given, got: decoded.append(len(got)))
    vae.log_likelihood(images(3))
    assert decoded == [341 * 3, 160 * 3]
    decoded.clear()
    vae.log_likelihood(images(65))
    assert decoded == [16 * 64] * 31 + [5 * 64, 501]


def test_gray_images_have_no_likelihood() -> None:
    vae, gray = make(), torch.full((3, *SPEC.shape), 100, dtype=torch.uint8)
    vae.update(gray)
    for use in (vae.log_likelihood, vae.bound):
        with pytest.raises(UserError) as refused:
            use(gray)
        assert str(refused.value) == (
            "generator.name=vae has likelihoods of black and white only, but these images are gray. "
            "Add data.binarize=threshold (black and white) or data.binarize=sample (each gray value is a probability)."
        )


def test_likelihood_by_hand() -> None:
    """The pixels do not depend on z, so log p(x) = -64 log 2, and the bound is the KL below it."""
    vae = make()
    silence(vae, 0.5)
    estimate = vae.log_likelihood(images())
    elbo, kl = vae.bound(images())
    assert estimate.kind == "importance"
    torch.testing.assert_close(estimate.nats, torch.full((20,), -64 * math.log(2)), atol=0.2, rtol=0)
    torch.testing.assert_close(elbo, torch.full((20,), -64 * math.log(2) - 3 * 0.125))
    torch.testing.assert_close(kl, torch.full((20,), 3 * 0.125))


def test_likelihood_against_quadrature() -> None:
    """One latent can be integrated on a grid; the importance samples must find the same nats."""
    vae, x = make(latent_size=1), images(6)
    for _ in range(200):
        vae.update(x)
    z = torch.linspace(-8, 8, 4_001)[:, None]
    pixels = likelihood.bernoulli_log_prob(vae.decode(z).logit(eps=1e-7)[:, None], as_float(x))
    zero = torch.zeros(1)
    exact = (pixels + likelihood.gaussian_log_prob(z, zero, zero)[:, None]).logsumexp(0) + math.log(16 / 4_000)
    nats = vae.log_likelihood(x).nats
    torch.testing.assert_close(nats, exact, atol=0.15, rtol=0)
    elbo = torch.stack([vae.bound(x)[0] for _ in range(300)]).mean(0)  # of one sample each
    assert (elbo < exact).all()


def test_shapes_and_ranges() -> None:
    vae = make()
    assert isinstance(vae, HasLikelihood)
    assert isinstance(vae, HasReconstruction)
    assert vae.encode(images(5)).shape == (5, 3)
    for outputs in (vae.sample(5), vae.reconstruct(images(5)), vae.decode(torch.zeros(5, 3))):
        assert outputs.shape == (5, 1, 8, 8)
        assert 0 <= outputs.min() <= outputs.max() <= 1


def test_reconstructions_learn_and_looking_changes_nothing() -> None:
    options = {"latent_size": 8, "optimizer": {"lr": 1e-2}}
    seen, unseen = make(**options), make(**options)
    for i in range(300):
        if i % 30 == 0:
            seen.sample(3), seen.bound(images(2)), seen.log_likelihood(images(2))
        a, b = seen.update(images()), unseen.update(images())
    assert a["loss"] == b["loss"]
    assert (seen.reconstruct(images()) - as_float(images())).abs().mean() < 0.15


def test_the_encoder_goes_by_its_name() -> None:
    """An agent's warm start looks for the name `encoder`."""
    names = make().parts()["network"].state_dict()
    assert {name.split(".")[0] for name in names} == {"encoder", "posterior", "decoder"}


def test_bf16_agrees_roughly() -> None:
    exact, rough = make().bound(images())[0], make(Compute(torch.device("cpu"), bf16=True)).bound(images())[0]
    assert rough.dtype == torch.float32
    torch.testing.assert_close(rough, exact, atol=0.5, rtol=0)


def test_fewer_than_500_importance_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 500"):
        VAEConfig(importance_samples=100)
