"""The classifier: its equality with a plain training loop, probes, numbers, shifts, and what it refuses."""

import copy

import pytest
import torch
from torch.nn import functional as F

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.evaluate.classifiers import evaluate_classifier
from sandbox.generators.classifier import ClassifierConfig, ImageClassifier
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.mlp import MLP
from sandbox.networks.strided import Strided
from sandbox.ops.images import randomly_shifted
from sandbox.streams.labeled import Labeled, LabeledConfig
from sandbox.training.warm_start import load_encoder

CPU = choose("cpu")
SPEC = Spec((1, 4, 4), num_classes=3, num_numbers=2)


def make(spec: Spec = SPEC, **options) -> ImageClassifier:
    config = ClassifierConfig.model_validate({"backbone": MLP(hidden=(6,)), **options})
    return config.make(spec, Rng(0), CPU, NO_RUNS)


def batch(seed: int, count: int = 20) -> Labeled:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 1, 4, 4), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, 3, (count,), generator=generator)
    return Labeled(images, labels, torch.stack([labels.float(), images.float().mean((1, 2, 3)) / 255], 1))


def test_it_equals_a_plain_training_loop() -> None:
    learner = make()
    network = copy.deepcopy(learner.parts()["network"])
    adam = torch.optim.Adam(network.parameters(), 1e-3, eps=1e-8)
    for seed in range(5):
        images, labels, _ = batch(seed)
        metrics = learner.update(batch(seed))
        logits = network.head(network.encoder(images))
        loss = F.cross_entropy(logits, labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
        torch.testing.assert_close(metrics["loss"], loss.detach())
        assert float(metrics["training_error"]) == pytest.approx(float((logits.argmax(1) != labels).float().mean()))
    torch.testing.assert_close(learner.predict(images), network.head(network.encoder(images)).softmax(1).detach())


def test_numbers() -> None:
    """A linear probe learns the mean of the pixels, which is linear in them, and its loss is the squared error."""
    learner = make(targets="numbers", backbone=MLP(hidden=()), optimizer={"lr": 1e-2})
    images, _, numbers = batch(0)
    error = (learner.predict(images) - numbers).square().mean()
    torch.testing.assert_close(learner.update(batch(0))["loss"], error)
    for seed in range(400):
        learner.update(batch(seed))
    test = batch(999, 300)
    data = DataSet(test.images, test.images, train_numbers=test.numbers, test_numbers=test.numbers)
    result = evaluate_classifier(learner, data, Rng(0), 300)
    assert result["explained_1"] > 0.95
    assert result["explained"] == pytest.approx((result["explained_0"] + result["explained_1"]) / 2)
    with pytest.raises(UserError, match="predicts numbers"):
        learner.classify(images)


def test_a_probe_leaves_the_backbone_as_it_is() -> None:
    """Weights and the statistics of its batch norms; the last layer learns."""
    learner = make(backbone=Strided(channels=(2, 3)), freeze_encoder=True)
    before = copy.deepcopy(learner.parts()["network"].state_dict())
    learner.update(batch(0))
    for name, value in learner.parts()["network"].state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("encoder."), name


def test_a_probe_of_an_encoder_with_spectral_norms_has_the_same_features() -> None:
    """The norms of what is loaded are found at once, since a frozen encoder takes no steps of the power method."""
    backbone = MLP(hidden=(6,), spectral_norm=True)
    seen, probe = make(backbone=backbone), make(backbone=backbone, freeze_encoder=True)
    original = seen.network.encoder.get_parameter("layers.0.parametrizations.weight.original")
    torch.nn.init.normal_(original, generator=torch.Generator().manual_seed(1))
    for seed in range(30):
        seen.update(batch(seed))
    load_encoder(probe, seen, "seen")
    x = batch(0).images
    with torch.no_grad():
        torch.testing.assert_close(probe.network.encoder(x), seen.network.encoder(x), rtol=0.02, atol=1e-3)
    assert not any(layer.training for layer in probe.network.encoder.modules())


@pytest.mark.parametrize(("targets", "message"), [("labels", "has no labels"), ("numbers", "these have none")])
def test_data_without_targets(targets: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make(Spec((1, 4, 4)), targets=targets)


def test_evaluation() -> None:
    learner, test = make(), batch(1, 200)
    data = DataSet(test.images, test.images, train_labels=test.labels, test_labels=test.labels)
    error = float((learner.predict(test.images).argmax(1) != test.labels).double().mean())
    assert evaluate_classifier(learner, data, Rng(0), 1_000)["error"] == pytest.approx(error)


def test_shifts() -> None:
    """Every distance from -2 to 2 in both directions occurs, black follows, and nothing else changes."""
    images = torch.zeros(500, 1, 7, 7, dtype=torch.uint8)
    images[:, :, 3, 3] = 200
    moved = randomly_shifted(images, 2, torch.Generator().manual_seed(0))
    places = moved[:, 0].flatten(1).argmax(1)
    assert bool((moved.flatten(1).sum(1) == 200).all())
    assert {(int(p) // 7 - 3, int(p) % 7 - 3) for p in places} == {(y, x) for y in range(-2, 3) for x in range(-2, 3)}
    edge = randomly_shifted(torch.full((50, 2, 3, 3), 9), 3, torch.Generator().manual_seed(0))
    assert set(edge.unique().tolist()) == {0, 9}


def test_a_stream_with_shifts_moves_images_not_labels() -> None:
    images = torch.arange(40, dtype=torch.uint8).view(40, 1, 1, 1).expand(40, 1, 5, 5).contiguous()
    data = DataSet(images, images, train_labels=torch.arange(40), test_labels=torch.arange(40))
    stream = LabeledConfig(batch_size=20, shift=1).make(data, make(), Rng(0), CPU)
    taken = next(stream)
    assert torch.equal(taken.images[:, 0, 2, 2].long(), taken.labels)
    assert bool((taken.images[taken.labels > 0] == 0).any())
