"""The grid world by hand, and against Russell and Norvig's figures."""

import numpy as np
import pytest

from sandbox.envs._gymnasium import config_of
from sandbox.envs.grid_world import LAYOUTS, GridWorldConfig, model, optimal_values, policy_values

UP, RIGHT, DOWN, LEFT = range(4)


def walk(config: GridWorldConfig, policy: np.ndarray, num_envs: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the returns [N] of one episode each with the actions policy[cell], and whether it terminated [N]."""
    env = config.model_copy(update={"observe": "features"}).make(num_envs)
    env.reset(seed=0)
    returns, over = np.zeros(num_envs), np.zeros(num_envs, bool)
    for _ in range(steps):
        _, rewards, terminated, truncated, _ = env.step(policy[env.state_dict()["cell"]])
        returns += rewards * ~over
        over |= terminated
        if (ended := terminated | truncated).any():
            env.reset(options={"reset_mask": ended})
    return returns, over


def test_the_optimal_values_are_russell_and_norvigs() -> None:
    """Figure 17.3: discount 1, -0.04 a step, a move goes astray once in five."""
    values = optimal_values(model(GridWorldConfig()), 1.0).max(1).reshape(3, 4)
    figure = [[0.812, 0.868, 0.918, 0], [0.762, 0, 0.660, 0], [0.705, 0.655, 0.611, 0.388]]
    assert np.allclose(values, figure, atol=6e-4)


def test_the_optimal_policy_is_russell_and_norvigs() -> None:
    """The policy is that of figure 17.2; in the bottom row it goes left, the long way round."""
    best = optimal_values(model(GridWorldConfig()), 1.0).argmax(1)
    assert best[[0, 1, 2]].tolist() == [RIGHT, RIGHT, RIGHT]
    assert best[[4, 6]].tolist() == [UP, UP]
    assert best[[8, 9, 10, 11]].tolist() == [UP, LEFT, LEFT, LEFT]


def test_the_environment_reaches_the_best_return() -> None:
    config = GridWorldConfig()
    best = optimal_values(model(config), 1.0)
    returns, over = walk(config, best.argmax(1), 20_000, 100)
    assert over.all()
    assert abs(returns.mean() - 0.705) < 4 * returns.std() / np.sqrt(20_000)
    config = GridWorldConfig(slip=0.0)
    returns, over = walk(config, optimal_values(model(config), 1.0).argmax(1), 2, 5)
    assert over.all()
    assert np.allclose(returns, 0.8)


def test_transitions_by_hand() -> None:
    """From the start (2, 0), cell 8: up moves to cell 4, slips stay at the left side or go to cell 9."""
    transitions = model(GridWorldConfig(slip=0.2)).transitions
    assert {i: round(p, 9) for i, p in enumerate(transitions[8, UP]) if p} == {4: 0.8, 8: 0.1, 9: 0.1}
    assert {i: round(p, 9) for i, p in enumerate(transitions[4, RIGHT]) if p} == {4: 0.8, 0: 0.1, 8: 0.1}  # wall
    assert {i: round(p, 9) for i, p in enumerate(transitions[9, UP]) if p} == {9: 0.8, 8: 0.1, 10: 0.1}
    assert {i: round(p, 9) for i, p in enumerate(transitions[2, RIGHT]) if p} == {3: 0.8, 2: 0.1, 6: 0.1}
    assert {i: round(p, 9) for i, p in enumerate(transitions[11, DOWN]) if p} == {11: 0.9, 10: 0.1}


def test_rewards_and_endings_by_hand() -> None:
    mdp = model(GridWorldConfig())
    assert np.flatnonzero(mdp.absorbing).tolist() == [3, 5, 7]
    assert mdp.start == 8
    assert np.allclose([mdp.rewards[2, 3], mdp.rewards[6, 7], mdp.rewards[8, 4]], [0.96, -1.04, -0.04])
    assert (mdp.rewards[mdp.absorbing] == 0).all()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("slip", [0.0, 0.3, 1.0])
def test_every_model_is_one(layout: str, slip: float) -> None:
    mdp = model(GridWorldConfig(layout=layout, slip=slip))
    assert np.allclose(mdp.transitions.sum(2), 1)
    assert (mdp.transitions >= 0).all()
    walls = np.array(list("".join(LAYOUTS[layout]))) == "#"
    assert (mdp.transitions[:, :, walls][~walls] == 0).all()
    assert (mdp.transitions[mdp.absorbing, :, mdp.absorbing] == 1).all()
    assert not mdp.absorbing[mdp.start]


@pytest.mark.parametrize(("layout", "slip"), [("classic", 0.2), ("cliff", 0.5), ("rooms", 1.0), ("open", 0.0)])
def test_the_environment_moves_and_pays_as_its_model_says(layout: str, slip: float) -> None:
    """Every action is taken 2,000 times from every cell."""
    config = GridWorldConfig(observe="features", layout=layout, slip=slip)
    mdp = model(config)
    states, times = len(mdp.absorbing), 2_000
    pairs = [(s, a) for s in np.flatnonzero(~mdp.absorbing)[:20] for a in range(4)]
    cells, actions = (np.repeat(column, times) for column in np.array(pairs).T)
    env = config.make(len(cells))
    env.reset(seed=5)
    env.set_state_arrays(cell=cells)
    _, rewards, terminated, _, _ = env.step(actions)
    reached = env.state_dict()["cell"]
    counts = np.zeros((states, 4, states))
    np.add.at(counts, (cells, actions, reached), 1 / times)
    for s, a in pairs:
        assert np.abs(counts[s, a] - mdp.transitions[s, a]).max() < 0.056  # five standard errors at worst
        assert not counts[s, a][mdp.transitions[s, a] == 0].any()
    assert np.allclose(rewards, mdp.rewards[cells, reached])
    assert (terminated == mdp.absorbing[reached]).all()


def test_the_values_of_a_policy_by_hand() -> None:
    """The cliff without slips: up, five times right, down: seven steps, the last one into the goal."""
    mdp = model(GridWorldConfig(layout="cliff", slip=0.0, step_reward=-0.1))
    policy = np.zeros((24, 4))
    policy[:, RIGHT] = 1
    policy[18], policy[17] = np.eye(4)[UP], np.eye(4)[DOWN]
    q = policy_values(mdp, policy, 0.5)
    late = -0.1 + 1.0  # of the last step
    assert np.isclose(q[17, DOWN], late)
    assert np.isclose(q[16, RIGHT], -0.1 + 0.5 * late)
    assert np.isclose(q[18, UP], -0.1 * (1 - 0.5**6) / 0.5 + 0.5**6 * late)
    assert np.isclose(q[18, RIGHT], -1.1)  # off the cliff
    assert np.isclose(q[18, LEFT], -0.1 + 0.5 * q[18, UP])  # stays and then goes up


def test_the_values_of_a_random_policy_are_the_mean_of_its_returns() -> None:
    config = GridWorldConfig(observe="features", max_steps=10_000)
    mdp = model(config)
    expected = policy_values(mdp, np.full((12, 4), 0.25), 1.0)[mdp.start].mean()
    env = config.make(8_000)
    env.reset(seed=2)
    random = np.random.default_rng(0)
    returns, over = np.zeros(8_000), np.zeros(8_000, bool)
    while not over.all():
        _, rewards, terminated, truncated, _ = env.step(random.integers(4, size=8_000))
        returns += rewards * ~over
        over |= terminated
        if (ended := terminated | truncated).any():
            env.reset(options={"reset_mask": ended})
    assert abs(returns.mean() - expected) < 4 * returns.std() / np.sqrt(8_000)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_ways_to_the_values_agree(layout: str) -> None:
    """The values of the greedy policy are the optimal ones; an epsilon-greedy one has lower values."""
    mdp = model(GridWorldConfig(layout=layout))
    q = optimal_values(mdp, 0.95)
    greedy = np.eye(4)[q.argmax(1)]
    assert np.allclose(policy_values(mdp, greedy, 0.95), q, atol=1e-9)
    soft = policy_values(mdp, 0.8 * greedy + 0.2 / 4, 0.95)
    assert (soft <= q + 1e-12).all()
    assert soft[mdp.start].max() < q[mdp.start].max()
    assert (q[mdp.absorbing] == 0).all()


def test_values_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match=r"value iteration does not converge at discount 1\.0; take a smaller"):
        optimal_values(model(GridWorldConfig(step_reward=0.1)), 1.0)
    against_the_wall = np.eye(4)[np.full(12, LEFT)]
    with pytest.raises(np.linalg.LinAlgError):
        policy_values(model(GridWorldConfig(slip=0.0)), against_the_wall, 1.0)


def test_max_steps_truncate_and_the_goal_in_the_last_step_terminates() -> None:
    env = GridWorldConfig(slip=0.0, max_steps=5).make(2)
    env.reset(seed=0)
    actions = [[UP, LEFT], [UP, LEFT], [RIGHT, LEFT], [RIGHT, LEFT], [RIGHT, LEFT]]
    endings = [env.step(np.array(pair))[2:4] for pair in actions]
    assert [truncated.tolist() for _, truncated in endings] == [[False, False]] * 4 + [[False, True]]
    assert [terminated.tolist() for terminated, _ in endings] == [[False, False]] * 4 + [[True, False]]


def test_observations_show_the_cell() -> None:
    """`classic` has cells of 20 pixels from (12, 2)."""
    for observe in ("features", "pixels"):
        env = GridWorldConfig(observe=observe, slip=0.0).make(1)
        first = env.reset(seed=0)[0][0]
        after = env.step(np.array([RIGHT]))[0][0]
        if observe == "features":
            assert (first.argmax(), after.argmax(), after.sum()) == (8, 9, 1)
        else:
            ys, xs = np.nonzero(after[0] == 255)
            assert (ys.min(), ys.max(), xs.min(), xs.max()) == (52, 71, 22, 41)
            assert [after[0, y, x] for y, x in ((22, 70), (42, 70), (42, 30), (62, 10))] == [180, 50, 100, 0]


def test_options_out_of_range_are_named() -> None:
    for options, message in (
        ({"layout": "maze"}, "grid_world: layout: needs 'classic', 'cliff', 'rooms' or 'open'"),
        ({"slip": 1.1}, "grid_world: slip: needs a value <= 1"),
        ({"step_reward": -2}, "grid_world: step_reward: needs a value >= -1"),
        ({"max_steps": 0}, "grid_world: max_steps: needs a value >= 1"),
        ({"slipp": 0.1}, "grid_world: slipp: unknown option"),
    ):
        with pytest.raises(ValueError, match=message):
            config_of("grid_world", options)


def test_the_frame_shows_the_agent_in_its_cell() -> None:
    env = GridWorldConfig(slip=0.0).make(1)
    env.reset(seed=0)
    assert env.render_frame(0).shape == (340, 440, 3)
    assert env.render_frame(0)[270, 70].tolist() == [92, 170, 255]
    env.step(np.array([UP]))
    assert env.render_frame(0)[170, 70].tolist() == [92, 170, 255]
