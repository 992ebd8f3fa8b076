"""Sarsa against hand-made numbers, the exact values of its own policy."""

from typing import Any

import numpy as np
import pytest
import torch

from sandbox.agents._q_table import StepSize
from sandbox.agents.sarsa import Sarsa, SarsaConfig
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.environments.interaction import EnvStep
from sandbox.envs.grid_world import GridWorldConfig, Model, model, policy_values
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.streams.rollouts import RolloutsConfig
from sandbox.training.loop import Run

CPU = Compute(torch.device("cpu"))
HALF = StepSize(start=0.5, power=0.0)
VALUES = torch.tensor([[0.0, 0.0], [2.0, 5.0], [7.0, 3.0]], dtype=torch.float64)


def constant(epsilon: float) -> Linear:
    return Linear(start=epsilon, end=epsilon, steps=1)


def make(**options: Any) -> Sarsa:
    """Three states, two actions, `VALUES` in the table."""
    options = {"discount": 0.8, "step_size": HALF, **options}
    agent = SarsaConfig(**options).make(Spec((3,), is_bytes=False, num_actions=2), Rng(0), CPU, NO_RUNS)
    agent.parts()["table"].q[:] = VALUES
    return agent


def step(s_tm1: list[int], a_tm1: list[int], r_t: list[float], s_t: list[int], ends: str | None = None) -> EnvStep:
    """One step of N environments of three states; it may end by `terminated` or by `truncated`, everywhere."""
    looks, no = np.eye(3, dtype=np.float32), np.zeros(len(s_tm1), bool)
    rewards = np.array(r_t, np.float32)
    return EnvStep(
        looks[s_tm1], np.array(a_tm1), rewards, no | (ends == "terminated"), no | (ends == "truncated"), looks[s_t]
    )


def inner(mdp: Model) -> np.ndarray:
    """The cells [S] bool that can be reached and where something follows."""
    reached = np.arange(len(mdp.absorbing)) == mdp.start
    for _ in reached:
        reached |= mdp.transitions[reached & ~mdp.absorbing].sum((0, 1)) > 0
    return reached & ~mdp.absorbing


def learn(env: GridWorldConfig, config: SarsaConfig, steps: int, seed: int) -> Sarsa:
    rng = Rng(seed)
    agent = config.make(spec_of(env.make(1)), rng, CPU, NO_RUNS)
    stream = config.stream.make(env.make, agent, rng, CPU)
    for _ in Run(agent, stream, rng).steps():
        if stream.step >= steps:
            break
    return agent


def error(env: GridWorldConfig, agent: Sarsa, config: SarsaConfig) -> float:
    """The largest distance from Q^pi, pi being epsilon-greedy in the final table, at the final epsilon."""
    mdp, q = model(env), agent.parts()["table"].q.numpy()
    epsilon = config.exploration.end
    policy = np.full(q.shape, epsilon / q.shape[1])
    policy[np.arange(len(q)), q.argmax(1)] += 1 - epsilon
    return float(np.abs(q - policy_values(mdp, policy, config.discount))[inner(mdp)].max())


def test_a_step_is_learned_when_the_next_action_is_known() -> None:
    agent = make()
    first = agent.update([step([0], [1], [1.0], [1])])
    assert torch.equal(agent.parts()["table"].q, VALUES)
    assert first["loss"] == 0
    second = agent.update([step([1], [0], [0.0], [2])])
    # 1 + 0.8 * q[1, 0] - 0 = 2.6, half of which is learned; the best action (5) was not taken
    torch.testing.assert_close(agent.parts()["table"].q[0], torch.tensor([0.0, 1.3], dtype=torch.float64))
    assert torch.equal(agent.parts()["table"].q[1:], VALUES[1:])
    assert second["loss"] == pytest.approx(2.6**2)
    assert agent.parts()["table"].visits.tolist() == [[0, 1], [0, 0], [0, 0]]


def test_steps_of_one_batch_and_of_several_are_learned_alike() -> None:
    steps = [
        step([0], [1], [1.0], [1]),
        step([1], [0], [0.0], [2]),
        step([2], [1], [4.0], [0]),
        step([0], [0], [0], [0]),
    ]
    together, apart = make(), make()
    together.update(steps)
    for each in steps:
        apart.update([each])
    assert torch.equal(together.parts()["table"].q, apart.parts()["table"].q)
    assert int(together.parts()["table"].visits.sum()) == 3


def test_nothing_follows_termination() -> None:
    agent = make()
    agent.update([step([0], [1], [1.0], [1], "terminated"), step([2], [0], [0.0], [2])])
    assert agent.parts()["table"].q[0].tolist() == [0, 0.5]


def test_truncation_bootstraps_from_an_action_chosen_at_the_true_last_observation() -> None:
    """The next episode begins in state 2 with action 0; greedily, the policy would have taken 1 in state 1."""
    agent = make(exploration=constant(0.0))
    agent.update([step([0], [1], [1.0], [1], "truncated"), step([2], [0], [0.0], [2])])
    assert agent.parts()["table"].q[0].tolist() == [0, 2.5]


def test_that_action_is_the_exploring_policys() -> None:
    """At epsilon 1 the two actions are chosen equally often: 1 + 0.8 * (2 + 5) / 2."""
    agent = make(exploration=constant(1.0), step_size=StepSize(power=0.0))
    streams = 4_000
    agent.update([step([0] * streams, [1] * streams, [1.0] * streams, [1] * streams, "truncated")])
    agent.update([step([2] * streams, [0] * streams, [0.0] * streams, [2] * streams)])
    assert float(agent.parts()["table"].q[0, 1]) == pytest.approx(3.8, abs=0.06)


def test_the_waiting_step_is_part_of_the_checkpoint() -> None:
    agent, other = make(), make()
    agent.update([step([0], [1], [1.0], [1])])
    for name, part in agent.parts().items():
        other.parts()[name].load_state_dict(part.state_dict())
    other.update([step([1], [0], [0.0], [2])])
    assert float(other.parts()["table"].q[0, 1]) == pytest.approx(1.3)


def test_pixels_are_refused_when_the_agent_is_made() -> None:
    with pytest.raises(UserError, match=r"agent sarsa keeps a table .* Set env\.observe=features"):
        SarsaConfig().make(spec_of(GridWorldConfig().make(1)), Rng(0), CPU, NO_RUNS)


def test_numbers_that_are_not_one_hot_are_refused_when_seen() -> None:
    with pytest.raises(UserError, match=r"Set env\.observe=features"):
        make().act(np.array([[0.2, 0.1, 0.0]], np.float32), None, explore=True)


def test_it_values_the_policy_that_plays() -> None:
    """Without slips, half of the actions random."""
    env = GridWorldConfig(observe="features", slip=0.0)
    config = SarsaConfig(
        discount=0.5,
        step_size=StepSize(start=4.0, power=1.0),
        exploration=constant(0.5),
        stream=RolloutsConfig(num_envs=1024),
    )
    assert error(env, learn(env, config, 1_000_000, seed=0), config) < 1e-2


@pytest.mark.learning
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_table_becomes_the_exact_values_of_its_policy(seed: int) -> None:
    """Russell and Norvig's grid, half of the actions random."""
    env = GridWorldConfig(observe="features")
    config = SarsaConfig(
        discount=0.9,
        step_size=StepSize(start=4.0, power=1.0),
        exploration=constant(0.5),
        stream=RolloutsConfig(num_envs=8192),
    )
    assert error(env, learn(env, config, 60_000_000, seed), config) < 1e-2
