"""The components that agents hold: frame stack and policy."""

import numpy as np
import pytest
import torch

from sandbox.agents._frame_stack import FrameStack
from sandbox.agents._policy import EpsilonGreedyPolicy
from sandbox.agents._q_network import QNetwork
from sandbox.config.schedules import ApexEpsilon, Linear
from sandbox.core.rng import Rng
from sandbox.interfaces.spec import Spec
from sandbox.networks.mlp import MLP

CPU = torch.device("cpu")


@pytest.mark.parametrize(("is_bytes", "dtype"), [(True, torch.uint8), (False, torch.float32)])
def test_a_stack_is_the_last_observations_the_oldest_first_after_zeros(is_bytes: bool, dtype: torch.dtype) -> None:
    frames = FrameStack(Spec((2, 3), is_bytes=is_bytes), 3, CPU)
    state = frames.initial_state(1)
    assert frames.shape == (6, 3)
    assert (state.shape, state.dtype, int(state.sum())) == ((1, 4, 3), dtype, 0)
    for number, expected in enumerate(([0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4]), start=1):
        observations = torch.full((1, 2, 3), number, dtype=dtype).numpy()
        stack, state = frames.push(observations, state)
        assert stack[0, ::2, 0].tolist() == stack[0, 1::2, 2].tolist() == expected
        assert state.tolist() == stack[:, 2:].tolist()


def test_a_stack_of_one_has_no_state() -> None:
    frames = FrameStack(Spec((4,), is_bytes=False), 1, CPU)
    stack, state = frames.push(np.ones((2, 4), np.float32), frames.initial_state(2))
    assert stack.tolist() == [[1.0] * 4] * 2
    assert state.shape == (2, 0)


def policy(schedule: Linear | ApexEpsilon, rng: Rng | None = None, evaluation: float = 0.0) -> EpsilonGreedyPolicy:
    return EpsilonGreedyPolicy(schedule, evaluation, rng or Rng(0), CPU)


def test_exploring_follows_the_schedule_by_the_steps_of_all_environments() -> None:
    q = torch.eye(4)[torch.zeros(8_000, dtype=torch.int64)]
    ours = policy(Linear(start=1.0, end=0.0, steps=16_000))
    for epsilon in (1.0, 0.5, 0.0, 0.0):
        assert ours.epsilon(explore=True) == ours.mean_epsilon == epsilon
        assert (ours.act(q, explore=True) != 0).float().mean() == pytest.approx(0.75 * epsilon, abs=0.02)


def test_evaluation_has_a_constant_epsilon_and_generators_of_its_own() -> None:
    q, rng = torch.eye(4)[torch.zeros(8_000, dtype=torch.int64)], Rng(0)
    ours = policy(Linear(start=1.0, end=0.0, steps=10), rng, evaluation=0.4)
    _, before = rng.state_dict()["torch"]["explore"]
    for _ in range(2):
        assert (ours.act(q, explore=False) != 0).float().mean() == pytest.approx(0.3, abs=0.02)
    assert torch.equal(rng.state_dict()["torch"]["explore"][1], before)
    assert (ours.epsilon(explore=False), ours.epsilon(explore=True)) == (0.4, 1.0)


def test_the_mean_epsilon_is_over_the_environments_that_explored_last() -> None:
    ours, q = policy(ApexEpsilon(base=0.5, exponent=2)), torch.zeros(3, 2)
    ours.act(q, explore=True)
    ours.act(q[:1], explore=False)
    assert ours.mean_epsilon == (0.5 + 0.25 + 0.125) / 3
    assert ours.epsilon(explore=True) == 0.5


def test_a_sample_counts_no_step() -> None:
    ours = policy(Linear(start=1.0, end=0.0, steps=10))
    ours.sample(torch.zeros(5, 2))
    assert ours.state_dict()["steps"] == 0
    ours.act(torch.zeros(5, 2), explore=True)
    assert ours.state_dict()["steps"] == 5


@pytest.mark.parametrize("explore", [True, False])
def test_a_network_is_called_only_where_an_action_needs_its_values(explore: bool) -> None:
    """The actions are those of `act` by the same values, and so are the random numbers and the counted steps."""
    network, calls = QNetwork(MLP(hidden=(4,)), (3,), 2), []
    network.register_forward_hook(lambda *call: calls.append(call))
    lazy, plain = (policy(Linear(start=0.6, end=0.6), evaluation=0.6) for _ in range(2))
    for observations in torch.randn(60, 2, 3):
        with torch.no_grad():
            q = network(observations)
            before = len(calls)
            actions = lazy.act_by(lambda x=observations: network(x), (2, 2), explore=explore)
        assert torch.equal(actions, plain.act(q, explore=explore))
        assert lazy.state_dict() == plain.state_dict()
        assert len(calls) - before <= 1
    assert 60 < len(calls) < 120  # each network input was passed once above: 36 % need no values


def test_a_restored_policy_goes_on_as_the_saved_one() -> None:
    saved, other = (policy(Linear(start=1.0, end=0.0, steps=100)) for _ in range(2))
    saved.act(torch.zeros(30, 2), explore=True)
    other.load_state_dict(saved.state_dict())
    assert other.epsilon(explore=True) == 0.7
    assert other.mean_epsilon == saved.mean_epsilon


def test_exploration_in_some_of_all_environments_has_their_epsilons() -> None:
    """Environments 2 and 3 of 4 explore by Ape-X's 0.4^(1 + 7 i / (N - 1))."""
    policy = EpsilonGreedyPolicy(ApexEpsilon(base=0.4), 0.0, Rng(0), torch.device("cpu"))
    policy.begin_at(100, 2, 4)
    values = torch.zeros(2, 5)
    values[:, 3] = 1.0
    others = torch.stack([(policy.act(values, explore=True) != 3).float() for _ in range(3_000)]).mean(0)
    expected = 0.8 * 0.4 ** (1 + 7 * torch.tensor([2.0, 3.0]) / 3)
    torch.testing.assert_close(others, expected, atol=0.004, rtol=0)
    assert policy.mean_epsilon == pytest.approx(sum(0.4 ** (1 + 7 * i / 3) for i in range(4)) / 4)
