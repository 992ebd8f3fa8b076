"""The deep belief net: its stages, one step of up-down by hand, and a bound that enumeration confirms."""

import copy
import itertools
import math
from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.rng import Rng
from sandbox.generators._boltzmann import belief_layers
from sandbox.generators._boltzmann.belief_layers import BeliefLayer
from sandbox.generators._boltzmann.rbm_layer import RBMLayer
from sandbox.generators.dbn import DBN, DBNConfig
from sandbox.interfaces.capabilities import HasClassifier, HasEncoder, HasLikelihood, HasReconstruction
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops import belief, boltzmann
from sandbox.ops.boltzmann import RBMParameters
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


def stream(rng: Rng, name: str) -> torch.Generator:
    """Return a copy of the random stream `name` in its present state."""
    device, state = rng.state_dict()["torch"][name]
    return torch.Generator(device).set_state(state)


def layers_of(dbn: DBN) -> list[RBMLayer]:
    layers = dbn.parts()["layers"]
    assert isinstance(layers, torch.nn.ModuleList)
    return list(layers)  # type: ignore[arg-type]


def directed_of(dbn: DBN) -> list[BeliefLayer]:
    layers = dbn.parts()["directed"]
    assert isinstance(layers, torch.nn.ModuleList)
    return list(layers)  # type: ignore[arg-type]


def above(dbn: DBN) -> torch.Tensor:
    """Return log p of each state of the layer below the top machine, by enumeration."""
    top = layers_of(dbn)[-1].rbm()
    states = torch.tensor(list(itertools.product([0.0, 1.0], repeat=len(top.visible_bias))))
    return (-boltzmann.free_energy(top, states)).log_softmax(0)


def exact(dbn: DBN) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log p(v) and its bound for all 16 images of a net with one directed layer, by sums over hidden states."""
    (layer,) = directed_of(dbn)
    h = torch.tensor(list(itertools.product([0.0, 1.0], repeat=len(layer.recognition.bias))))
    rows = [belief.log_prob(layer.generation, h, v.expand(len(h), -1)) + above(dbn) for v in EVERY]
    joint = torch.stack(rows)
    q = torch.stack([belief.log_prob(layer.recognition, v.expand(len(h), -1), h) for v in EVERY])
    entropy = -(q.exp() * q).sum(1)
    return joint.logsumexp(1), (q.exp() * joint).sum(1) + entropy


def test_the_weights_of_every_layer_are_small_at_first() -> None:
    """10,000 draws from N(0, 0.01^2) for each layer, and for each direction of the one that will be directed."""
    dbn = make((100, 100), Spec((1, 10, 10)))
    (directed,) = directed_of(dbn)
    drawn = [layer.weight for layer in layers_of(dbn)]
    for weight in (*drawn, directed.recognition.weight, directed.generation.weight):
        assert float(weight.mean()) == pytest.approx(0.0, abs=6e-4)
        assert float(weight.std()) == pytest.approx(0.01, rel=0.04)


def test_the_stages_one_by_one() -> None:
    dbn = make(**ALL)
    assert [float(dbn.update(batch(seed=i))["stage"]) for i in range(11)] == [0] * 3 + [1] * 3 + [2] * 2 + [3] * 3
    dbn = make(**{**ALL, "up_down": None})
    assert [float(dbn.update(batch(seed=i))["stage"]) for i in range(8)] == [0] * 3 + [1] * 3 + [2] * 2
    dbn = make(**{**ALL, "up_down": None, "softmax": None})
    assert [float(dbn.update(Labeled(batch(seed=i).images, None))["stage"]) for i in range(8)] == [0] * 3 + [1] * 5


def test_each_stage_changes_its_own() -> None:
    dbn = make(**ALL)
    for stage, updates in enumerate((3, 3, 2, 3)):
        before = copy.deepcopy({name: part.state_dict() for name, part in dbn.parts().items()})
        trained(dbn, updates)
        changed = {
            name
            for part in ("network", "layers", "directed", "softmax_network")
            for name, value in dbn.parts()[part].state_dict().items()
            if not torch.equal(value, before[part][name])
        }
        first, second = (
            {f"encoder.layers.{2 * i}.weight", f"encoder.layers.{2 * i}.bias", f"{i}.visible_bias"} for i in range(2)
        )
        arrows = {"0._downwards.weight", "0._downwards.bias"}
        expected = [first, second | arrows, second | arrows, {"hidden.0.weight", "hidden.1.bias", "classes.weight"}]
        assert expected[stage] <= changed
        assert not any(other <= changed for other in expected if not other <= expected[stage])
        if stage == 3:
            assert not changed & (first | second | arrows)


def test_a_layer_that_is_done_is_directed_and_delivers_probabilities() -> None:
    dbn = trained(make(**ALL), 4)
    layer, machine = directed_of(dbn)[0], layers_of(dbn)[0].rbm()
    assert torch.equal(layer.generation.weight, machine.weight.T)
    assert torch.equal(layer.generation.bias, machine.visible_bias)
    v = (batch(seed=0).images == 255).float().flatten(1)
    h = boltzmann.hidden_probabilities(machine, v)
    torch.testing.assert_close(belief.probabilities(layer.recognition, v), h)
    dbn = make(**{**ALL, "learning": {"lr": {"start": 0.0, "end": 0.0}}})
    layers_of(dbn)[0].weight.normal_(generator=torch.Generator().manual_seed(0))
    trained(dbn, 3)
    dbn.update(batch(seed=0))
    h = boltzmann.hidden_probabilities(layers_of(dbn)[0].rbm(), v)
    expected = torch.logit((h.sum(0) + 1) / 12)
    torch.testing.assert_close(layers_of(dbn)[1].rbm().visible_bias, expected)


def test_gray_pixels_are_drawn() -> None:
    dbn = make(**ALL)
    dbn.update(Labeled(torch.full((10, 1, 2, 2), 128, dtype=torch.uint8), torch.zeros(10, dtype=torch.int64)))
    whites = torch.sigmoid(layers_of(dbn)[0].rbm().visible_bias) * 12 - 1
    assert len(whites.round().unique()) > 1


def test_one_step_of_up_down_by_hand() -> None:
    rng = Rng(0)
    dbn, twin = trained(make(rng=rng, **ALL), 6), trained(make(**ALL), 6)
    v = (batch(seed=9).images == 255).float().flatten(1)
    (layer,), top, draws = directed_of(twin), layers_of(twin)[-1].rbm(), stream(rng, "dbn/states")
    torch.rand(v.shape, generator=draws)  # the pixels, which are black or white with certainty
    h = belief_layers.recognize([layer], v, draws)[1]
    _, model = boltzmann.gibbs(top, h, 3, draws)
    generated = belief_layers.generate([layer], model, draws)[0]
    dbn.update(batch(seed=9))
    p, q = belief.probabilities(layer.generation, h), belief.probabilities(layer.recognition, generated)
    new, hidden = directed_of(dbn)[0], boltzmann.hidden_probabilities
    torch.testing.assert_close(new.generation.weight, layer.generation.weight + 0.1 * h.T @ (v - p) / 10)
    torch.testing.assert_close(new.generation.bias, layer.generation.bias + 0.1 * (v - p).mean(0))
    torch.testing.assert_close(new.recognition.weight, layer.recognition.weight + 0.1 * generated.T @ (model - q) / 10)
    torch.testing.assert_close(new.recognition.bias, layer.recognition.bias + 0.1 * (model - q).mean(0))
    gradient = (h.T @ hidden(top, h) - model.T @ hidden(top, model)) / 10
    torch.testing.assert_close(layers_of(dbn)[-1].rbm().weight, top.weight + 0.1 * gradient)


def test_going_on_from_any_stage() -> None:
    for begun in (2, 4, 7, 9):
        chance = Rng(0), Rng(0)
        whole, resumed = (make(rng=one, **ALL) for one in chance)
        trained(whole, begun), trained(resumed, 1)
        state = copy.deepcopy({name: part.state_dict() for name, part in whole.parts().items()})
        for name, part in resumed.parts().items():
            part.load_state_dict(state[name])
        chance[1].load_state_dict(copy.deepcopy(chance[0].state_dict()))
        for i in range(4):
            ours, theirs = (dbn.update(batch(seed=i)) for dbn in (whole, resumed))
            assert {k: float(v) for k, v in ours.items()} == {k: float(v) for k, v in theirs.items()}
        for x in ("network", "layers", "directed", "softmax_network"):
            ours, theirs = (dbn.parts()[x].state_dict() for dbn in (whole, resumed))
            assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


def test_the_bound_is_a_bound() -> None:
    """With random weights recognition is wrong, so the bound is below log p."""
    dbn = trained(make(bound_samples=4_000, **FAST), 80)
    draws = torch.Generator().manual_seed(0)
    directed, top = directed_of(dbn)[0], layers_of(dbn)[1].rbm()
    for tensor in (*directed.recognition, *directed.generation, *top):
        tensor.normal_(generator=draws)
    truth, bound = exact(dbn)
    assert float(truth.logsumexp(0)) == pytest.approx(0.0, abs=1e-5)
    assert (bound < truth - 0.05).all()
    estimate = dbn.log_likelihood(images(EVERY))
    assert (estimate.kind, estimate.low, estimate.high) == ("bound", None, None)
    torch.testing.assert_close(estimate.nats, bound, atol=0.1, rtol=0)


def test_the_bound_is_tight_where_the_upper_machine_is_the_lower_one_transposed() -> None:
    """Here q is the posterior, and every sample gives log p(v) of the lower machine exactly."""
    dbn = trained(make((3, 4), bound_samples=1, **FAST), 80)
    machine, top = layers_of(dbn)[0].rbm(), layers_of(dbn)[1].rbm()
    for tensor, value in zip(top, machine.transposed(), strict=True):
        tensor.copy_(value)
    expected = -boltzmann.free_energy(machine, EVERY) - boltzmann.log_partition(machine).float()
    torch.testing.assert_close(dbn.log_likelihood(images(EVERY)).nats, expected)
    torch.testing.assert_close(exact(dbn)[1], expected)


def test_one_layer_is_an_rbm() -> None:
    dbn = trained(make((5,), **FAST), 100)
    estimate, machine = dbn.log_likelihood(images(EVERY)), layers_of(dbn)[0].rbm()
    assert estimate.kind == "exact"
    assert float(estimate.nats.double().logsumexp(0)) == pytest.approx(0.0, abs=1e-5)
    codes = boltzmann.hidden_probabilities(machine, EVERY)
    torch.testing.assert_close(dbn.encode(images(EVERY)), codes)
    torch.testing.assert_close(dbn.decode(codes).flatten(1), boltzmann.visible_means(machine, codes))


def test_samples_have_the_exact_distribution() -> None:
    dbn = trained(make(up_down={"steps": 40}, sample_steps=30, **FAST), 120)
    p = dbn.sample(20_000).flatten(1)
    found = torch.stack([torch.where(v == 1, p, 1 - p).prod(1).mean() for v in EVERY])
    assert (found - exact(dbn)[0].exp()).abs().sum() / 2 < 0.02


def test_large_machines_are_annealed_and_the_bracket_holds_the_bound() -> None:
    """The top machine has 21 x 24 units, but only three hidden ones are connected, so log Z is known exactly."""
    dbn = make((21, 24), ais={"num_temperatures": 500}, pretraining_steps=1, bound_samples=50)
    trained(dbn, 2)
    top = layers_of(dbn)[1].rbm()
    top.weight.zero_()[:, :3] = torch.randn(21, 3, generator=torch.Generator().manual_seed(0))
    small = RBMParameters(top.weight[:, :3], top.visible_bias, top.hidden_bias[:3])
    z = float(boltzmann.log_partition(small)) + float(torch.nn.functional.softplus(top.hidden_bias[3:]).sum())
    estimate = dbn.log_likelihood(images(EVERY))
    (layer,), draws = directed_of(dbn), torch.Generator().manual_seed(0)
    samples = [belief_layers.recognize([layer], EVERY, draws) for _ in range(200)]
    bounds = [belief_layers.log_weights([layer], x) - boltzmann.free_energy(top, x[-1]) for x in samples]
    expected = float(torch.stack(bounds).mean()) - z
    assert estimate.kind == "bound by ais"
    assert estimate.low is not None
    assert estimate.high is not None
    mean = float(estimate.nats.mean())
    assert mean - estimate.low - 0.3 <= expected <= mean + estimate.high + 0.3
    assert abs(mean - expected) < 0.6


@pytest.mark.learning
def test_two_layers_learn_a_distribution() -> None:
    """The log-likelihood comes within 0.1 nat of the true distribution's, by enumeration."""
    options = {"learning": {"lr": {"start": 0.1, "end": 0.0, "steps": 800}}, "pretraining_steps": 800}
    dbn = make((6, 6), up_down={"steps": 400, "lr": {"start": 0.05, "end": 0.0, "steps": 400}}, **options)
    for i in range(2_000):
        dbn.update(batch(60, seed=i % 50))
    v = (torch.cat([batch(60, seed=i).images for i in range(50)]) == 255).float().flatten(1)
    states = (v @ torch.tensor([8.0, 4, 2, 1])).long()
    white = v.sum(1)
    p = 0.5 * (0.2**white * 0.8 ** (4 - white) + 0.8**white * 0.2 ** (4 - white))
    assert float(exact(dbn)[0][states].mean()) > float(p.log().mean()) - 0.1


def test_without_chains_samples_begin_at_halves() -> None:
    """The weights are so large that no sweep changes a unit."""
    dbn = make(layers=(4,), learning={"chains": {"name": "contrastive"}})
    top = layers_of(dbn)[0].rbm()
    top.weight.copy_(200 * torch.eye(4))
    top.visible_bias.fill_(-100.0), top.hidden_bias.fill_(-100.0)
    white = dbn.sample(1_000).flatten(1)
    assert set(white.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(white.mean(0), torch.full((4,), 0.5), atol=0.06, rtol=0)


def test_shapes_before_the_first_update_and_after_each_layer() -> None:
    dbn = make(**ALL)
    for interface in (HasLikelihood, HasReconstruction, HasEncoder, HasClassifier):
        assert isinstance(dbn, interface)
    for updates, codes in ((0, 3), (3, 3), (1, 2), (5, 2)):
        trained(dbn, updates)
        assert dbn.encode(images(EVERY)).shape == (16, codes)
        for outputs in (dbn.sample(16), dbn.reconstruct(images(EVERY))):
            assert outputs.shape == (16, 1, 2, 2)
            assert 0 <= outputs.min() <= outputs.max() <= 1
        assert not math.isnan(float(dbn.log_likelihood(images(EVERY)).nats.sum()))
