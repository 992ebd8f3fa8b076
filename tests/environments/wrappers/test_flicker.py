import numpy as np
import pytest

from sandbox.environments.wrappers.flicker import FlickerConfig


def test_observations_are_blank_with_probability_p_from_the_first_to_the_last(tape) -> None:
    """Within four standard deviations at each place of a game of 3 steps, and independent of the one before."""
    count = 4_000
    env = FlickerConfig(p=0.3).wrap(tape(count, {3: "terminated"}))
    shown = [env.reset(seed=0)[0]] + [env.step(np.zeros(count, int))[0] for _ in range(3)]
    games = np.stack([observation[:, 0] == 0 for observation in shown], 1)  # [N, 4]
    assert games.shape == (count, 4)
    deviation = (0.3 * 0.7 / count) ** 0.5
    assert (abs(games.mean(0) - 0.3) < 4 * deviation).all()
    twice = (games[:, 1:] & games[:, :-1]).mean(0)
    assert (abs(twice - 0.09) < 4 * (0.09 * 0.91 / count) ** 0.5).all()


@pytest.mark.parametrize(("p", "shown"), [(0, [1, 2, 3]), (1, [0, 0, 0])])
def test_never_and_always(tape, p: float, shown: list[int]) -> None:
    env = FlickerConfig(p=p).wrap(tape(1))
    seen = [env.reset(seed=0)[0], env.step(np.array([0]))[0], env.step(np.array([0]))[0]]
    assert [int(each[0, 0]) for each in seen] == shown


def test_rewards_and_endings_pass(tape) -> None:
    env = FlickerConfig(p=1).wrap(tape(2, {1: "terminated"}))
    env.reset(seed=0)
    _, rewards, terminated, truncated, infos = env.step(np.array([2, 3]))
    assert (rewards.tolist(), terminated.tolist(), truncated.tolist()) == ([2, 3], [True, True], [False, False])
    assert infos["life_lost"].tolist() == [False, False]


def test_people_see_everything(tape) -> None:
    env = FlickerConfig(p=1).wrap(tape(2))
    env.reset(seed=0)
    assert env.render_frame(1).tolist() == np.full((2, 2, 3), 1).tolist()
