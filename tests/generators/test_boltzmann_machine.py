"""The Boltzmann machine: temperatures of both phases, an update by hand, the exact likelihood, and learning."""

import itertools
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.boltzmann_machine import BoltzmannMachine, BoltzmannMachineConfig, MachineState
from sandbox.interfaces.capabilities import HasLikelihood
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.ops import boltzmann_machine

SPEC = Spec((1, 2, 3))
EVERY = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6))).view(64, *SPEC.shape)


def make(spec: Spec = SPEC, **options: Any) -> BoltzmannMachine:
    given = {"hidden_size": 3, "num_chains": 30, **options}
    return BoltzmannMachineConfig.model_validate(given).make(spec, Rng(0), choose("cpu"), NO_RUNS)


def batch(count: int = 8, seed: int = 0) -> torch.Tensor:
    rows = torch.randint(64, (count,), generator=torch.Generator().manual_seed(seed))
    return (EVERY[rows] * 255).to(torch.uint8)


def state(machine: BoltzmannMachine) -> MachineState:
    part = machine.parts()["machine"]
    assert isinstance(part, MachineState)
    return part


def constant(value: float) -> dict[str, float]:
    return {"start": value, "end": value}


def test_both_phases_cool_alike_and_only_one_is_clamped(monkeypatch: pytest.MonkeyPatch) -> None:
    """An update calls `anneal` with the same temperatures in both phases."""
    tape, real = [], boltzmann_machine.anneal

    def spy(machine: Any, s: torch.Tensor, temperatures: Any, clamped: int, generator: torch.Generator) -> torch.Tensor:
        tape.append((tuple(s.shape), tuple(temperatures), clamped))
        return real(machine, s, temperatures, clamped, generator)

    monkeypatch.setattr(boltzmann_machine, "anneal", spy)
    make(temperatures=[5.0, 2.0, 1.0]).update(batch())
    assert tape == [((8, 9), (5.0, 2.0, 1.0), 6), ((30, 9), (5.0, 2.0, 1.0), 0)]


def test_one_update_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """W and b move by lr times the gap of the two phases' statistics; the weights decay, the biases do not."""
    machine = make(lr=constant(0.1), weight_decay=0.2)
    machine.update(batch())
    before, cooled, real = [tensor.clone() for tensor in state(machine).machine()], [], boltzmann_machine.anneal
    monkeypatch.setattr(boltzmann_machine, "anneal", lambda *a: cooled.append(real(*a)) or cooled[-1])
    metrics = machine.update(batch(seed=1))
    data, model = cooled
    assert torch.equal(data[:, :6], (batch(seed=1) == 255).float().flatten(1))
    assert torch.equal(state(machine).chains, model)
    together = torch.einsum("bi,bj->ij", data, data) / 8 - torch.einsum("bi,bj->ij", model, model) / 30
    off_diagonal = 1 - torch.eye(9)
    weight, bias = state(machine).machine()
    torch.testing.assert_close(weight, before[0] + 0.1 * (together * off_diagonal - 0.2 * before[0]))
    torch.testing.assert_close(bias, before[1] + 0.1 * (data.mean(0) - model.mean(0)))
    old = boltzmann_machine.BoltzmannParameters(*before)
    gap = boltzmann_machine.energy(old, data).mean() - boltzmann_machine.energy(old, model).mean()
    torch.testing.assert_close(metrics["loss"], gap)


def test_the_weights_stay_symmetric_without_a_diagonal() -> None:
    machine = make(weight_decay=0.01)
    for seed in range(30):
        machine.update(batch(seed=seed))
    weight = state(machine).machine().weight
    assert torch.equal(weight, weight.T)
    assert not weight.diagonal().any()


def test_the_weights_are_small_at_first() -> None:
    weight = MachineState(300, 1).machine().weight
    assert float(weight[~torch.eye(300, dtype=torch.bool)].std()) == pytest.approx(0.01, rel=0.02)


def test_starts_at_the_log_odds_of_the_first_batch() -> None:
    machine = make(lr=constant(0.0))
    machine.update(batch())
    machine.update(batch(seed=1))
    expected = torch.logit(((batch() == 255).sum(0) + 1) / 10).flatten()
    torch.testing.assert_close(state(machine).machine().bias[:6], expected)
    assert not state(machine).machine().bias[6:].any()


@pytest.mark.parametrize("hidden_size", [0, 3])
def test_the_exact_likelihood_sums_to_one(hidden_size: int) -> None:
    machine = make(hidden_size=hidden_size)
    for seed in range(50):
        machine.update(batch(seed=seed))
    estimate = machine.log_likelihood(EVERY)
    assert estimate.kind == "exact"
    assert estimate.nats.shape == (64,)
    assert estimate.nats.double().logsumexp(0).item() == pytest.approx(0.0, abs=1e-5)
    torch.testing.assert_close(machine.log_likelihood((EVERY * 255).to(torch.uint8)).nats, estimate.nats)


def test_too_large_for_an_exact_likelihood() -> None:
    with pytest.raises(UserError, match=r"2\*\*67 states"):
        make(Spec((1, 8, 8))).log_likelihood(torch.zeros(2, 1, 8, 8))


@pytest.mark.learning
def test_learns_a_parity_that_needs_hidden_units() -> None:
    """Three pixels, an even number of them white: the optimum is -1.39 nats. Independent pixels have -2.08."""
    spec, even = Spec((1, 1, 3)), torch.tensor([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=torch.uint8) * 255
    images = even.view(4, 1, 1, 3)
    reached = {}
    for hidden_size in (0, 6):
        lr = {"start": 1.0, "end": 0.1, "steps": 900}
        machine = make(spec, hidden_size=hidden_size, num_chains=200, lr=lr, temperatures=[2.0, 1.0, 1.0])
        for _ in range(900):
            machine.update(images.repeat(20, 1, 1, 1))
        reached[hidden_size] = float(machine.log_likelihood(images).nats.mean())
    assert reached[0] == pytest.approx(-2.08, abs=0.1)
    assert reached[6] > -1.7
    samples = machine.sample(400).flatten(1)
    assert (samples.sum(1) % 2 == 0).double().mean() > 0.7  # by chance: half
    assert set(samples.unique().tolist()) == {0.0, 1.0}


def test_chains_keep_their_number_and_looking_changes_nothing() -> None:
    machine, twin = make(), make()
    assert isinstance(machine, HasLikelihood)
    assert machine.sample(70).shape == (70, *SPEC.shape)
    for size in (8, 3, 50):
        ours, theirs = machine.update(batch(size)), twin.update(batch(size))
        assert {k: float(v) for k, v in ours.items()} == {k: float(v) for k, v in theirs.items()}
        assert state(machine).chains.shape == (30, 9)
        machine.sample(5)
    assert torch.equal(state(machine).chains, state(twin).chains)


def test_a_schedule_that_stays_warm_is_refused() -> None:
    with pytest.raises(ValidationError) as refused:
        BoltzmannMachineConfig.model_validate({"temperatures": [3.0, 2.0]})
    assert str(refused.value.errors()[0]["ctx"]["error"]) == (
        "the last temperature is 2, but the machine's own distribution is that at 1; end the schedule with 1"
    )


@pytest.mark.parametrize("ask", [BoltzmannMachine.update, BoltzmannMachine.log_likelihood])
def test_gray_images_are_refused(ask: Any) -> None:
    gray = batch()
    gray[3, 0, 1, 1] = 100
    with pytest.raises(UserError) as refused:
        ask(make(), gray)
    assert str(refused.value) == (
        "generator.name=boltzmann_machine has binary units, but these images are gray. "
        "Add data.binarize=threshold (black and white) or data.binarize=sample (each gray value is a probability)."
    )
