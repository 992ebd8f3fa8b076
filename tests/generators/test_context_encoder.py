"""The context encoder: what is missing, what is learnt of it, and that what is known stays."""

import copy
from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.context_encoder import ContextEncoder, ContextEncoderConfig
from sandbox.interfaces.generator import Damages, Generator, Previews, Translates
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.adversarial import NON_SATURATING
from sandbox.ops.images import MISSING, missing, squares

SPEC = Spec((3, 8, 8))


def make(**options: Any) -> ContextEncoder:
    small = {"backbone": {"name": "mlp", "hidden": (32,)}, "latent_size": 8, **options}
    return ContextEncoderConfig.model_validate(small).make(SPEC, Rng(0), choose("cpu"), NO_RUNS)


def images(count: int = 6, seed: int = 0) -> torch.Tensor:
    return torch.randint(256, (count, *SPEC.shape), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_trap_39_an_update_looks_at_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(self: torch.Tensor) -> bool:
        raise AssertionError("this waits for the device")

    network = make()
    monkeypatch.setattr(torch.Tensor, "__bool__", look)
    network.update(images())


def test_a_square_is_missing_everywhere_or_in_the_middle() -> None:
    many = images(1).expand(2_000, -1, -1, -1)
    where = missing(make(side=0.6).damage(many, draws()))[:, 0]  # 5 pixels, so 4 x 4 places
    assert (where.sum((1, 2)) == 25).all()
    corners = torch.stack([where.any(2).int().argmax(1), where.any(1).int().argmax(1)], 1)
    places, counts = corners.unique(dim=0, return_counts=True)
    assert places.tolist() == [[row, column] for row in range(4) for column in range(4)]
    assert abs(counts - 125).max() < 50
    centre = missing(make(place="centre").damage(images(), draws()))
    assert torch.equal(centre, squares(torch.tensor([[2, 2]]), 4, 8, 8).expand_as(centre))


def test_losses_against_their_equations() -> None:
    """The discriminator sees whole and completed images; the error is a missing pixel's, 7 times beside the game."""
    model, twin, batch = make(reconstruction_weight=7.0), make(reconstruction_weight=7.0), images()
    metrics = model.update(batch)
    x = batch / 255
    sources = twin.damage(batch, twin._training)
    where = missing(sources).expand_as(x)
    fake = x.clone()
    fake[where] = torch.sigmoid(twin._duel.generator.decode(twin._duel.generator.encode(sources)))[where]
    on_real, on_fake = (twin._duel.discriminator(each).logits for each in (x, fake))
    expected = NON_SATURATING.discriminator_loss(on_real, on_fake).detach()
    torch.testing.assert_close(metrics["discriminator_loss"], expected)
    error = (fake - x)[where].square().mean().detach()
    torch.testing.assert_close(metrics["reconstruction_error"], error)
    game = NON_SATURATING.generator_loss(model._duel.discriminator(fake).logits).detach()
    torch.testing.assert_close(metrics["generator_loss"], game + 7 * error)


def test_what_is_known_stays() -> None:
    model = make()
    assert isinstance(model, Generator)
    assert isinstance(model, Translates)
    assert isinstance(model, Damages)
    assert isinstance(model, Previews)
    model.update(images())
    sources = model.damage(images(), draws())
    filled, where = model.translate(sources), missing(sources).expand_as(sources)
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


def test_what_does_not_fit() -> None:
    with pytest.raises(UserError, match=r"this context_encoder takes images \[B, 3, 8, 8\], which it has learnt from"):
        make().translate(torch.zeros(2, 1, 8, 8))
    with pytest.raises(UserError, match=r"learns from images, but these data are points"):
        ContextEncoderConfig().make(Spec((2,), False), Rng(0), choose("cpu"), NO_RUNS)
