"""Steps by hand, and the layouts that a fused kernel must not mix up."""

import copy
import json
from itertools import pairwise
from math import sqrt

import pytest
import torch
from torch import nn

from sandbox.agents.dqn import DQNConfig
from sandbox.cli._describe import sections
from sandbox.config.base import Config
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.base import Optimizer
from sandbox.optimizers.centered_rmsprop import CenteredRMSProp
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.runs.resolve import resolve

EITHER = pytest.mark.parametrize("config", [Adam(lr=0.1), CenteredRMSProp(lr=0.1)], ids=lambda c: c.name)

CPU = Compute(torch.device("cpu"))


def test_adams_first_step_is_the_learning_rate() -> None:
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    Adam(lr=0.1).make([weight], CPU).minimize((3 * weight).sum())
    torch.testing.assert_close(weight.detach(), torch.tensor([0.9, -2.1]))


def test_only_its_own_parameters_get_gradients() -> None:
    mine, other = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    Adam().make([mine], CPU).minimize((mine * other).sum())
    assert other.grad is None
    assert other.item() == 1


def test_clipping_limits_the_norm() -> None:
    weight = nn.Parameter(torch.zeros(2))
    optimizer = Adam(clip_norm=1.0, lr=1.0, eps=1.0).make([weight], CPU)
    optimizer.minimize((torch.tensor([30.0, 40.0]) * weight).sum())
    # Adam's first step is lr * g / (|g| + eps) with g clipped to (0.6, 0.8)
    torch.testing.assert_close(weight.detach(), torch.tensor([-0.6 / 1.6, -0.8 / 1.8]))


@pytest.mark.parametrize("restored", [False, True])
def test_channels_last_weights_step_like_plain_adam(restored: bool) -> None:
    """Fused kernels walk memory: a moment in another layout than its weight would be applied to the wrong places."""
    plain = nn.Conv2d(3, 5, 4)
    ours = nn.Conv2d(3, 5, 4).to(memory_format=torch.channels_last)
    ours.load_state_dict(plain.state_dict())
    optimizer, reference = Adam(lr=0.1).make(ours.parameters(), CPU), torch.optim.Adam(plain.parameters(), 0.1)
    images = torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    for _ in range(3):
        optimizer.minimize(ours(images).square().sum())
        reference.zero_grad()
        plain(images).square().sum().backward()
        reference.step()
        if restored:
            state = optimizer.state_dict()
            flat = {
                i: {k: v.clone(memory_format=torch.contiguous_format) for k, v in s.items()}
                for i, s in state["state"].items()
            }
            optimizer = Adam(lr=0.1).make(ours.parameters(), CPU)
            optimizer.load_state_dict({**state, "state": flat})
    for a, b in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_gradient_in_another_layout_reaches_the_right_weights() -> None:
    weight = nn.Parameter(torch.zeros(2, 3, 4, 4).to(memory_format=torch.channels_last))
    signs = torch.where(torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0)) < 0.5, -1.0, 1.0)
    Adam(lr=0.1).make([weight], CPU).minimize((weight * signs).sum())
    torch.testing.assert_close(weight.detach(), -0.1 * signs)


def test_centered_rmsprop_by_hand() -> None:
    """Two steps with gradients 3 and -1: g / sqrt(E[g^2] - E[g]^2 + 0.01), both averages from zero."""
    weight = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = CenteredRMSProp().make([weight], CPU)
    # E[g] = 0.05 * 3 = 0.15; E[g^2] = 0.05 * 9 = 0.45; the root is of 0.45 - 0.0225 + 0.01 = 0.4375
    optimizer.minimize((3 * weight).sum())
    first = 1 - 2.5e-4 * 3 / sqrt(0.4375)
    torch.testing.assert_close(weight.item(), first, rtol=0, atol=1e-12)
    # E[g] = 0.95 * 0.15 - 0.05 = 0.0925; E[g^2] = 0.95 * 0.45 + 0.05 = 0.4775; 0.4775 - 0.00855625 + 0.01 = 0.47894375
    optimizer.minimize((-1 * weight).sum())
    torch.testing.assert_close(weight.item(), first + 2.5e-4 / sqrt(0.47894375), rtol=0, atol=1e-12)


def test_centered_rmsprops_options_by_hand() -> None:
    weight = nn.Parameter(torch.tensor([0.0], dtype=torch.float64))
    config = CenteredRMSProp(lr=0.1, decay=0.5, min_squared_gradient=0.75, clip_norm=2.0)
    config.make([weight], CPU).minimize((30 * weight).sum())
    # g is clipped to 2; E[g] = 1, E[g^2] = 2, so the root is of 2 - 1 + 0.75
    torch.testing.assert_close(weight.item(), -0.1 * 2 / sqrt(1.75), rtol=0, atol=1e-6)


@pytest.mark.parametrize("restored", [False, True])
def test_the_learning_rate_falls_to_zero_in_a_straight_line(restored: bool) -> None:
    """Adam's steps under a constant gradient are the learning rate; a checkpoint goes on with it."""
    weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = Adam(lr=0.4, lr_decay_steps=4).make([weight], CPU)
    places = [0.0]
    for _ in range(6):
        optimizer.minimize(-weight.sum())
        places.append(weight.item())
        if restored:
            state = copy.deepcopy(optimizer.state_dict())
            optimizer = Adam(lr=0.4, lr_decay_steps=4).make([weight], CPU)
            optimizer.load_state_dict(state)
    steps = [after - before for before, after in pairwise(places)]
    assert steps == pytest.approx([0.4, 0.3, 0.2, 0.1, 0, 0], abs=1e-7)


def test_centered_rmsprops_falls_too() -> None:
    """The first steps are lr * 3 / sqrt(0.4375), of the test above, then half of that lr, then nothing."""
    weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = CenteredRMSProp(lr_decay_steps=2).make([weight], CPU)
    places = [0.0]
    for _ in range(4):
        optimizer.minimize((3 * weight).sum())
        places.append(weight.item())
    steps = [before - after for before, after in pairwise(places)]
    # E[g] = 0.95 * 0.15 + 0.15 = 0.2925; E[g^2] = 0.95 * 0.45 + 0.45 = 0.8775; 0.8775 - 0.08555625 + 0.01 = 0.80194375
    assert steps[:2] == pytest.approx([2.5e-4 * 3 / sqrt(0.4375), 1.25e-4 * 3 / sqrt(0.80194375)])
    assert steps[2:] == [0, 0]


def test_large_gradients_without_variance_stay_finite() -> None:
    """E[g^2] - E[g]^2 is then the difference of two large equal numbers, and rounding makes it negative."""
    gradients = torch.logspace(1, 6, 200)
    weight = nn.Parameter(torch.zeros(200))
    optimizer = CenteredRMSProp().make([weight], CPU)
    for _ in range(400):
        optimizer.minimize((gradients * weight).sum())
    assert weight.isfinite().all()


@EITHER
def test_a_restored_optimizer_goes_on_exactly(config: Adam | CenteredRMSProp) -> None:
    """Also over a past of its own, and with weights in both layouts."""

    def start() -> tuple[nn.Module, Optimizer]:
        torch.manual_seed(0)
        conv = nn.Conv2d(3, 5, 4).to(memory_format=torch.channels_last)
        network = nn.Sequential(conv, nn.Flatten(), nn.Linear(180, 2))
        return network, config.make(network.parameters(), CPU)

    def go(network: nn.Module, optimizer: Optimizer, seeds: range) -> None:
        for seed in seeds:
            images = torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(seed))
            optimizer.minimize(network(images).square().sum())

    (whole, first), (resumed, second) = start(), start()
    go(whole, first, range(3))
    go(resumed, second, range(7, 9))
    resumed.load_state_dict(whole.state_dict())
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    go(whole, first, range(3, 6))
    go(resumed, second, range(3, 6))
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)


def test_centered_rmsprop_steps_alike_in_both_layouts() -> None:
    plain = nn.Conv2d(3, 5, 4)
    ours = nn.Conv2d(3, 5, 4).to(memory_format=torch.channels_last)
    ours.load_state_dict(plain.state_dict())
    pairs = [(network, CenteredRMSProp(lr=0.1).make(network.parameters(), CPU)) for network in (plain, ours)]
    images = torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    for _ in range(3):
        for network, optimizer in pairs:
            optimizer.minimize(network(images).square().sum())
    for a, b in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a, b)


class Holder(Config):
    optimizer: AnyOptimizer = Adam(lr=3.0)


@pytest.mark.parametrize(
    ("section", "meant"),
    [
        ({}, Adam()),
        ({"lr": 0.5, "betas": [0.5, 0.9]}, Adam(lr=0.5, betas=(0.5, 0.9))),
        ({"name": "adam", "clip_norm": 1}, Adam(clip_norm=1)),
        ({"name": "centered_rmsprop", "decay": 0.9}, CenteredRMSProp(decay=0.9)),
    ],
)
def test_the_name_chooses_and_none_is_adam(section: dict, meant: Config) -> None:
    held = Holder.model_validate_json(json.dumps({"optimizer": section}), strict=True)
    assert held.optimizer == meant
    assert Holder.model_validate_json(held.model_dump_json(), strict=True) == held
    assert Holder.model_validate({"optimizer": section}) == held


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("name=adan", "unknown optimizer 'adan'. Did you mean 'adam'? Known: adam, centered_rmsprop."),
        ("betas=[0.9]", "needs at least 2 values, got [0.9]."),
        ("betas=[0.9, 1.0]", "agent.optimizer.betas.1: needs a value < 1, got 1.0."),
        ("lr='3'", "needs a number, got '3'. Leave the quotes out."),
        ("lr=true", "needs a number, got true."),
        ("decay=0.9", "unknown option. Known: name, lr, betas, eps, clip_norm, lr_decay_steps."),
    ],
)
def test_mistakes(word: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        resolve([], ["steps=1", "env.name=catch", "agent.name=dqn", f"agent.optimizer.{word}"])
    assert str(error.value) == f"command line: agent.optimizer.{word}: {message}"


def test_adams_options_are_not_centered_rmsprops() -> None:
    section = "agent.optimizer={name: centered_rmsprop, eps: 0.1, min_squared_gradient: 0}"
    with pytest.raises(UserError) as error:
        resolve([], ["steps=1", "env.name=catch", "agent.name=dqn", section])
    known = "name, lr, decay, min_squared_gradient, clip_norm, lr_decay_steps"
    assert sorted(line.strip() for line in str(error.value).splitlines()[1:]) == [
        f"command line: {section}: agent.optimizer.eps: unknown option. Known: {known}.",
        f"command line: {section}: agent.optimizer.min_squared_gradient: needs a value > 0, got 0.",
    ]


def test_both_are_described_and_the_default_comes_first() -> None:
    described = [option for section in sections(DQNConfig, "agent") for option in section.options]
    ours = [option for option in described if option.path.startswith("agent.optimizer.")]
    named = [(option.path.split(".")[-1], option.default, option.description) for option in ours]
    adam = {name: field.description or "" for name, field in Adam.model_fields.items()}
    assert all(text for name, text in adam.items() if name != "name")
    instead = "with name=centered_rmsprop"
    assert named[:6] == [
        ("name", "adam", ""),
        ("lr", "0.00025", adam["lr"]),
        ("betas", "[0.9, 0.999]", adam["betas"]),
        ("eps", "1.0e-08", adam["eps"]),
        ("clip_norm", "null", adam["clip_norm"]),
        ("lr_decay_steps", "null", adam["lr_decay_steps"]),
    ]
    assert [(name, default) for name, default, _ in named[6:]] == [
        ("name", "centered_rmsprop"),
        ("lr", "0.00025"),
        ("decay", "0.95"),
        ("min_squared_gradient", "0.01"),
        ("clip_norm", "null"),
        ("lr_decay_steps", "null"),
    ]
    assert all(description.startswith(instead) for _, _, description in named[6:])
    assert [option.path for option in described if option.path.startswith("agent.backbone")] == ["agent.backbone"]


def test_value_and_grad_returns_results_without_gradients_and_the_gradients() -> None:
    weight = nn.Parameter(torch.tensor([2.0, 3.0]))
    optimizer = Adam().make([weight], CPU)
    results, gradients = optimizer.metrics_and_gradients(lambda x: ((x * weight).sum(), (weight.prod(), x + weight)))(
        torch.tensor([5.0, 7.0])
    )
    assert [result.tolist() for result in results] == [6.0, [7.0, 10.0]]
    assert not any(result.requires_grad for result in results)
    assert [gradient.tolist() for gradient in gradients] == [[5.0, 7.0]]
