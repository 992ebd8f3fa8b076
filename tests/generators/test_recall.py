"""Recall: completions agree with the exact conditional by enumeration, known pixels stay, and damage is repaired."""

import itertools
from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.rng import Rng
from sandbox.generators._boltzmann.recall import RESTORING_SWEEPS, known_units, recall_means
from sandbox.generators.boltzmann_machine import BoltzmannMachine
from sandbox.generators.dbm import DBM
from sandbox.generators.dbn import DBN
from sandbox.generators.rbm import RBM
from sandbox.interfaces.capabilities import HasRecall
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops import boltzmann, boltzmann_machine
from sandbox.runs.registry import able
from sandbox.runs.resolve import member
from sandbox.streams.labeled import Labeled

SPEC = Spec((1, 2, 2))
EVERY = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)))
KNOWN = torch.tensor([[[True, False], [False, True]]])
IMAGE = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])  # its second and third pixel are not known
MACHINES: dict[str, dict[str, Any]] = {
    "boltzmann_machine": {"hidden_size": 3, "recall_steps": 60},
    "rbm": {"backbone": {"hidden": [3]}, "sample_steps": 60},
    "dbm": {"backbone": {"hidden": [3, 2, 2]}, "sample_steps": 60},
    "dbn": {"backbone": {"hidden": [3]}, "sample_steps": 60},
}


def make(name: str, spec: Spec = SPEC, **options: Any) -> Any:
    return member("generators", {"name": name, **options}, "generator").make(spec, Rng(0), choose("cpu"), NO_RUNS)


def log_p(machine: Any) -> torch.Tensor:
    """Draw large random weights for a machine; return log p of every image of four pixels, not normalized.

    The biases are nearly those that make each unit 0 and 1 equally likely, so that the pixels depend on each other.
    """
    draws = torch.Generator().manual_seed(1)
    match machine:
        case BoltzmannMachine():
            parameters = machine.parts()["machine"].machine()  # type: ignore[attr-defined]
            upper = 2 * torch.randn(7, 7, generator=draws).triu(1)
            parameters.weight.copy_(upper + upper.T)
            parameters.bias.copy_(0.2 - parameters.weight.sum(1) / 2)
            return boltzmann_machine.log_marginal(parameters, EVERY)
        case RBM() | DBN() | DBM():
            parts: Any = machine.parts()
            names = ["layer_1", "layer_2", "layer_3"] if isinstance(machine, DBM) else ["machine"]
            for layer in parts["layers"] if isinstance(machine, DBN) else [parts[name] for name in names]:
                weight, visible_bias, hidden_bias = layer.rbm()
                weight.copy_(2 * torch.randn(weight.shape, generator=draws))
                visible_bias.copy_(0.2 - weight.sum(1) / 2)
                hidden_bias.copy_(0.1 - weight.sum(0) / 2)
            if isinstance(machine, DBM):  # the units of the other even layer are summed out
                rows = [-boltzmann.free_energy(machine.rbm(), pixels(EVERY, even)) for even in EVERY[:4, 2:]]
                return torch.stack(rows).logsumexp(0)
            return -boltzmann.free_energy(
                (parts["layers"][0] if isinstance(machine, DBN) else parts["machine"]).rbm(), EVERY
            )
    raise AssertionError


def pixels(v: torch.Tensor, even: torch.Tensor) -> torch.Tensor:
    return torch.cat([v, even.expand(len(v), -1)], 1)


@pytest.mark.parametrize("name", MACHINES)
def test_a_completion_has_the_exact_conditional(name: str) -> None:
    """The mean of 4,000 chains is p(pixel = 1 | the known pixels), by enumeration; no chain moves a known pixel."""
    machine = make(name, **MACHINES[name])
    joint = log_p(machine)
    fits = (EVERY[:, 0] == 1) & (EVERY[:, 3] == 0)
    exact = joint[fits].softmax(0).float() @ EVERY[fits]
    assert (exact[1:3] - joint.softmax(0).float() @ EVERY[:, 1:3]).abs().max() > 0.05  # the known pixels matter
    completed = machine.recall(IMAGE.expand(4000, -1, -1, -1), KNOWN)
    torch.testing.assert_close(completed.mean(0).flatten(), exact, atol=0.01, rtol=0)
    assert torch.equal(completed[:, :, KNOWN[0]], IMAGE.expand(4000, -1, -1, -1)[:, :, KNOWN[0]])


@pytest.mark.parametrize("name", able("generators", HasRecall))
def test_known_pixels_stay_at_every_step(name: str) -> None:
    model, images = (
        make(name, Spec((1, 4, 4))),
        torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(0)).round(),
    )
    if name in ("hopfield", "modern_hopfield"):
        model.update((1 - images[:3]).mul(255).to(torch.uint8))
    known = torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(1)) < 0.5
    moved = False
    for number, state in enumerate(model.recall_steps(images, known)):
        assert torch.equal(state[known], images[known])
        moved |= bool((state != images).any())
        assert number or torch.equal(state, images)
    assert moved
    assert torch.equal(model.recall(images, torch.ones_like(known)), images)


def test_who_can_recall() -> None:
    assert able("generators", HasRecall) == [
        "boltzmann_machine", "dbm", "dbn", "hopfield", "modern_hopfield", "rbm",
    ]  # fmt: skip


def test_a_modern_network_begins_at_gray_where_nothing_is_known() -> None:
    """The two patterns agree in the known half, so the result is their mean; a black start would choose one."""
    dark = torch.tensor([[1.0, 1, 0, 0], [0, 0, 0, 0]])
    patterns = torch.stack([dark, dark + torch.tensor([[0.0], [1.0]])])[:, None]
    network = make("modern_hopfield", Spec((1, 2, 4)))
    network.update(patterns)
    known = torch.tensor([[[True] * 4, [False] * 4]])
    found = network.recall(patterns[:1], known)
    torch.testing.assert_close(found[0, 0], torch.tensor([[1.0, 1, 0, 0], [0.5, 0.5, 0.5, 0.5]]))
    torch.testing.assert_close(network.recall(patterns[:1])[0, 0], dark, atol=1e-3, rtol=0)


def test_half_of_a_pattern_brings_back_the_rest() -> None:
    patterns = torch.randint(2, (3, 1, 8, 8), generator=torch.Generator().manual_seed(0)).float()
    network = make("hopfield", Spec((1, 8, 8)), storage={"name": "projection"})
    network.update(patterns)
    known = torch.ones(1, 8, 8, dtype=torch.bool)
    known[:, 4:] = False
    assert torch.equal(network.recall(patterns * known, known), patterns)


@pytest.mark.parametrize("name", ["rbm", "dbm", "dbn", "boltzmann_machine"])
def test_a_machine_of_one_image_repairs_it(name: str) -> None:
    """After training on one image, a short chain from the image with two wrong pixels of sixteen ends at the image."""
    image = torch.tensor([[1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1]]).view(1, 1, 4, 4).float()
    images = torch.cat([image, 1 - image]).repeat(10, 1, 1, 1)
    lr = {"start": 0.2, "end": 0.2}
    options: dict[str, Any] = {
        "rbm": {"backbone": {"hidden": [8]}, "learning": {"lr": lr}},
        "dbn": {"backbone": {"hidden": [8]}, "learning": {"lr": lr}},
        "dbm": {"backbone": {"hidden": [8, 4]}, "pretraining_steps": 200, "pretraining": {"lr": lr},
                "learning": {"lr": {"start": 0.05, "end": 0.05}}},
        "boltzmann_machine": {"hidden_size": 4, "lr": lr},
    }[name]  # fmt: skip
    machine = make(name, Spec((1, 4, 4)), **options)
    for _ in range(500):
        machine.update(Labeled(images, None) if name in ("dbn", "dbm") else images)
    damaged = image.clone()
    damaged[..., 0, 0], damaged[..., 2, 3] = 0.0, 1.0
    assert torch.equal(machine.recall(damaged).round(), image)


def test_the_second_half_of_the_sweeps_is_averaged() -> None:
    v = torch.zeros(1, 1)
    sweeps = (torch.full((1, 1), float(i)) for i in range(1, 100))
    shown = [float(means) for means in recall_means(v, sweeps, torch.ones(1, 1, 1, dtype=torch.bool), 5)]
    assert shown == [0, 1, 2, 3, 3.5, 4]
    sweeps = (torch.full((1, 1), float(i)) for i in range(1, 100))
    assert len(list(recall_means(v, sweeps, None, 50))) == 1 + RESTORING_SWEEPS


def test_the_shape_of_the_known_pixels() -> None:
    images = torch.zeros(2, 1, 2, 2)
    assert known_units(None, images, torch.device("cpu")).tolist() == [[False] * 4] * 2
    assert known_units(KNOWN, images, torch.device("cpu")).tolist() == [[True, False, False, True]] * 2
    with pytest.raises(ValueError, match=r"one truth value for each pixel, \[1, 2, 2\] or \[2, 1, 2, 2\]") as refused:
        known_units(torch.ones(2, 2, dtype=torch.bool), images, torch.device("cpu"))
    assert str(refused.value).endswith("but this is torch.bool [2, 2]")
