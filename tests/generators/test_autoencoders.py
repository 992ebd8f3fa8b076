"""The autoencoders: their common behavior, and the loss terms of each."""

import copy
import math
from typing import Any

import pytest
import torch

from sandbox.core.compute import Compute, choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.denoising_autoencoder import GaussianNoise, MaskingNoise
from sandbox.interfaces.capabilities import HasClassifier, HasEncoder, HasLikelihood, HasReconstruction
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.ops import regularized_codes
from sandbox.runs import registry
from sandbox.streams.labeled import Labeled

SPEC = Spec((1, 8, 8))
MLP = {"name": "mlp", "hidden": (32,)}
EVERY: dict[str, dict[str, Any]] = {
    "autoencoder": {"backbone": MLP, "latent_size": 6},
    "denoising_autoencoder": {"backbone": MLP, "latent_size": 6},
    "sparse_autoencoder": {"latent_size": 6},
    "contractive_autoencoder": {"latent_size": 6},
    "vq_vae": {"backbone": MLP, "num_codes": 8, "positions": 2, "code_size": 3},
    "stacked_autoencoder": {"backbone": {"hidden": [16, 6]}, "pretraining_steps": 2},
}


def make(name: str, compute: Compute | None = None, rng: Rng | None = None, **options: Any) -> Any:
    config = registry.config_class("generators", name).model_validate({**EVERY[name], **options})
    return config.make(SPEC, rng or Rng(0), compute or choose("cpu"), NO_RUNS)  # type: ignore[attr-defined]


def images(count: int = 20, seed: int = 0) -> torch.Tensor:
    """Return black-and-white images: the left or the right half is white, and some pixels are flipped."""
    draws = torch.Generator().manual_seed(seed)
    side = torch.rand(count, 1, 1, 1, generator=draws) < 0.5
    image = side ^ (torch.arange(8) < 4)
    dirt = torch.rand(count, *SPEC.shape, generator=draws) < 0.05
    return (image ^ dirt).to(torch.uint8) * 255


def update(learner: Any, batch: torch.Tensor) -> Any:
    """Update on a batch, which the stacked autoencoder takes as `Labeled`, here without labels."""
    return learner.update(Labeled(batch, None) if isinstance(learner, HasClassifier) else batch)


def network(learner: Any) -> torch.nn.Module:
    parts = learner.parts()
    return parts["network"] if "network" in parts else parts["stack"]


def jacobian_norm(learner: Any, h: torch.Tensor) -> torch.Tensor:
    """Return ||dh/dx||_F^2 of a code h [B, Z] of one sigmoid layer, in closed form (Rifai et al. 2011): [B]."""
    weight = network(learner).get_parameter("code.weight").detach()
    return (h * (1 - h)).square() @ weight.square().sum(1)


def silence(learner: Any) -> None:
    """Set all weights to 0, so that every pixel and every sigmoid code is 1/2."""
    with torch.no_grad():
        for parameter in network(learner).parameters():
            parameter.zero_()


@pytest.mark.parametrize("name", EVERY)
def test_the_loss_is_summed_over_pixels_and_averaged_over_images(name: str) -> None:
    """64 log 2 for pixels of 1/2, whatever the images; a mean over pixels would be 64 times smaller."""
    learner = make(name)
    silence(learner)
    metrics = update(learner, images())
    cross_entropy = metrics.get("cross_entropy", metrics["loss"])
    assert float(cross_entropy) == pytest.approx(64 * math.log(2), rel=1e-5)


@pytest.mark.parametrize("name", EVERY)
def test_interfaces_shapes_and_ranges(name: str) -> None:
    learner = make(name)
    assert isinstance(learner, HasReconstruction)
    assert isinstance(learner, HasEncoder)
    assert not isinstance(learner, HasLikelihood)
    update(learner, images())
    assert learner.encode(images(5)).shape == (5, 6)
    for outputs in (learner.sample(5), learner.reconstruct(images(5)), learner.decode(torch.zeros(5, 6))):
        assert outputs.shape == (5, 1, 8, 8)
        assert 0 <= outputs.min() <= outputs.max() <= 1
        assert not outputs.requires_grad


@pytest.mark.parametrize("name", EVERY)
def test_learns_to_reconstruct_and_looking_changes_nothing(name: str) -> None:
    adam = {"lr": 1e-2}
    options: dict[str, Any] = {"optimizer": adam}
    if name == "stacked_autoencoder":
        options = {"pretraining_steps": 50, "pretraining_optimizer": adam, "fine_tuning_optimizer": adam}
    seen, unseen = make(name, **options), make(name, **options)
    before = (seen.reconstruct(images()) - as_float(images())).abs().mean()
    for _ in range(150):
        seen.sample(3), seen.reconstruct(images(2))
        a, b = update(seen, images(50, 1)), update(unseen, images(50, 1))
    assert a["loss"] == b["loss"]
    assert (seen.reconstruct(images()) - as_float(images())).abs().mean() < before / 2.5


@pytest.mark.parametrize("name", EVERY)
def test_all_that_decides_what_comes_next_is_in_its_parts(name: str) -> None:
    learner, other = make(name), make(name)
    for _ in range(3):
        update(learner, images())
    for key, part in other.parts().items():
        part.load_state_dict(copy.deepcopy(learner.parts()[key].state_dict()))
    assert torch.equal(learner.sample(4), other.sample(4))


@pytest.mark.parametrize("name", EVERY)
def test_values_outside_0_to_1_are_refused(name: str) -> None:
    learner = make(name)
    for use in (lambda x: update(learner, x), learner.encode, learner.reconstruct):
        with pytest.raises(
            UserError, match=r"^images must be bytes or floats in \[0, 1\], but these are floats from 0 to 255"
        ):
            use(images().float())


@pytest.mark.parametrize("name", EVERY)
def test_bf16_agrees_roughly(name: str) -> None:
    exact, rough = (
        update(make(name, compute), images())["loss"] for compute in (None, Compute(torch.device("cpu"), True))
    )
    assert rough.dtype == torch.float32
    torch.testing.assert_close(rough, exact, atol=0.5, rtol=0.02)


def test_samples_of_the_plain_one_follow_its_codes() -> None:
    learner = make("autoencoder", optimizer={"lr": 1e-9})
    for _ in range(5):
        learner.update(images(200))
    codes = learner.encode(images(200))
    drawn = learner.parts()["moments"].draw(5_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn.mean(0), codes.mean(0), atol=0.01, rtol=0)
    torch.testing.assert_close(drawn.T.cov(), codes.T.cov(), atol=0.002, rtol=0)


@pytest.mark.parametrize("noise", [MaskingNoise(fraction=0.4), GaussianNoise(std=0.2)])
def test_the_denoiser_learns_to_reconstruct_the_clean_image(noise: MaskingNoise | GaussianNoise) -> None:
    """The encoder sees corrupted pixels only; the target is clean."""
    rng = Rng(0)
    learner = make("denoising_autoencoder", rng=rng, noise=noise)
    device, state = rng.state_dict()["torch"]["denoising_autoencoder/damage"]
    clean = as_float(images())
    corrupted = noise.corrupt(clean, torch.Generator(device).set_state(state))
    logits = network(learner)(corrupted)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, clean, reduction="sum") / len(clean)
    torch.testing.assert_close(learner.update(images())["loss"], expected.detach())
    assert not torch.equal(corrupted, clean)


def test_masking_blackens_a_fraction_and_gaussian_noise_has_its_deviation() -> None:
    white = torch.ones(100, 1, 8, 8)
    left = MaskingNoise(fraction=0.4).corrupt(white, torch.Generator().manual_seed(0))
    assert set(left.unique().tolist()) == {0.0, 1.0}
    assert float(left.mean()) == pytest.approx(0.6, abs=0.02)
    noise = GaussianNoise(std=0.2).corrupt(white / 2, torch.Generator().manual_seed(0)) - white / 2
    assert float(noise.mean()) == pytest.approx(0.0, abs=0.01)
    assert float(noise.std()) == pytest.approx(0.2, abs=0.01)


def test_the_denoiser_restores_corrupted_images() -> None:
    learner = make("denoising_autoencoder", optimizer={"lr": 1e-2})
    for seed in range(200):
        learner.update(images(50, seed))
    clean = as_float(images(100, 1_000))
    corrupted = MaskingNoise().corrupt(clean, torch.Generator().manual_seed(0))
    assert (learner.reconstruct(corrupted) - clean).square().mean() < 0.5 * (corrupted - clean).square().mean()


def test_the_sparse_loss_by_hand() -> None:
    """Codes of 1/2 in every unit: KL(0.05 || 0.5) for each of the six."""
    learner = make("sparse_autoencoder", sparsity=2.0, activation=0.05)
    silence(learner)
    metrics = learner.update(images())
    sparsity = 6 * (0.05 * math.log(0.1) + 0.95 * math.log(1.9))
    assert float(metrics["sparsity"]) == pytest.approx(sparsity, rel=1e-5)
    assert float(metrics["loss"]) == pytest.approx(64 * math.log(2) + 2 * sparsity, rel=1e-5)


def test_sparsity_is_of_mean_activations() -> None:
    """A unit that is on for half of the images and off for the others is not sparse: its mean activation is 1/2."""
    learner = make("sparse_autoencoder")
    with torch.no_grad():
        network(learner).get_parameter("code.weight").mul_(20)
    mean = learner.encode(images()).mean(0)
    expected = regularized_codes.bernoulli_kl(0.05, mean).sum()
    torch.testing.assert_close(learner.update(images())["sparsity"], expected)


def test_units_become_as_seldom_as_they_should() -> None:
    learner = make("sparse_autoencoder", latent_size=20, activation=0.2, sparsity=30.0, optimizer={"lr": 1e-2})
    for seed in range(200):
        learner.update(images(50, seed))
    assert float((learner.encode(images(200)).mean(0) - 0.2).abs().max()) < 0.06


def test_the_contractive_penalty_is_the_closed_form_of_one_layer() -> None:
    learner = make("contractive_autoencoder", probes=400)
    h = learner.encode(images())
    exact = jacobian_norm(learner, h).mean()
    metrics = learner.update(images())
    torch.testing.assert_close(metrics["jacobian"], exact, rtol=0.03, atol=0)
    torch.testing.assert_close(metrics["loss"], metrics["cross_entropy"] + 0.1 * metrics["jacobian"])


def test_contraction_makes_codes_stiller() -> None:
    free, held = (make("contractive_autoencoder", contraction=c) for c in (0.0, 100.0))
    for seed in range(60):
        free.update(images(50, seed)), held.update(images(50, seed))
    norms = [jacobian_norm(learner, learner.encode(images())).mean() for learner in (free, held)]
    assert norms[1] < 0.5 * norms[0]


def test_the_batch_of_the_contractive_one_is_left_as_it_was() -> None:
    batch = as_float(images())
    make("contractive_autoencoder").update(batch)
    assert not batch.requires_grad


def test_encoders_go_by_their_name() -> None:
    """The parameters have the names that an agent's warm start looks for."""
    for name in set(EVERY) - {"stacked_autoencoder"}:
        assert {key.split(".")[0] for key in network(make(name)).state_dict()} >= {"code", "decoder"}
    assert any(key.startswith("encoder.") for key in network(make("vq_vae")).state_dict())
