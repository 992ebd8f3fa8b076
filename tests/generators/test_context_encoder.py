"""The context encoder: its missing squares, its losses, and its known pixels, which stay unchanged."""

import copy
from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.context_encoder import ContextEncoder, ContextEncoderConfig
from sandbox.interfaces.capabilities import HasCorruption, HasPreview, HasTranslation
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.images import MISSING, missing_mask, square_masks

SPEC = Spec((3, 8, 8))
CPU = choose("cpu")


def make(**options: Any) -> ContextEncoder:
    small = {"backbone": {"name": "mlp", "hidden": (32,)}, "latent_size": 8, **options}
    return ContextEncoderConfig.model_validate(small).make(SPEC, Rng(0), CPU, NO_RUNS)


def network(model: ContextEncoder, name: str) -> Any:
    return model.parts()[name]


def images(count: int = 6, seed: int = 0) -> torch.Tensor:
    return torch.randint(256, (count, *SPEC.shape), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_an_update_never_waits_for_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The conversion of a tensor to a bool would wait for its value."""

    def look(self: torch.Tensor) -> bool:
        raise AssertionError("this waits for the device")

    model = make()
    monkeypatch.setattr(torch.Tensor, "__bool__", look)
    model.update(images())


def test_squares_are_anywhere_or_in_the_center() -> None:
    many = images(1).expand(2_000, -1, -1, -1)
    where = missing_mask(make(side=0.6).corrupt(many, draws()))[:, 0]  # 5 pixels, so 4 x 4 places
    assert (where.sum((1, 2)) == 25).all()
    corners = torch.stack([where.any(2).int().argmax(1), where.any(1).int().argmax(1)], 1)
    places, counts = corners.unique(dim=0, return_counts=True)
    assert places.tolist() == [[row, column] for row in range(4) for column in range(4)]
    assert abs(counts - 125).max() < 50
    center = missing_mask(make(place="center").corrupt(images(), draws()))
    assert torch.equal(center, square_masks(torch.tensor([[2, 2]]), 4, 8, 8).expand_as(center))


def test_losses_against_their_equations() -> None:
    """The discriminator sees real and completed images; the error of a missing pixel has weight 7."""
    model, twin, batch = make(reconstruction_weight=7.0), make(reconstruction_weight=7.0), images()
    metrics = model.update(batch)
    x = batch / 255
    sources = twin.corrupt(batch, Rng(0).torch("context_encoder/damage", CPU.device))
    where = missing_mask(sources).expand_as(x)
    fake = x.clone()
    fake[where] = torch.sigmoid(network(twin, "generator")(sources))[where]
    on_real, on_fake = (network(twin, "discriminator")(each).logits for each in (x, fake))
    expected = NON_SATURATING.discriminator_loss(on_real, on_fake).detach()
    torch.testing.assert_close(metrics["discriminator_loss"], expected)
    error = (fake - x)[where].square().mean().detach()
    torch.testing.assert_close(metrics["reconstruction_error"], error)
    adversarial = NON_SATURATING.generator_loss(network(model, "discriminator")(fake).logits).detach()
    torch.testing.assert_close(metrics["generator_loss"], adversarial + 7 * error)


def test_known_pixels_stay() -> None:
    model = make()
    assert isinstance(model, HasTranslation)
    assert isinstance(model, HasCorruption)
    assert isinstance(model, HasPreview)
    model.update(images())
    sources = model.corrupt(images(), draws())
    filled, where = model.translate(sources), missing_mask(sources).expand_as(sources)
    assert torch.equal(filled[~where], sources[~where])
    assert not (filled[where] == MISSING).any()
    assert torch.equal(model.translate(images()), images() / 255)  # nothing is missing


def test_previews_have_the_same_squares_and_samples_new_ones() -> None:
    model = make()
    model.update(images())
    first = model.preview(6)
    assert not torch.equal(model.sample(6), model.sample(6))
    assert torch.equal(model.preview(6), first)


def test_a_restored_one_shows_the_same_previews() -> None:
    model, other = make(), make()
    model.update(images())
    other.update(images(seed=1))
    for name, part in other.parts().items():
        part.load_state_dict(copy.deepcopy(model.parts()[name].state_dict()))
    assert torch.equal(other.preview(6), model.preview(6))


def test_images_that_do_not_fit() -> None:
    with pytest.raises(
        UserError, match=r"this context_encoder was trained on images \[B, 3, 8, 8\], but these are \[2, 1, 8, 8\]"
    ):
        make().translate(torch.zeros(2, 1, 8, 8))
    with pytest.raises(UserError, match=r"learns from images, but these data are points"):
        ContextEncoderConfig().make(Spec((2,), False), Rng(0), choose("cpu"), NO_RUNS)
