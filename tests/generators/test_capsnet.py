"""CapsNet: its losses, masked reconstruction, changed numbers, and what it refuses."""

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.capsnet import CapsNet, CapsNetConfig
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops import capsules
from sandbox.streams.labeled import Labeled

SPEC = Spec((1, 8, 8), num_classes=3)
SMALL = {"name": "capsules", "channels": 4, "primary": 2, "primary_size": 3, "capsule_size": 5, "hidden": (7,)}
IMAGES = torch.randint(0, 256, (6, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
LABELS = torch.tensor([0, 1, 2, 2, 1, 0])


def make(spec: Spec = SPEC, backbone: dict | None = None, **options) -> CapsNet:
    config = CapsNetConfig.model_validate({"backbone": SMALL | (backbone or {}), **options})
    return config.make(spec, Rng(0), choose("cpu"), NO_RUNS)


def test_the_loss_is_the_margin_loss_and_the_weighted_error_of_the_right_capsules_reconstruction() -> None:
    learner = make(reconstruction_weight=0.01)
    network, x = learner.parts()["network"], IMAGES / 255
    with torch.no_grad():
        vectors = network["encoder"](x).view(6, 3, 5)
        masked = torch.zeros_like(vectors)
        masked[torch.arange(6), LABELS] = vectors[torch.arange(6), LABELS]
        error = (torch.sigmoid(network["decoder"](masked.flatten(1))) - x).square().sum((1, 2, 3)).mean()
        margin = capsules.margin_loss(vectors.norm(dim=2), LABELS).mean()
    metrics = learner.update(Labeled(IMAGES, LABELS))
    torch.testing.assert_close(metrics["margin_loss"], margin)
    torch.testing.assert_close(metrics["loss"], margin + 0.01 * error)
    torch.testing.assert_close(metrics["reconstruction_error"], error / 64)


def test_it_learns_to_tell_images_apart() -> None:
    learner = make(optimizer={"lr": 1e-2})
    for _ in range(60):
        metrics = learner.update(Labeled(IMAGES, LABELS))
    assert float(metrics["training_error"]) == 0
    assert learner.classify(IMAGES).argmax(1).tolist() == LABELS.tolist()
    torch.testing.assert_close(learner.predict(IMAGES).sum(1), torch.ones(6))


def test_changed_numbers() -> None:
    """No change is the reconstruction; each row changes another number of the capsule of the image's class."""
    learner = make()
    walks = learner.perturbed(IMAGES[0], torch.tensor([-0.2, 0.0, 0.2]))
    assert walks.shape == (5, 3, 1, 8, 8)
    for row in walks:
        torch.testing.assert_close(row[1], learner.reconstruct(IMAGES[:1])[0])
        assert not torch.equal(row[0], row[2])
    assert not torch.equal(walks[0, 0], walks[1, 0])


def test_without_reconstruction_there_is_none() -> None:
    learner = make(reconstruction_weight=0)
    assert "reconstruction_error" not in learner.update(Labeled(IMAGES, LABELS))
    with pytest.raises(UserError, match="was trained without reconstruction"):
        learner.reconstruct(IMAGES)


@pytest.mark.parametrize(("classes", "capsule_count", "found"), [(0, None, "no"), (3, 4, "3")])
def test_data_with_other_classes(classes: int, capsule_count: int | None, found: str) -> None:
    with pytest.raises(UserError) as error:
        make(Spec((1, 8, 8), num_classes=classes), {"capsules": capsule_count})
    assert str(error.value) == (
        f"generator.name=capsnet has a capsule for each class, and these data have {found} classes. Leave "
        "generator.backbone.capsules out, or choose data with labels, e.g. data.name=mnist."
    )
