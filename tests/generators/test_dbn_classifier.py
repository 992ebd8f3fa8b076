"""Fine-tuning of a deep belief net as a classifier."""

import itertools
from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators._boltzmann.rbm_layer import RBMLayer
from sandbox.generators._boltzmann.softmax_classifier import SoftmaxClassifier, SoftmaxConfig, SoftmaxNetwork
from sandbox.generators.dbn import DBN, DBNConfig
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops.units import sample_bernoulli_16_bits
from sandbox.streams.labeled import Labeled

SPEC = Spec((1, 2, 2), num_classes=2)
EVERY = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)))
FAST = {"learning": {"lr": {"start": 0.3, "end": 0.3}}}
ALL = {"pretraining_steps": 3, "up_down": {"steps": 2, "lr": {"start": 0.1, "end": 0.1}}, "softmax": {}, **FAST}


def make(layers: tuple[int, ...] = (3, 2), spec: Spec = SPEC, rng: Rng | None = None, **options: Any) -> DBN:
    config = DBNConfig.model_validate({"backbone": {"hidden": list(layers)}, "pretraining_steps": 40, **options})
    return config.make(spec, rng or Rng(0), choose("cpu"), NO_RUNS)


def batch(count: int = 10, seed: int = 0) -> Labeled:
    """Return images with labels: white ones (0) and black ones (1), each pixel flipped with probability 0.2."""
    draws = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    white = ((torch.rand(count, 1, 2, 2, generator=draws) < 0.2).float() - labels.view(-1, 1, 1, 1)).abs()
    return Labeled((white * 255).to(torch.uint8), labels)


def trained(dbn: DBN, updates: int) -> DBN:
    for i in range(updates):
        dbn.update(batch(seed=i))
    return dbn


def images(v: torch.Tensor) -> torch.Tensor:
    return v.view(-1, 1, 2, 2)


def layers_of(dbn: DBN) -> list[RBMLayer]:
    layers = dbn.parts()["layers"]
    assert isinstance(layers, torch.nn.ModuleList)
    return list(layers)  # type: ignore[arg-type]


def classifier_of(dbn: DBN) -> SoftmaxNetwork:
    network = dbn.parts()["softmax_network"]
    assert isinstance(network, SoftmaxNetwork)
    return network


def test_after_fine_tuning_the_stack_is_as_it_was() -> None:
    dbn, twin = (trained(make(**ALL), 8) for _ in range(2))
    before = [tensor.clone() for layer in layers_of(dbn) for tensor in layer.rbm()]
    trained(dbn, 50)
    assert all(torch.equal(a, b) for a, b in zip(before, (t for x in layers_of(dbn) for t in x.rbm()), strict=True))
    torch.testing.assert_close(dbn.sample(4), twin.sample(4))
    torch.testing.assert_close(dbn.encode(images(EVERY)), twin.encode(images(EVERY)))


def test_the_classifier_starts_as_the_stack() -> None:
    dbn = make(**{**ALL, "softmax": {"optimizer": {"name": "adam", "lr": 1e-12}}})
    trained(dbn, 9)
    network = classifier_of(dbn)
    h = EVERY
    for layer in network.hidden:
        h = torch.sigmoid(layer(h))
    torch.testing.assert_close(h, dbn.encode(images(EVERY)), atol=1e-5, rtol=0)


@pytest.mark.parametrize("bf16", [False, True])
def test_one_update_with_dropout_by_hand(bf16: bool) -> None:
    """Units that stay are divided by the probability of staying."""
    rng, config = Rng(0), SoftmaxConfig(input_dropout=0.3, hidden_dropout=0.6)
    classifier = SoftmaxClassifier(config, (4, 3), 2, rng, "softmax", choose("cpu", "bf16" if bf16 else "fp32"))
    network = classifier.parts()["network"]
    assert isinstance(network, SoftmaxNetwork)
    torch.nn.init.normal_(network.classes.weight, generator=torch.Generator().manual_seed(0))
    device, state = rng.state_dict()["torch"]["softmax/dropout"]
    draws = torch.Generator(device).set_state(state)
    inputs = sample_bernoulli_16_bits(torch.full((16, 4), 0.7), draws, torch.float32) / 0.7
    hidden = sample_bernoulli_16_bits(torch.full((16, 3), 0.4), draws, torch.float32) / 0.4
    labels = torch.arange(16) % 2
    h = torch.sigmoid(network.hidden[0](EVERY * inputs)) * hidden
    expected = torch.nn.functional.cross_entropy(network.classes(h), labels).detach()
    assert {0.0} < set(hidden.unique().tolist())
    tolerance = {"atol": 0.02, "rtol": 0.0} if bf16 else {}
    torch.testing.assert_close(classifier.update(EVERY, labels)["loss"], expected, **tolerance)


def test_learns_classes() -> None:
    softmax = {"optimizer": {"name": "adam", "lr": 0.05}, "hidden_dropout": 0.1, "max_norm": 3.0}
    dbn = trained(make((8, 8), **{**ALL, "softmax": softmax}), 150)
    test = batch(200, seed=1_000)
    p = dbn.classify(test.images)
    assert p.shape == (200, 2)
    torch.testing.assert_close(p.sum(1), torch.ones(200))
    assert (p.argmax(1) == test.labels).float().mean() > 0.85  # of 0.896, the best that can be
    torch.testing.assert_close(p, dbn.classify(test.images))
    for layer in classifier_of(dbn).hidden:
        assert layer.weight.norm(dim=1).max() <= 3.0 + 1e-5


def test_what_cannot_be_classified() -> None:
    with pytest.raises(UserError) as refused:
        make(softmax=None).classify(images(EVERY))
    assert str(refused.value) == (
        "this dbn learns no classes. Train one with a softmax, generator.softmax={}, or with label units, "
        "generator.labels=true."
    )
    dbn = trained(make(**ALL), 8)
    with pytest.raises(UserError) as refused:
        dbn.classify(images(EVERY))
    assert str(refused.value) == (
        f"this dbn has no classes yet: it learns them after update {refused.value.steps}."  # type: ignore
    )
    trained(dbn, refused.value.steps - 7).classify(images(EVERY))  # type: ignore
    with pytest.raises(UserError) as refused:
        make(spec=Spec((1, 2, 2)), softmax={})
    assert str(refused.value) == (
        "generator.softmax learns classes, but the data set has no labels. Set generator.softmax=null, or choose data "
        "that have some, e.g. data.name=digits or data.name=mnist."
    )
