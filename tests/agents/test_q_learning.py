"""Q-learning against hand-made numbers, the exact values of grid worlds."""

from typing import Any

import numpy as np
import pytest
import torch

from sandbox.agents._q_table import StepSize
from sandbox.agents.q_learning import QLearning, QLearningConfig
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.environments.interaction import EnvStep
from sandbox.envs.catch import CatchConfig
from sandbox.envs.grid_world import GridWorldConfig, Model, model, optimal_values
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.streams.rollouts import RolloutsConfig
from sandbox.training.loop import Run

CPU = Compute(torch.device("cpu"))
ALWAYS = Linear(start=1.0, end=1.0, steps=1)  # uniformly random play
HALF = StepSize(start=0.5, power=0.0)


def make(spec: Spec | None = None, **options: Any) -> QLearning:
    return QLearningConfig(**options).make(spec or Spec((3,), is_bytes=False, num_actions=2), Rng(0), CPU, NO_RUNS)


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


def learn(env: GridWorldConfig, config: QLearningConfig, steps: int, seed: int) -> QLearning:
    rng = Rng(seed)
    agent = config.make(spec_of(env.make(1)), rng, CPU, NO_RUNS)
    stream = config.stream.make(env.make, agent, rng, CPU)
    for _ in Run(agent, stream, rng).steps():
        if stream.step >= steps:
            break
    return agent


def error(env: GridWorldConfig, agent: QLearning, discount: float) -> float:
    """The largest distance from Q*."""
    mdp = model(env)
    return float(np.abs(agent.parts()["table"].q.numpy() - optimal_values(mdp, discount))[inner(mdp)].max())


def test_values_move_by_hand() -> None:
    agent = make(discount=0.8, step_size=HALF)
    agent.parts()["table"].q[1] = torch.tensor([2.0, 5.0])
    metrics = agent.update([step([0], [1], [1.0], [1])])
    # 1 + 0.8 * 5 - 0 = 5, half of which is learned
    assert agent.parts()["table"].q.tolist() == [[0, 2.5], [2, 5], [0, 0]]
    assert agent.parts()["table"].visits.tolist() == [[0, 1], [0, 0], [0, 0]]
    assert metrics["loss"] == 25


def test_termination_ends_the_future_and_truncation_does_not() -> None:
    moved = []
    for ends in ("terminated", "truncated"):
        agent = make(discount=0.8, step_size=HALF)
        agent.parts()["table"].q[1] = torch.tensor([2.0, 5.0])
        agent.update([step([0], [1], [1.0], [1], ends)])
        moved.append(float(agent.parts()["table"].q[0, 1]))
    assert moved == [0.5, 2.5]


def test_a_truncated_episode_bootstraps_from_its_own_last_cell() -> None:
    """Every episode is cut after one step; down and left are still worth a walk that goes on."""
    env = GridWorldConfig(observe="features", slip=0.0, max_steps=1)
    config = QLearningConfig(discount=0.5, step_size=StepSize(power=0.0), exploration=ALWAYS)
    agent = learn(env, config, 800, seed=0)
    start = model(env).start
    # up and right lead to cells that are never left, so their value stays 0; down and left stay at the start
    np.testing.assert_allclose(agent.parts()["table"].q[start], [-0.04, -0.04, -0.06, -0.06], atol=1e-6)


def test_several_steps_of_a_batch_are_learned_in_order() -> None:
    agent = make(discount=1.0, step_size=HALF)
    agent.update([step([0], [0], [1.0], [2]), step([1], [0], [0.0], [0])])
    assert agent.parts()["table"].q.tolist() == [[0.5, 0], [0.25, 0], [0, 0]]


def test_a_pair_met_twice_in_one_step_moves_once_by_the_mean() -> None:
    agent = make(discount=0.8, step_size=StepSize(start=1.0, power=1.0))
    metrics = agent.update([step([0, 0, 1], [1, 1, 0], [1.0, 3.0, 8.0], [2, 2, 2])])
    assert agent.parts()["table"].q.tolist() == [[0, 2], [8, 0], [0, 0]]
    assert agent.parts()["table"].visits.tolist() == [[0, 1], [1, 0], [0, 0]]
    assert metrics["loss"] == pytest.approx((1 + 9 + 64) / 3)


def test_step_sizes_by_hand() -> None:
    visits = torch.tensor([1, 4, 9])
    assert StepSize(start=0.5, power=0.0).at(visits).tolist() == [0.5, 0.5, 0.5]
    assert StepSize(start=1.0, power=0.5).at(visits).tolist() == [1, 0.5, pytest.approx(1 / 3)]
    assert StepSize(start=3.0, power=1.0).at(visits).tolist() == [1, 0.75, pytest.approx(1 / 3)]


def test_ties_are_broken_at_random_and_the_best_is_played() -> None:
    agent = make()
    agent.parts()["table"].q[1] = torch.tensor([0.0, 1.0])
    looks = np.eye(3, dtype=np.float32)
    first, _ = agent.act(looks[[0] * 2_000], None, explore=False)
    assert 900 < first.sum() < 1_100
    assert agent.act(looks[[1] * 50], None, explore=False)[0].all()


def test_exploration_counts_agent_steps_and_evaluation_does_not() -> None:
    agent = make(exploration=Linear(start=1.0, end=0.0, steps=8))
    looks = np.eye(3, dtype=np.float32)[[0, 1]]
    seen = []
    for _ in range(5):
        seen.append(agent.update([step([0], [0], [0.0], [1])])["epsilon"])
        agent.act(looks, None, explore=True)
        agent.act(looks, None, explore=False)
    assert seen == [1.0, 0.75, 0.5, 0.25, 0.0]


def test_pixels_are_refused_when_the_agent_is_made() -> None:
    with pytest.raises(UserError) as told:
        make(spec_of(GridWorldConfig().make(1)))
    assert str(told.value) == (
        "agent q_learning keeps a table of states and needs them one-hot, this environment shows bytes of shape "
        "(1, 84, 84). Set env.observe=features, of an environment that shows its state so (env.name=grid_world), "
        "or env.observe=index, of a Gymnasium id with discrete observations (env.name=gym)."
    )


def test_a_single_number_is_refused() -> None:
    with pytest.raises(UserError, match=r"shows numbers of shape \(\)\."):
        make(Spec((), is_bytes=False, num_actions=2))


@pytest.mark.parametrize("row", [[1, 0, 1], [0, 0, 0], [0, 0.5, 0], [0, 2, 0], [-1, 1, 0]])
def test_numbers_that_are_not_one_hot_are_refused_when_seen(row: list[float]) -> None:
    agent = make()
    with pytest.raises(UserError, match=r"not one 1 among zeros\. Set env\.observe=features"):
        agent.act(np.array([[0, 1, 0], row], np.float32), None, explore=True)


def test_the_features_of_catch_are_refused() -> None:
    env = CatchConfig(observe="features").make(4)
    observations, _ = env.reset(seed=0)
    with pytest.raises(UserError, match="one-hot"):
        make(spec_of(env)).act(observations, None, explore=True)


def test_without_slips_the_values_are_exact_at_once() -> None:
    env = GridWorldConfig(observe="features", slip=0.0)
    config = QLearningConfig(discount=0.9, step_size=StepSize(power=0.0), exploration=ALWAYS)
    assert error(env, learn(env, config, 20_000, seed=0), 0.9) < 1e-6


@pytest.mark.learning
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_table_becomes_the_exact_optimum(seed: int) -> None:
    """Russell and Norvig's grid, from one uniformly random walk: Q-learning is off-policy."""
    env = GridWorldConfig(observe="features")
    config = QLearningConfig(
        discount=0.9,
        step_size=StepSize(start=4.0, power=1.0),
        exploration=ALWAYS,
        stream=RolloutsConfig(num_envs=4096),
    )
    assert error(env, learn(env, config, 12_000_000, seed), 0.9) < 1e-2
