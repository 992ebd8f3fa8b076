"""Label units of the deep belief net: exact classes and samples by enumeration, the weights that it hands over."""

import itertools
from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators._boltzmann.labeled_rbm_layer import LabeledRBMLayer
from sandbox.generators.dbn import DBN, DBNConfig
from sandbox.interfaces.capabilities import ClassConditional
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops import boltzmann
from sandbox.ops.units import BernoulliAndSoftmax
from sandbox.streams.labeled import Labeled

SPEC = Spec((1, 2, 2), num_classes=3)
EVERY = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)))
UP_DOWN = {"steps": 10, "lr": {"start": 0.1, "end": 0.1}}


def make(layers: tuple[int, ...] = (3, 4), spec: Spec = SPEC, **options: Any) -> DBN:
    given = {
        "backbone": {"hidden": list(layers)},
        "pretraining_steps": 5,
        "labels": True,
        "sample_steps": 30,
        **options,
    }
    return DBNConfig.model_validate(given).make(spec, Rng(0), choose("cpu"), NO_RUNS)


def batch(count: int = 12, seed: int = 0) -> Labeled:
    """Return images of class 0 (black), 1 (white) and 2 (left half white), each pixel flipped with probability 0.1."""
    labels = torch.arange(count) % 3
    clean = torch.tensor([[0.0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 1, 0]])[labels]
    flipped = torch.rand(count, 4, generator=torch.Generator().manual_seed(seed)) < 0.1
    return Labeled(((clean - flipped.float()).abs() * 255).to(torch.uint8).view(-1, 1, 2, 2), labels)


def top_of(dbn: DBN) -> LabeledRBMLayer:
    layers: Any = dbn.parts()["layers"]
    assert isinstance(layers[-1], LabeledRBMLayer)
    return layers[-1]


def backbone_of(dbn: DBN) -> list[torch.nn.Linear]:
    network: Any = dbn.parts()["network"]
    return network["encoder"].couplings()


def with_random_weights(dbn: DBN) -> torch.Tensor:
    """Give the top machine of a net of one layer large weights; return log p(v, y), not normalized, [16, 3]."""
    draws = torch.Generator().manual_seed(3)
    weight, visible_bias, hidden_bias = top_of(dbn).rbm()
    weight.copy_(2 * torch.randn(weight.shape, generator=draws))
    visible_bias.copy_(-weight.sum(1) / 2)
    hidden_bias.copy_(-weight.sum(0) / 2)
    top_of(dbn).write()
    rows = [torch.cat([EVERY, one_hot.expand(16, -1)], 1) for one_hot in torch.eye(3)]
    return torch.stack([-boltzmann.free_energy(top_of(dbn).rbm(), v) for v in rows], 1)


def began(dbn: DBN) -> DBN:
    dbn.update(batch())
    return dbn


def images(v: torch.Tensor) -> torch.Tensor:
    return v.view(-1, 1, 2, 2)


def test_the_classes_are_exact() -> None:
    dbn = began(make((5,)))
    joint = with_random_weights(dbn)
    torch.testing.assert_close(dbn.classify(images(EVERY)), joint.softmax(1))


def test_the_likelihood_sums_to_one_over_images() -> None:
    dbn = began(make((5,)))
    joint = with_random_weights(dbn)
    found = dbn.log_likelihood(images(EVERY))
    assert found.kind == "exact"
    torch.testing.assert_close(found.nats, joint.logsumexp(1) - joint.flatten().logsumexp(0))


@pytest.mark.parametrize("label", [0, 2])
def test_samples_of_a_class_have_the_exact_conditional(label: int) -> None:
    dbn = began(make((5,)))
    joint = with_random_weights(dbn)
    means = dbn.sample_of(torch.full((20_000,), label)).flatten(1).mean(0)
    torch.testing.assert_close(means, joint[:, label].softmax(0) @ EVERY, atol=0.015, rtol=0)
    assert (means - joint.logsumexp(1).softmax(0) @ EVERY).abs().max() > 0.05  # the class matters
    free = dbn.sample(20_000).flatten(1).mean(0)
    torch.testing.assert_close(free, joint.logsumexp(1).softmax(0) @ EVERY, atol=0.015, rtol=0)


def test_a_completion_sums_over_the_labels() -> None:
    dbn = began(make((5,), sample_steps=60))
    joint = with_random_weights(dbn).logsumexp(1)
    known = torch.tensor([[[True, False], [False, True]]])
    fits = (EVERY[:, 0] == 1) & (EVERY[:, 3] == 0)
    found = dbn.recall(torch.tensor([1.0, 0, 0, 0]).view(1, 1, 2, 2).expand(4000, -1, -1, -1), known).mean(0).flatten()
    torch.testing.assert_close(found, joint[fits].softmax(0) @ EVERY[fits], atol=0.01, rtol=0)


def test_the_backbone_has_the_weights_of_the_units_below() -> None:
    """At first, while the top machine learns, and after up-down; its pass upwards leaves the labels out."""
    dbn = make(up_down=UP_DOWN)
    for seed in range(15):
        top, linear = top_of(dbn).rbm(), backbone_of(dbn)[-1]
        assert top.weight.shape == (3 + 3, 4)
        assert torch.equal(linear.weight.T, top.weight[:3])
        assert torch.equal(linear.bias, top.hidden_bias)
        dbn.update(batch(seed=seed))
    x = images(EVERY)
    for layer in backbone_of(dbn):
        x = torch.sigmoid(layer(x.flatten(1)))
    torch.testing.assert_close(dbn.encode(images(EVERY)), x.detach())
    assert dbn.reconstruct(images(EVERY)).shape == (16, 1, 2, 2)


@torch.no_grad()
def test_the_top_machine_begins_with_the_backbone() -> None:
    """Another run may have set it."""
    dbn = make(learning={"lr": {"start": 0.0, "end": 0.0}})
    given = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    backbone_of(dbn)[-1].weight.copy_(given)
    for seed in range(6):
        dbn.update(batch(seed=seed))
    assert torch.equal(top_of(dbn).rbm().weight[:3], given.T)


def test_a_step_of_up_down_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The labels are clamped in the up pass and sampled in the sweeps; their weights follow the two correlations."""
    dbn = make(up_down=UP_DOWN)
    for seed in range(10):
        dbn.update(batch(seed=seed))
    before, seen, real = [tensor.clone() for tensor in top_of(dbn).rbm()], [], boltzmann.gibbs

    def spy(rbm: Any, v: torch.Tensor, steps: int, generator: torch.Generator, units: Any) -> Any:
        seen.append((v, steps, units, real(rbm, v, steps, generator, units)))
        return seen[-1][-1]

    monkeypatch.setattr(boltzmann, "gibbs", spy)
    given = batch(seed=20)
    dbn.update(given)
    ((data, steps, units, (_, model)),) = seen
    assert steps == 3
    assert isinstance(units, BernoulliAndSoftmax)
    assert torch.equal(data[:, 3:].argmax(1), given.labels)
    assert (data[:, 3:].sum(1) == 1).all()
    assert (model[:, 3:].sum(1) == 1).all()
    p = [torch.sigmoid(v @ before[0] + before[2]) for v in (data, model)]
    weight, bias, hidden_bias = top_of(dbn).rbm()
    torch.testing.assert_close(weight, before[0] + 0.1 * (data.T @ p[0] - model.T @ p[1]) / 12)
    torch.testing.assert_close(bias, before[1] + 0.1 * (data.mean(0) - model.mean(0)))
    torch.testing.assert_close(hidden_bias, before[2] + 0.1 * (p[0].mean(0) - p[1].mean(0)))


def test_persistent_chains_of_up_down_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """They begin at the data, go on from one update to the next, and are not as many as the images of a batch."""
    dbn = make(up_down={**UP_DOWN, "chains": {"name": "persistent", "count": 20, "steps": 2}})
    for seed in range(10):
        dbn.update(batch(seed=seed))
    seen, real = [], boltzmann.gibbs

    def spy(rbm: Any, v: torch.Tensor, steps: int, generator: torch.Generator, units: Any) -> Any:
        seen.append((v.clone(), steps, real(rbm, v, steps, generator, units)))
        return seen[-1][-1]

    monkeypatch.setattr(boltzmann, "gibbs", spy)
    dbn.update(batch(seed=20))
    before = [tensor.clone() for tensor in top_of(dbn).rbm()]
    dbn.update(batch(seed=21))
    (first, steps, (_, between)), (start, _, (_, model)) = seen
    assert steps == 2
    assert first.shape == (20, 6)
    assert torch.equal(first[:8], first[12:])  # the batch has 12 images
    assert torch.equal(start, between)
    assert torch.equal(dbn.parts()["chains"].state_dict()["states"], model)
    change = top_of(dbn).rbm().visible_bias - before[1]
    means = 0.1 * model.mean(0) + change
    torch.testing.assert_close(means * 120, (means * 120).round(), atol=1e-3, rtol=0)  # 0.1 times means of 12 images
    seen.clear()
    dbn.sample_of(torch.arange(3))
    assert torch.equal(dbn.parts()["chains"].state_dict()["states"], model)


@torch.no_grad()
def test_samples_begin_at_the_persistent_chains() -> None:
    """With weights that keep a state as it is, samples are the states of the chains."""
    dbn = make((3,), labels=False, up_down={**UP_DOWN, "chains": {"name": "persistent"}}, sample_steps=1)
    for seed in range(12):
        dbn.update(batch(seed=seed))
    layers: Any = dbn.parts()["layers"]
    top = layers[-1].rbm()
    top.weight.copy_(80 * torch.eye(4, 3))
    top.hidden_bias.fill_(-40)
    top.visible_bias.copy_(torch.tensor([-40.0, -40.0, -40.0, 40.0]))
    chains = dbn.parts()["chains"].state_dict()["states"]
    chains.copy_(torch.tensor([[1.0, 0, 1, 1], [0, 1, 0, 1]])[torch.arange(len(chains)) % 2])
    torch.testing.assert_close(dbn.sample(2).flatten(1), chains[:2])


def test_learns_three_classes() -> None:
    lr = {"lr": {"start": 0.3, "end": 0.02, "steps": 500}}
    dbn = make((8,), pretraining_steps=500, learning=lr, up_down={"steps": 200}, sample_steps=50)
    for seed in range(700):
        dbn.update(batch(60, seed))
    clean = torch.tensor([[0.0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 1, 0]])
    assert dbn.classify(images(clean)).argmax(1).tolist() == [0, 1, 2]
    assert dbn.num_classes() == 3
    means = dbn.sample_of(torch.arange(3).repeat_interleave(200)).view(3, 200, 4).mean(1)
    assert torch.equal(means.round(), clean)


def test_messages() -> None:
    with pytest.raises(UserError) as refused:
        make(spec=Spec((1, 2, 2)))
    assert str(refused.value) == (
        "generator.labels learns classes, but the data set has no labels. Set generator.labels=false, or choose data "
        "that have some, e.g. data.name=digits or data.name=mnist."
    )
    plain = make(labels=False)
    assert isinstance(plain, ClassConditional)
    for ask in (lambda: plain.num_classes(), lambda: plain.sample_of(torch.arange(2))):
        with pytest.raises(UserError) as refused:
            ask()
        assert str(refused.value) == (
            "this dbn has no label units to sample a class by. Train one with generator.labels=true."
        )
    early = make()
    for seed in range(5):
        early.update(batch(seed=seed))
    for ask in (lambda: early.classify(images(EVERY)), lambda: early.sample_of(torch.arange(2))):
        with pytest.raises(UserError, match=r"^this dbn has no labels yet: it learns them after update 5\.$"):
            ask()
    early.update(batch())
    assert early.classify(images(EVERY)).shape == (16, 3)
