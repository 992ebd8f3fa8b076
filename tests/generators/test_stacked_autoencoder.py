"""The stacked autoencoder: layers trained one by one, the loss of each stage, and the classes."""

import copy
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter
from sandbox.generators.stacked_autoencoder import Stack, StackedAutoencoder, StackedAutoencoderConfig
from sandbox.interfaces.capabilities import HasClassifier
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.streams.labeled import Labeled

SHAPE = (1, 8, 8)


def make(num_classes: int = 0, **options: Any) -> StackedAutoencoder:
    options = {"backbone": {"hidden": [16, 8, 4]}, "pretraining_steps": 3, **options}
    spec = Spec(SHAPE, num_classes=num_classes)
    return StackedAutoencoderConfig.model_validate(options).make(spec, Rng(0), choose("cpu"), NO_RUNS)


def images(count: int = 20, seed: int = 0) -> torch.Tensor:
    return torch.randint(256, (count, *SHAPE), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def unlabeled() -> Labeled:
    return Labeled(images(), None)


def labeled(count: int = 20, seed: int = 0) -> Labeled:
    """Return images of two classes: the upper or the lower half is brighter."""
    labels = torch.randint(2, (count,), generator=torch.Generator().manual_seed(seed))
    outputs = images(count, seed) // 2
    outputs[labels == 0, :, :4] += 100
    outputs[labels == 1, :, 4:] += 100
    return Labeled(outputs, labels)


def stack_of(learner: StackedAutoencoder) -> Stack:
    stack = learner.parts()["stack"]
    assert isinstance(stack, Stack)
    return stack


def weights(learner: StackedAutoencoder) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in stack_of(learner).state_dict().items()}


def moved(learner: StackedAutoencoder, before: dict[str, torch.Tensor]) -> set[str]:
    return {name.rsplit(".", 1)[0] for name, value in weights(learner).items() if not torch.equal(value, before[name])}


def test_one_layer_at_a_time_then_all() -> None:
    learner = make(num_classes=2)
    for layer in (0, 0, 0, 1, 1, 1, 2, 2, 2):
        before = weights(learner)
        assert learner.update(labeled())["layer"] == layer
        assert moved(learner, before) == {f"encoder.layers.{2 * layer}", f"down.{layer}"}
    for _ in range(2):
        before = weights(learner)
        assert learner.update(labeled())["layer"] == 3
        down = {f"down.{layer}" for layer in range(3)}
        assert moved(learner, before) == {"softmax", *down, *(f"encoder.layers.{2 * layer}" for layer in range(3))}


def test_upper_layers_learn_from_probabilities() -> None:
    """The second layer's loss by hand: it reconstructs the first layer's probabilities, not samples or log-odds."""
    learner = make()
    for _ in range(3):
        learner.update(unlabeled())
    stack = copy.deepcopy(stack_of(learner))
    below = torch.sigmoid(stack.up[0](images().flatten(1).float() / 255))
    logits = stack.down[1](torch.sigmoid(stack.up[1](below)))
    expected = F.binary_cross_entropy_with_logits(logits, below, reduction="sum") / 20
    torch.testing.assert_close(learner.update(unlabeled())["loss"], expected.detach())


def test_fine_tuning_by_hand() -> None:
    learner = make(num_classes=2, label_weight=3.0, pretraining_steps=1)
    for _ in range(3):
        learner.update(labeled())
    stack, batch = copy.deepcopy(stack_of(learner)), labeled()
    x = batch.images.flatten(1).float() / 255
    top = x
    for up in stack.up:
        top = torch.sigmoid(up(top))
    logits = stack.down[0](torch.sigmoid(stack.down[1](torch.sigmoid(stack.down[2](top)))))
    pixels = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / 20
    classes = F.cross_entropy(stack.softmax(top), batch.labels)
    metrics = learner.update(batch)
    torch.testing.assert_close(metrics["cross_entropy"], pixels.detach())
    torch.testing.assert_close(metrics["label_cross_entropy"], classes.detach())
    torch.testing.assert_close(metrics["loss"], (pixels + 3 * classes).detach())


def test_resuming_goes_on_with_the_same_layer() -> None:
    learner, other = make(), make()
    for _ in range(4):
        learner.update(unlabeled())
    for name, part in other.parts().items():
        part.load_state_dict(copy.deepcopy(learner.parts()[name].state_dict()))
    for _ in range(8):
        assert learner.update(unlabeled()) == other.update(unlabeled())
    counter = learner.parts()["updates"]
    assert isinstance(counter, Counter)
    assert counter.value == 12


def test_it_learns_to_tell_classes_apart() -> None:
    adam = {"lr": 1e-2}
    learner = make(num_classes=2, pretraining_steps=20, pretraining_optimizer=adam, fine_tuning_optimizer=adam)
    assert isinstance(learner, HasClassifier)
    for seed in range(120):
        learner.update(labeled(50, seed))
    unseen = labeled(200, 1_000)
    probabilities = learner.classify(unseen.images)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(200))
    assert (probabilities.argmax(1) == unseen.labels).float().mean() > 0.97


def test_no_classes_before_fine_tuning() -> None:
    learner = make(num_classes=2, pretraining_steps=2)
    learner.update(labeled(50, 0))
    with pytest.raises(UserError, match=r"has no classes yet: it learns them from update 7 on\.$"):
        learner.classify(images())


def test_without_labels_there_are_no_classes() -> None:
    learner = make()
    learner.update(unlabeled())
    with pytest.raises(UserError) as refused:
        learner.classify(images())
    assert str(refused.value) == (
        "this stacked_autoencoder has no classes, because it was trained on data without labels. "
        "Train one on data with labels, e.g. data.name=digits or data.name=mnist."
    )


@pytest.mark.parametrize("layers", [[], [16, 0], [16, -4]])
def test_layer_lists_that_do_not_fit_are_refused(layers: list[int]) -> None:
    with pytest.raises(ValueError, match=r"hidden"):
        StackedAutoencoderConfig.model_validate({"backbone": {"hidden": layers}})
