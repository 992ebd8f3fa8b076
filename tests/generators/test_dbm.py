"""The deep Boltzmann machine: its stages, the transitions between them, and its bound."""

import itertools
import math
from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators._boltzmann.mean_field_classifier import MeanFieldClassifier
from sandbox.generators._boltzmann.rbm_layer import RBMLayer
from sandbox.generators.dbm import DBM, DBMConfig
from sandbox.interfaces.capabilities import HasClassifier, HasEncoder, HasFilters, HasLikelihood, HasReconstruction
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops import boltzmann, deep_boltzmann
from sandbox.streams.labeled import Labeled

SPEC = Spec((1, 2, 3), num_classes=2)
EVERY = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6))).view(64, *SPEC.shape)


def make(spec: Spec = SPEC, **options: Any) -> DBM:
    options = {"backbone": {"hidden": [4, 3, 2]}, "pretraining_steps": 3, "learning_steps": 4, **options}
    return DBMConfig.model_validate(options).make(spec, Rng(0), choose("cpu"), NO_RUNS)


def batch(count: int = 8, seed: int = 0) -> Labeled:
    rows = torch.randint(64, (count,), generator=torch.Generator().manual_seed(seed))
    return Labeled((EVERY[rows] * 255).to(torch.uint8), (rows >= 32).long())


def trained(updates: int, **options: Any) -> DBM:
    dbm = make(**options)
    for i in range(updates):
        dbm.update(batch(seed=i))
    return dbm


def layer_of(dbm: DBM, name: str) -> RBMLayer:
    layer = dbm.parts()[name]
    assert isinstance(layer, RBMLayer)
    return layer


def stack_of(dbm: DBM) -> list[RBMLayer]:
    return [layer_of(dbm, f"layer_{i}") for i in (1, 2, 3)]


def network_of(dbm: DBM) -> MeanFieldClassifier:
    network = dbm.parts()["network"]
    assert isinstance(network, MeanFieldClassifier)
    return network


def weights(dbm: DBM) -> list[torch.Tensor]:
    return [layer.weight.clone() for layer in stack_of(dbm)]


def test_stages_one_by_one() -> None:
    """Three updates train each layer, four all layers together, later ones the classifier; nothing else changes."""
    dbm = make()
    for i in range(16):
        before, machine = weights(dbm), layer_of(dbm, "machine").weight.clone()
        network = [parameter.clone() for parameter in network_of(dbm).parameters()]
        metrics = dbm.update(batch(seed=i))
        moved = [not torch.equal(new, old) for new, old in zip(weights(dbm), before, strict=True)]
        assert moved == [i // 3 == layer for layer in range(3)]
        assert torch.equal(layer_of(dbm, "machine").weight, machine) == (not 9 <= i < 13)
        same = [torch.equal(new, old) for new, old in zip(network_of(dbm).parameters(), network, strict=True)]
        assert all(same) == (i < 13)
        assert ("error" in metrics) == (i >= 13)


def test_the_weights_of_every_layer_are_small_at_first() -> None:
    """About 10,000 draws from N(0, 0.01^2) for each layer."""
    for layer in stack_of(make(Spec((1, 10, 10)), backbone={"hidden": [100, 100, 100]})):
        assert float(layer.weight.mean()) == pytest.approx(0.0, abs=6e-4)
        assert float(layer.weight.std()) == pytest.approx(0.01, rel=0.04)


def test_pretraining_doubles_the_inputs_of_layers_with_two_neighbors() -> None:
    """Inputs count twice, except those to the pixels and to the top layer."""
    for layer, (hidden, visible) in zip(stack_of(make()), [(2, 1), (2, 2), (1, 2)], strict=True):
        rbm, draws = layer.rbm(), torch.Generator().manual_seed(0)
        for tensor in rbm:
            tensor.normal_(generator=draws)
        v, h = (torch.rand(5, size, generator=draws) for size in rbm.weight.shape)
        torch.testing.assert_close(layer.hidden_means(v), torch.sigmoid(hidden * v @ rbm.weight + rbm.hidden_bias))
        torch.testing.assert_close(layer.visible_means(h), torch.sigmoid(visible * h @ rbm.weight.T + rbm.visible_bias))


def test_the_loss_of_pretraining_is_the_error_of_reconstructed_units() -> None:
    dbm = trained(3)
    lowest, second, _ = stack_of(dbm)
    h = lowest.hidden_means((batch(seed=3).images == 255).float().flatten(1))
    error = second.visible_means(second.hidden_means(h)) - h
    expected = error.square().mean().clone()
    metrics = dbm.update(batch(seed=3))
    assert float(metrics["layer"]) == 2
    torch.testing.assert_close(metrics["loss"], expected)


def test_the_combined_machine_has_the_weights_of_the_layers() -> None:
    dbm = trained(9)
    machine, stack = dbm.rbm(), [layer.rbm() for layer in stack_of(dbm)]
    torch.testing.assert_close(machine.weight[:6, :4], stack[0].weight)
    torch.testing.assert_close(machine.weight[6:, :4], stack[1].weight.T)
    torch.testing.assert_close(machine.weight[6:, 4:], stack[2].weight)
    assert machine.weight[:6, 4:].abs().max() == 0
    torch.testing.assert_close(machine.visible_bias[:6], stack[0].visible_bias)
    torch.testing.assert_close(machine.visible_bias[6:], (stack[1].hidden_bias + stack[2].visible_bias) / 2)
    torch.testing.assert_close(machine.hidden_bias[:4], (stack[0].hidden_bias + stack[1].visible_bias) / 2)
    torch.testing.assert_close(machine.hidden_bias[4:], stack[2].hidden_bias)
    combined = machine.weight.clone()
    assert float(dbm.update(batch())["layer"]) == 0
    moved = dbm.rbm().weight != combined
    assert moved[:6, :4].all()
    assert moved[6:].all()
    assert dbm.rbm().weight[:6, 4:].abs().max() == 0  # layers that are not neighbors stay unconnected


def test_chains_and_samples_have_the_distribution_of_the_energy() -> None:
    """Layers of 3, 3 and 2 units: 400,000 states of all of them from the chains, and 2,000 samples of the pixels."""
    dbm = make(Spec((1, 1, 3)), backbone={"hidden": [3, 2]}, pretraining_steps=0, learning={"chains": {"count": 2_000}})
    dbm.update(Labeled(torch.zeros(1, 1, 1, 3), None))  # the layers are combined
    machine, draws = layer_of(dbm, "machine"), torch.Generator().manual_seed(0)
    lower, upper = (2 * torch.randn(shape, generator=draws) for shape in ((3, 3), (3, 2)))
    biases = torch.randn(8, generator=draws) - torch.cat([lower.sum(1), lower.sum(0) + upper.sum(1), upper.sum(0)]) / 2
    machine.weight.copy_(torch.cat([lower, upper.T]))
    machine.rbm().visible_bias.copy_(torch.cat([biases[:3], biases[6:]]))  # pixels and top layer
    machine.rbm().hidden_bias.copy_(biases[3:6])

    states = torch.tensor(list(itertools.product([0.0, 1.0], repeat=8)))
    v, middle, top = states.split([3, 3, 2], 1)
    exact = (((v @ lower + top @ upper.T) * middle).sum(1) + states @ biases).softmax(0)
    place = torch.tensor([128, 64, 32, 2, 1, 16, 8, 4])  # of a state, its units in the order of the machine's sides
    counts = torch.zeros(256)
    for sweep in range(250):
        model = machine.phases(torch.zeros(1, 5)).visible[1:]
        if sweep >= 50:
            counts += (torch.cat([model, machine.chains], 1).long() @ place).bincount(minlength=256)
    assert float((counts / counts.sum() - exact).abs().sum() / 2) < 0.02

    white = dbm.sample(2_000).flatten(1)  # probabilities of three pixels
    chances = torch.where(states[::32, :3] == 1, white[:, None], 1 - white[:, None]).prod(2).mean(0)
    assert float((chances - exact.view(8, 32).sum(1)).abs().sum() / 2) < 0.03


def test_the_network_starts_as_the_machine() -> None:
    """Before fine-tuning, the outputs of the classifier's layers are one more round of mean field."""
    dbm = trained(13)
    network, v = network_of(dbm), EVERY.flatten(1)
    network.start_from(dbm.rbm())
    inferred = deep_boltzmann.hidden_layers((6, 4, 3, 2), *deep_boltzmann.mean_field(dbm.rbm(), v, 200))
    for found, expected in zip(network.hidden_means(v, inferred), inferred, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    before = network.layers[0].get_parameter("weight").clone()
    trained_further = trained(13, optimizer={"lr": 1e-9})
    trained_further.update(batch())
    torch.testing.assert_close(network_of(trained_further).layers[0].get_parameter("weight"), before)


def test_the_bound_is_below_the_exact_likelihood_and_near() -> None:
    dbm = trained(13)
    for seed in range(20):
        weight = layer_of(dbm, "machine").weight
        weight.add_(0.3 * weight)  # away from where everything is independent
        dbm.update(batch(seed=seed))
    machine = dbm.rbm()
    h = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6)))
    exact = -boltzmann.free_energy(machine.transposed(), h)  # of the odd side: pixels and second layer summed out
    log_z = exact.double().logsumexp(0)
    joint = h @ machine.hidden_bias + torch.nn.functional.softplus(
        h @ machine.weight[6:].T + machine.visible_bias[6:]
    ).sum(1)
    inputs = h @ machine.weight[:6].T + machine.visible_bias[:6]
    nats = (EVERY.flatten(1) @ inputs.T + joint).double().logsumexp(1) - log_z
    assert float(nats.logsumexp(0)) == pytest.approx(0.0, abs=1e-4)
    estimate = dbm.log_likelihood(EVERY)
    assert estimate.kind == "bound"
    assert (estimate.nats <= nats + 1e-4).all()
    assert (nats - estimate.nats).mean() < 0.5


def test_a_large_machine_is_annealed() -> None:
    dbm = trained(13, backbone={"hidden": [21, 22]}, ais={"num_temperatures": 200, "num_chains": 20, "burn_in": 20})
    estimate = dbm.log_likelihood(EVERY)
    assert estimate.kind == "bound by ais"
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low + estimate.high < 1


def test_classes_before_they_were_learned() -> None:
    dbm = trained(13)
    with pytest.raises(UserError) as refused:
        dbm.classify(EVERY)
    assert str(refused.value) == (
        "this dbm has no classes yet: it learns them from update 14 on, from data with labels."
    )
    dbm.update(batch())
    assert dbm.classify(EVERY).shape == (64, 2)
    torch.testing.assert_close(dbm.classify(EVERY).sum(1), torch.ones(64))


def test_without_labels_it_goes_on_as_a_machine() -> None:
    dbm = make(Spec(SPEC.shape))
    for i in range(15):
        assert "error" not in dbm.update(Labeled(batch(seed=i).images, None))


def test_gray_images_are_refused() -> None:
    images = batch().images
    images[0, 0, 0, 0] = 100
    with pytest.raises(UserError) as refused:
        make().update(Labeled(images, None))
    assert str(refused.value) == (
        "generator.name=dbm has binary units, but these images are gray. Add data.binarize=threshold "
        "(black and white) or data.binarize=sample (each gray value is a probability), or "
        "generator.stream.resample=true (black and white drawn anew for every batch)."
    )


def test_gray_images_have_no_bound() -> None:
    with pytest.raises(UserError, match=r"generator\.name=dbm has binary units, but these images are gray\."):
        make().log_likelihood(EVERY / 2)


def test_interfaces_and_ranges() -> None:
    dbm = trained(14)
    for interface in (HasLikelihood, HasReconstruction, HasEncoder, HasClassifier, HasFilters):
        assert isinstance(dbm, interface)
    torch.testing.assert_close(dbm.filters(3).flatten(1), layer_of(dbm, "machine").weight[:6, :3].T)
    for outputs in (dbm.sample(70), dbm.reconstruct(EVERY), dbm.decode(dbm.encode(EVERY))):
        assert outputs.shape[1:] == SPEC.shape
        assert 0 <= outputs.min() <= outputs.max() <= 1


@pytest.mark.learning
def test_learns_a_distribution_and_its_classes() -> None:
    """Two opposite patterns, each pixel flipped with probability 0.1: the bound comes near the true log-likelihood."""
    draws = torch.Generator().manual_seed(0)
    flips, labels = (torch.rand(400, 6, generator=draws) < 0.1).float(), torch.arange(400) % 2
    white = ((torch.tensor([1.0, 0, 1, 0, 1, 0]) - flips).abs() - labels[:, None]).abs()
    wrong = flips.sum(1)
    first, second = (
        wrong * math.log(0.1) + (6 - wrong) * math.log(0.9),
        (6 - wrong) * math.log(0.1) + wrong * math.log(0.9),
    )
    best = float((torch.logaddexp(first, second) - math.log(2)).mean())
    dbm = make(
        backbone={"hidden": [6, 4]},
        pretraining_steps=200,
        learning_steps=1_500,
        learning={"lr": {"start": 0.1, "end": 0.0, "steps": 1_500}, "centering": 0.02},
        optimizer={"lr": 1e-2},
    )
    for i in range(2_200):
        dbm.update(Labeled(white[i % 20 :: 20].view(-1, *SPEC.shape), labels[i % 20 :: 20]))
    images = white.view(-1, *SPEC.shape)
    assert dbm.log_likelihood(images).nats.mean() > best - 0.25
    assert (dbm.classify(images).argmax(1) != labels).float().mean() < 0.03
