"""Snake by hand."""

from collections import deque

import gymnasium
import numpy as np
import pytest

import sandbox.envs  # noqa: F401  (registers the ids)
from sandbox.envs.snake import SnakeConfig

STRAIGHT, UP, RIGHT, DOWN, LEFT = range(5)
STEPS = {UP: (-1, 0), RIGHT: (0, 1), DOWN: (1, 0), LEFT: (0, -1)}


def lay(body: list[tuple[int, int]], heading: int, food: tuple[int, int], hungry: int = 0, **options):
    """Set up one board of 5x5 (or `size`) with this body, from the tail to the head."""
    env = SnakeConfig(**{"size": 5} | options).make(1)
    env.reset(seed=0)
    state = env.state_dict()
    size, entered = state["rules"]["size"], state["entered"]
    entered[0, :-1] = 0
    for move, (row, column) in enumerate(body):
        entered[0, row * size + column] = 11 + move
    env.set_state_arrays(
        entered=entered,
        moves=10 + len(body),
        length=len(body),
        head=body[-1][0] * size + body[-1][1],
        food=food[0] * size + food[1],
        heading=heading - 1,
        hungry=hungry,
    )
    return env


def body_of(env, index: int = 0) -> list[tuple[int, int]]:
    """Return the cells of the body, from the tail to the head."""
    state = env.state_dict()
    size = state["rules"]["size"]
    entered, tail = state["entered"][index, :-1], state["moves"][index] - state["length"][index]
    cells = sorted(np.flatnonzero(entered > tail), key=lambda cell: entered[cell])
    return [(int(cell) // size, int(cell) % size) for cell in cells]


def step(env, action: int) -> tuple[float, bool, bool]:
    _, rewards, terminated, truncated, _ = env.step(np.array([action]))
    return float(rewards[0]), bool(terminated[0]), bool(truncated[0])


def test_it_starts_in_the_middle_and_goes_straight_on() -> None:
    env = SnakeConfig().make(1)
    env.reset(seed=0)
    assert body_of(env) == [(5, 3), (5, 4), (5, 5)]
    env.set_state_arrays(food=0)
    assert step(env, STRAIGHT) == (0, False, False)
    assert step(env, UP) == (0, False, False)
    assert body_of(env) == [(5, 5), (5, 6), (4, 6)]


@pytest.mark.parametrize(("heading", "back"), [(UP, DOWN), (RIGHT, LEFT), (DOWN, UP), (LEFT, RIGHT)])
def test_turning_back_is_ignored(heading: int, back: int) -> None:
    dy, dx = STEPS[heading]
    env = lay([(2 - 2 * dy, 2 - 2 * dx), (2 - dy, 2 - dx), (2, 2)], heading, food=(0, 0))
    assert step(env, back) == (0, False, False)
    assert body_of(env)[1:] == [(2, 2), (2 + dy, 2 + dx)]


def test_food_makes_it_one_longer_and_the_next_food_is_elsewhere() -> None:
    env = lay([(2, 0), (2, 1), (2, 2)], RIGHT, food=(2, 3), hungry=7)
    assert step(env, STRAIGHT) == (1, False, False)
    assert body_of(env) == [(2, 0), (2, 1), (2, 2), (2, 3)]
    assert divmod(int(env.state_dict()["food"][0]), 5) not in body_of(env)
    assert env.state_dict()["hungry"][0] == 0


def test_a_wall_kills_and_the_last_observation_is_the_one_before() -> None:
    env = lay([(2, 2), (2, 3), (2, 4)], RIGHT, food=(0, 0))
    before = env.observe()
    after, rewards, terminated, truncated, _ = env.step(np.array([STRAIGHT]))
    assert (rewards[0], terminated[0], truncated[0]) == (-1, True, False)
    assert np.array_equal(before, after)


@pytest.mark.parametrize(
    ("head", "action", "other"),
    [((0, 2), UP, (4, 2)), ((2, 4), RIGHT, (2, 0)), ((4, 2), DOWN, (0, 2)), ((2, 0), LEFT, (2, 4))],
)
def test_with_wrap_it_comes_in_at_the_opposite_side(head, action: int, other) -> None:
    dy, dx = STEPS[action]
    body = [(head[0] - 2 * dy, head[1] - 2 * dx), (head[0] - dy, head[1] - dx), head]
    assert step(lay(body, action, food=(3, 3)), action)[:2] == (-1, True)
    env = lay(body, action, food=(3, 3), wrap=True)
    assert step(env, action) == (0, False, False)
    assert body_of(env) == [*body[1:], other]


def test_its_body_kills_but_not_the_cell_that_its_tail_leaves() -> None:
    ring = [(1, 1), (1, 2), (2, 2), (2, 1)]
    env = lay(ring, LEFT, food=(4, 4))
    assert step(env, UP) == (0, False, False)
    assert body_of(env) == [*ring[1:], ring[0]]
    assert step(lay([(1, 0), *ring], LEFT, food=(4, 4)), UP) == (-1, True, False)


def test_food_lies_on_every_free_cell_equally_often() -> None:
    """13 free cells of 16; each count is within 5 standard deviations."""
    count = 26_000
    env = SnakeConfig(size=4, observe="features").make(count)
    env.reset(seed=0)
    found = np.bincount(env.state_dict()["food"], minlength=16)
    assert found[[8, 9, 10]].tolist() == [0, 0, 0]  # the snake
    free = np.delete(found, [8, 9, 10])
    assert np.abs(free - count / 13).max() < 5 * np.sqrt(count / 13)


def test_hunger_truncates_and_food_resets_it() -> None:
    env = lay([(2, 0), (2, 1), (2, 2)], RIGHT, food=(0, 0), hungry=8, max_steps=10)
    assert step(env, STRAIGHT) == (0, False, False)
    assert step(env, STRAIGHT) == (0, False, True)
    env.reset(options={"reset_mask": np.array([True])})
    assert env.state_dict()["hungry"].tolist() == [0]
    env = lay([(2, 0), (2, 1), (2, 2)], RIGHT, food=(2, 3), hungry=9, max_steps=10)
    assert step(env, STRAIGHT) == (1, False, False)
    env = lay([(2, 2), (2, 3), (2, 4)], RIGHT, food=(0, 0), hungry=9, max_steps=10)
    assert step(env, STRAIGHT) == (-1, True, False)
    env = lay([(2, 0), (2, 1), (2, 2)], RIGHT, food=(0, 0), hungry=48)  # by default twice 25 cells
    assert [step(env, STRAIGHT)[2] for _ in range(2)] == [False, True]


def along(size: int, wrap: bool) -> np.ndarray:
    """Return the action of each cell [size, size] on a cycle through all cells that crosses the start heading right."""
    rows, columns = np.indices((size, size))
    if wrap:
        return np.where((rows + columns + 1) % size == 0, DOWN, RIGHT)
    even = np.where(columns == size - 1, DOWN, RIGHT)
    odd = np.where(columns == 1, DOWN, LEFT)
    actions = np.where(rows % 2 == 0, even, odd)
    actions[-1] = LEFT
    actions[:, 0] = UP
    actions[0, 0] = RIGHT
    if size // 2 % 2:  # the start's row would go to the left
        flip = np.array([STRAIGHT, DOWN, RIGHT, UP, LEFT])
        actions = flip[actions[::-1]]
    return actions


@pytest.mark.parametrize(("size", "wrap"), [(4, False), (4, True), (5, True), (10, False)])
def test_the_best_return_is_reached_along_a_cycle(size: int, wrap: bool) -> None:
    env = SnakeConfig(size=size, wrap=wrap, observe="features").make(8)
    env.reset(seed=0)
    actions, returns = along(size, wrap).reshape(-1), np.zeros(8)
    playing = np.ones(8, bool)
    while playing.any():
        _, rewards, terminated, truncated, _ = env.step(actions[env.state_dict()["head"]])
        returns += rewards * playing
        playing &= ~terminated
        assert not truncated.any()
        if terminated.any():
            env.reset(options={"reset_mask": terminated})
    assert returns.tolist() == [size**2 - 3] * 8


@pytest.mark.parametrize("wrap", [False, True])
def test_it_is_the_snake_of_a_slow_but_plain_program(wrap: bool) -> None:
    env = SnakeConfig(size=5, wrap=wrap, observe="features").make(6)
    env.reset(seed=3)
    random = np.random.default_rng(0)
    snakes = [(deque(body_of(env, index)), [RIGHT]) for index in range(6)]
    for _ in range(1_500):
        actions = random.integers(0, 5, 6)
        foods = [divmod(int(food), 5) for food in env.state_dict()["food"]]
        expected = []
        for index, (body, heading) in enumerate(snakes):
            moves = [a for a in range(5) if follow(body.copy(), heading.copy(), a, foods[index], wrap)[0] >= 0]
            if moves and random.random() < 0.97:  # random play alone would stay short
                actions[index] = random.choice(moves)
            expected.append(follow(body, heading, int(actions[index]), foods[index], wrap))
        _, rewards, terminated, truncated, _ = env.step(actions)
        for index, (body, _) in enumerate(snakes):
            assert (rewards[index], terminated[index]) == expected[index]
            assert body_of(env, index) == list(body)
            assert terminated[index] or divmod(int(env.state_dict()["food"][index]), 5) not in body
        if (ended := terminated | truncated).any():
            env.reset(options={"reset_mask": ended})
            for index in np.flatnonzero(ended):
                snakes[index] = (deque(body_of(env, index)), [RIGHT])


def follow(body: deque, heading: list[int], action: int, food: tuple[int, int], wrap: bool) -> tuple[float, bool]:
    """Move `body` and `heading` by one step; return the reward and whether the snake died."""
    if action and STEPS[action] != tuple(-d for d in STEPS[heading[0]]):
        heading[0] = action
    row, column = (at + d for at, d in zip(body[-1], STEPS[heading[0]], strict=True))
    if wrap:
        row, column = row % 5, column % 5
    if (row, column) == food:
        body.append((row, column))
        return 1.0, len(body) == 25
    if not (0 <= row < 5 and 0 <= column < 5) or (row, column) in list(body)[1:]:
        return -1.0, True
    body.popleft()
    body.append((row, column))
    return 0.0, False


def test_features() -> None:
    env = lay([(3, 2), (2, 2), (1, 2), (1, 3), (0, 3)], UP, food=(4, 1), observe="features")
    features = env.observe()[0]
    assert np.allclose(features[:9], [-1, 0.5, 0.8, -0.4, 1, 0, 0, 0, 0.2])
    assert features[9:].reshape(2, 12).tolist() == [
        [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0],  # two rows of wall, two cells to the left
        [0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1],  # the last column is wall
    ]
    wrapped = lay([(2, 4), (1, 4), (0, 4)], UP, food=(3, 0), observe="features", wrap=True).observe()[0]
    assert np.allclose(wrapped[:9], [-1, 1, -0.4, 0.2, 1, 0, 0, 0, 0.12])
    assert wrapped[9:].tolist() == [0] * 16 + [1] + [0] * 7  # the neck; the tail's cell counts as free


def test_pixels_tell_head_food_body_and_wall_apart() -> None:
    pixels = lay([(3, 2), (2, 2), (1, 2), (1, 3)], RIGHT, food=(4, 0)).observe()[0, 0]
    middles = pixels[10::16, 10::16]  # cells of 16 pixels
    assert middles.tolist() == [
        [0, 0, 0, 0, 0],
        [0, 0, 150, 255, 0],
        [0, 0, 110, 0, 0],
        [0, 0, 70, 0, 0],
        [200, 0, 0, 0, 0],
    ]
    assert pixels[1, 1:-1].tolist() == [40] * 82
    assert 40 not in lay([(3, 2), (2, 2), (1, 2)], UP, food=(4, 0), wrap=True).observe()


@pytest.mark.parametrize("size", [4, 10, 40])
def test_every_size_fits_the_image(size: int) -> None:
    env = SnakeConfig(size=size).make(2)
    pixels = env.reset(seed=0)[0]
    assert set(np.unique(pixels)) == {0, 40, 70, 150, 200, 255}
    assert ((pixels == 255).sum((1, 2, 3)) == (82 // size) ** 2).all()
    assert min(env.render_frame(1).shape[:2]) >= 440


@pytest.mark.parametrize(("option", "value"), [("size", 3), ("size", 41), ("max_steps", 0), ("wrap", "round")])
def test_bad_options_are_named(option: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"snake: {option}: "):
        gymnasium.make("Sandbox/Snake-v0", **{option: value})
