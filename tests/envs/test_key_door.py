"""Key and door by hand."""

from collections import deque

import gymnasium
import numpy as np
import pytest

import sandbox.envs  # noqa: F401  (registers the ids)
from sandbox.envs.key_door import DOOR, FREE, GOAL, KEY, OPEN, PAD, WALL, KeyDoorConfig

STAY, UP, RIGHT, DOWN, LEFT = range(5)
STEPS = {UP: (-1, 0), RIGHT: (0, 1), DOWN: (1, 0), LEFT: (0, -1)}
CODES = {"A": FREE, ".": FREE, "#": WALL, "k": KEY, "D": DOOR, "o": OPEN, "G": GOAL}

ROOMS = """
A.#..
.k#..
..D.G
..#..
..#..
"""


def lay(text: str, **options):
    """One board, drawn: A agent, k key, D door, o open door, G goal, # wall."""
    rows = text.split()
    env = KeyDoorConfig(**{"size": len(rows)} | options).make(1)
    env.reset(seed=0)
    arrays = env._program.arrays()
    width = arrays["boards"].shape[1]
    for row, line in enumerate(rows):
        for column, character in enumerate(line):
            arrays["boards"][0, PAD + row, PAD + column] = CODES[character]
            place = {"A": "agent", "k": "key", "D": "door", "o": "door", "G": "goal"}.get(character)
            if place:
                arrays[place][0] = (PAD + row) * width + PAD + column
    return env


def steps(env, *actions: int) -> tuple[float, bool, bool]:
    """What the last one brought."""
    for action in actions:
        _, rewards, terminated, truncated, _ = env.step(np.array([action]))
    return float(rewards[0]), bool(terminated[0]), bool(truncated[0])


def place_of(env, what: str = "agent", lane: int = 0) -> tuple[int, int]:
    width = env._program.arrays()["boards"].shape[1]
    row, column = divmod(int(env._program.arrays()[what][lane]), width)
    return row - PAD, column - PAD


def board_of(env, lane: int = 0) -> np.ndarray:
    return env._program.arrays()["boards"][lane, PAD:-PAD, PAD:-PAD].copy()


def test_moves_and_what_stops_them() -> None:
    env = lay(ROOMS)
    for action, place in (
        (STAY, (0, 0)),
        (UP, (0, 0)),
        (LEFT, (0, 0)),
        (RIGHT, (0, 1)),
        (RIGHT, (0, 1)),
        (LEFT, (0, 0)),
    ):
        assert steps(env, action) == (0, False, False)
        assert place_of(env) == place
    steps(env, DOWN, DOWN, DOWN, DOWN, DOWN)
    assert place_of(env) == (4, 0)
    steps(env, UP)
    assert place_of(env) == (3, 0)


def test_the_door_is_shut_without_the_key_and_stays_open_with_it() -> None:
    env = lay(ROOMS)
    steps(env, DOWN, DOWN, RIGHT, RIGHT)
    assert place_of(env) == (2, 1)
    assert board_of(env)[2, 2] == DOOR
    steps(env, UP)
    assert place_of(env) == (1, 1)
    assert env.state_dict()["has_key"].tolist() == [True]
    assert (board_of(env) == KEY).sum() == 0
    assert steps(env, DOWN, RIGHT) == (0, False, False)
    assert place_of(env) == (2, 2)
    assert board_of(env)[2, 2] == OPEN
    steps(env, LEFT, RIGHT)
    assert place_of(env) == (2, 2)
    assert board_of(env)[2, 2] == OPEN


def test_the_goal_pays_one_and_ends_it() -> None:
    env = lay(ROOMS)
    assert steps(env, RIGHT, DOWN, DOWN, RIGHT, RIGHT) == (0, False, False)
    assert steps(env, RIGHT) == (1, True, False)
    assert place_of(env) == (2, 4)
    env.reset(options={"reset_mask": np.array([True])})
    assert env.state_dict()["has_key"].tolist() == [False]


def test_time_runs_out() -> None:
    env = KeyDoorConfig(max_steps=3).make(1)
    env.reset(seed=0)
    assert [steps(env, STAY)[1:] for _ in range(3)] == [(False, False), (False, False), (False, True)]
    env = lay(ROOMS, max_steps=6)
    assert steps(env, RIGHT, DOWN, DOWN, RIGHT, RIGHT, RIGHT) == (1, True, False)
    env = KeyDoorConfig(size=6).make(1)
    env.reset(seed=0)
    assert [steps(env, STAY)[2] for _ in range(4 * 36)] == [False] * 143 + [True]


def reach(
    board: np.ndarray, start: tuple[int, int], blocked: tuple[int, ...]
) -> dict[tuple[int, int], tuple[int, ...]]:
    """The shortest way, in actions, to every cell that can be reached."""
    ways: dict[tuple[int, int], tuple[int, ...]] = {start: ()}
    queue = deque([start])
    while queue:
        row, column = queue.popleft()
        for action, (dy, dx) in STEPS.items():
            there = row + dy, column + dx
            inside = min(there) >= 0 and max(there) < len(board)
            if inside and there not in ways and board[there] not in blocked:
                ways[there] = (*ways[row, column], action)
                queue.append(there)
    return ways


@pytest.mark.parametrize("walls", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("size", [5, 6, 7, 8, 9, 13, 20])
def test_everything_can_be_reached_on_every_board(size: int, walls: float) -> None:
    count = 200 if size < 10 else 40
    env = KeyDoorConfig(size=size, walls=walls, observe="features").make(count)
    env.reset(seed=size)
    for lane in range(count):
        board, agent, key, goal = board_of(env, lane), *(place_of(env, what, lane) for what in ("agent", "key", "goal"))
        first = reach(board, agent, (WALL, DOOR))
        assert key != agent
        assert key in first
        assert goal not in first
        assert [board[key], board[goal], board[place_of(env, "door", lane)]] == [KEY, GOAL, DOOR]
        assert np.bincount(board.ravel(), minlength=6)[KEY:].tolist() == [1, 1, 0, 1]
        assert len(reach(board, agent, (WALL,))) == (board != WALL).sum()
        assert max(column for _, column in first) < place_of(env, "door", lane)[1] < goal[1]


@pytest.mark.parametrize("options", [{}, {"size": 5}, {"view": "partial"}, {"walls": 1.0}, {"size": 15, "walls": 1.0}])
def test_the_best_return_is_reached_on_every_one_of_200_seeds(options: dict) -> None:
    env = KeyDoorConfig(observe="features", **options).make(200)
    env.reset(seed=0)
    plans = []
    for lane in range(200):
        board = board_of(env, lane)
        to_key = reach(board, place_of(env, lane=lane), (WALL, DOOR))[place_of(env, "key", lane)]
        plans.append(deque(to_key + reach(board, place_of(env, "key", lane), (WALL,))[place_of(env, "goal", lane)]))
    returns = np.zeros(200)
    while any(plans):
        playing = np.array([bool(plan) for plan in plans])
        actions = np.array([plan.popleft() if plan else STAY for plan in plans])
        _, rewards, terminated, truncated, _ = env.step(actions)
        returns += rewards * playing
        assert not truncated[playing].any()
        assert (terminated & playing).tolist() == (playing & np.array([not plan for plan in plans])).tolist()
        if (ended := terminated | truncated).any():
            env.reset(options={"reset_mask": ended})
    assert returns.tolist() == [1.0] * 200


def test_walls_are_a_share_of_the_posts() -> None:
    empty, mazes = (KeyDoorConfig(size=9, walls=walls).make(300) for walls in (0.0, 1.0))
    for env in (empty, mazes):
        env.reset(seed=0)
    for lane in range(300):
        assert (board_of(empty, lane) == WALL).sum() == 8  # the wall between the rooms, less its door
        board = board_of(mazes, lane)
        free = board != WALL
        ways = (free[1:] & free[:-1]).sum() + (free[:, 1:] & free[:, :-1]).sum()
        assert ways == free.sum() - 1  # a tree: one way between any two cells
    inner = mazes._program.arrays()["boards"][:, PAD:-PAD, PAD:-PAD] == WALL
    to_right, down = inner[:, 1::2, ::2].sum(), inner[:, ::2, 1::2].sum() - 300 * 4  # a board's wall without its door
    assert to_right + down == 300 * 12  # posts
    assert abs(to_right - 1_800) < 5 * np.sqrt(3_600 / 4)
    half = KeyDoorConfig(size=9, walls=0.5).make(2_000)
    half.reset(seed=0)
    posts = half._program.arrays()["boards"][:, PAD + 1 : PAD + 8 : 2, PAD + 1 : PAD + 8 : 2] == WALL
    assert abs(posts.mean() - (0.25 + 0.75 * 0.5)) < 0.02  # a quarter of them is in the wall between the rooms


def test_doors_keys_and_starts_are_everywhere() -> None:
    """Size 8: the wall is in column 1, 3 or 5, the door in row 0, 2, 4 or 6, each as often; within 5 deviations."""
    env = KeyDoorConfig(observe="features").make(6_000)
    env.reset(seed=1)
    width = env._program.arrays()["boards"].shape[1]
    places = {what: np.divmod(env._program.arrays()[what], width) for what in ("agent", "key", "door", "goal")}
    found, counts = np.unique(np.stack(places["door"]) - PAD, axis=1, return_counts=True)
    assert found.T.tolist() == [[row, column] for row in (0, 2, 4, 6) for column in (1, 3, 5)]
    assert np.abs(counts - 500).max() < 5 * np.sqrt(500)
    narrow = places["door"][1] - PAD == 1  # the left room is one column with four places for the agent, then three
    pairs, counts = np.unique([places["agent"][0][narrow], places["key"][0][narrow]], axis=1, return_counts=True)
    assert pairs.shape == (2, 12)
    assert np.abs(counts - narrow.sum() / 12).max() < 5 * np.sqrt(narrow.sum() / 12)
    goals, counts = np.unique(np.stack(places["goal"])[:, narrow] - PAD, axis=1, return_counts=True)
    assert goals.T.tolist() == [[row, column] for row in (0, 2, 4, 6) for column in (2, 4, 6)]
    assert np.abs(counts - narrow.sum() / 12).max() < 5 * np.sqrt(narrow.sum() / 12)


def test_the_curriculum_grows_after_successes_in_a_row() -> None:
    env = KeyDoorConfig(size=7, curriculum=True, grow_after=2, max_steps=50).make(2)
    arrays = env._program.arrays

    def play(success: bool) -> None:
        """An episode of the first environment; the other one waits."""
        arrays()["left"][0] = 50 if success else 1
        width = arrays()["boards"].shape[1]
        arrays()["left"][1] = 50
        if success:
            arrays()["boards"][0, PAD, PAD : PAD + 2] = FREE, GOAL
            arrays()["agent"][0] = PAD * width + PAD
        _, _, terminated, truncated, _ = env.step(np.array([RIGHT if success else STAY, STAY]))
        assert (terminated[0], truncated[0]) == (success, not success)
        env.reset(options={"reset_mask": np.array([True, False])})

    def sizes() -> list[int]:
        """Of the boards in play: outside them all is wall."""
        return [int((board_of(env, lane) != WALL).any(0).nonzero()[0].max()) + 1 for lane in range(2)]

    env.reset(seed=0)
    assert sizes() == [5, 5]
    for success, size in ((True, 5), (False, 5), (True, 5), (True, 6), (True, 6), (True, 7), (True, 7), (True, 7)):
        play(success)
        assert sizes() == [size, 5]
    env.reset(seed=0)
    assert sizes() == [7, 5]
    other = KeyDoorConfig(size=7, curriculum=True, grow_after=2, max_steps=50).make(2)
    other.load_state_dict(env.state_dict())
    assert other.state_dict()["side"].tolist() == [7, 5]


def test_smaller_boards_of_a_curriculum_are_as_their_own_size() -> None:
    """Nothing but wall outside; inside, what size 6 allows: the wall in column 1 or 3, all of it reachable."""
    env = KeyDoorConfig(size=11, curriculum=True, walls=1.0).make(300)
    env._program.arrays()["side"][...] = 6
    env.reset(seed=0)
    for lane in range(300):
        board = board_of(env, lane)
        assert (board[6:] == WALL).all()
        assert (board[:, 6:] == WALL).all()
        assert len(reach(board, place_of(env, lane=lane), (WALL,))) == (board != WALL).sum()
        assert (between := place_of(env, "door", lane)[1]) in (1, 3)
        assert (board[5, :6] == WALL).nonzero()[0].tolist() == [between]  # no posts beside the outer wall
        assert (board[:6, 5] == WALL).sum() == 0
    assert env.state_dict()["left"].tolist() == [4 * 36] * 300


def test_full_features() -> None:
    env = lay(ROOMS, observe="features")
    features = env._program.observe()[0]
    assert np.allclose(features[:8], [-1, -1, -0.5, -0.5, 0, 0, 0, 1])  # agent, key, door, goal
    assert features[8:14].tolist() == [0, 0, 1, 0, 0, 1]  # the board's edge above and to the left
    assert features[14:].reshape(5, 5).tolist() == [[0, 0, 1, 0, 0]] * 2 + [[0] * 5] + [[0, 0, 1, 0, 0]] * 2
    steps(env, DOWN, DOWN, RIGHT)
    assert env._program.observe()[0, 8:14].tolist() == [0, 0, 0, 1, 0, 0]  # the shut door
    steps(env, UP)
    assert np.allclose(env._program.observe()[0, :10], [-0.5, -0.5, -0.5, -0.5, 0, 0, 0, 1, 1, 0])
    steps(env, DOWN)
    assert np.allclose(env._program.observe()[0, :4], [0, -0.5, 0, -0.5])  # the key goes with the agent
    assert env._program.observe()[0, 8:14].tolist() == [1, 0, 0, 0, 0, 0]
    steps(env, RIGHT)
    assert env._program.observe()[0, 8:14].tolist() == [1, 1, 1, 0, 1, 0]


WIDE = """
.........
.####.#..
.#....#.G
.#.##.#..
.#kA..D..
.#.##.#..
.#....#..
.......#.
........#
"""


def test_the_partial_view_as_features() -> None:
    env = lay(WIDE, view="partial", observe="features")
    seen = env._program.observe()[0].reshape(7, 7, 4)
    assert seen[..., 0].tolist() == [
        [0, 1, 1, 1, 1, 0, 1],
        [0, 1, 0, 0, 0, 0, 1],
        [0, 1, 0, 1, 1, 0, 1],
        [0, 1, 0, 0, 0, 0, 0],
        [0, 1, 0, 1, 1, 0, 1],
        [0, 1, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ]
    assert np.argwhere(seen[..., 1:]).tolist() == [[3, 2, 0], [3, 6, 1]]  # key, door; the goal is too far
    steps(env, LEFT)
    seen = env._program.observe()[0].reshape(7, 7, 4)
    assert np.argwhere(seen[..., 1:]).tolist() == [[3, 3, 0]]  # carried
    steps(env, RIGHT, RIGHT, RIGHT, RIGHT)
    seen = env._program.observe()[0].reshape(7, 7, 4)
    assert np.argwhere(seen[..., 1:]).tolist() == [[1, 5, 2], [3, 3, 0], [3, 3, 1]]  # goal; key in the open door
    assert seen[3, 3].tolist() == [0, 1, -1, 0]
    assert seen[:, 6, 0].tolist() == [1] * 7  # beyond the board


@pytest.mark.parametrize("observe", ["pixels", "features"])
def test_what_is_out_of_view_is_not_shown(observe: str) -> None:
    env = lay(WIDE, view="partial", observe=observe)
    before = env._program.observe()
    boards = env._program.arrays()["boards"]
    hidden = np.ones((9, 9), bool)
    hidden[1:8, 0:7] = False
    boards[0, PAD:-PAD, PAD:-PAD][hidden] = GOAL
    assert np.array_equal(env._program.observe(), before)
    for row in range(1, 8):
        for column in range(7):
            if (row, column) != (4, 3):  # the agent stands on it
                cell = boards[0, PAD + row : PAD + row + 1, PAD + column]
                was = cell.copy()
                cell[...] = GOAL
                assert not np.array_equal(env._program.observe(), before)
                cell[...] = was


def test_pixels() -> None:
    env = lay(ROOMS)
    pixels = env._program.observe()[0, 0]
    assert pixels[10::16, 10::16].tolist() == [  # cells of 16 pixels
        [225, 0, 60, 0, 0],
        [0, 145, 60, 0, 0],
        [0, 0, 100, 0, 190],
        [0, 0, 60, 0, 0],
        [0, 0, 60, 0, 0],
    ]
    assert pixels[1, 1:-1].tolist() == [60] * 82
    steps(env, RIGHT, DOWN, DOWN, RIGHT, RIGHT)
    assert env._program.observe()[0, 0, 10::16, 10::16][2].tolist() == [0, 0, 30, 255, 190]
    seen = lay(WIDE, view="partial")._program.observe()[0, 0, 6::12, 6::12]  # cells of 12 pixels
    assert seen[3].tolist() == [0, 60, 145, 225, 0, 0, 100]
    assert seen[0].tolist() == [0, 60, 60, 60, 60, 0, 60]


def test_people_see_the_whole_board_dimmed_outside_the_view() -> None:
    full, partial = (lay(WIDE, view=view).draw(0) for view in ("full", "partial"))
    cell = 440 // 9
    inside = (slice(20 + cell, 20 + 8 * cell), slice(20, 20 + 7 * cell))
    assert np.array_equal(full[inside], partial[inside])
    outside = np.ones(full.shape[:2], bool)
    outside[inside] = False
    assert np.array_equal(partial[outside], full[outside] // 3)


@pytest.mark.parametrize("size", [5, 8, 20])
def test_every_size_fits_the_picture(size: int) -> None:
    env = KeyDoorConfig(size=size).make(2)
    pixels = env.reset(seed=0)[0]
    assert ((pixels == 225).sum((1, 2, 3)) == (82 // size) ** 2).all()
    assert min(env.draw(1).shape[:2]) >= 440


@pytest.mark.parametrize(
    ("option", "value"),
    [("size", 4), ("size", 21), ("view", "half"), ("walls", 1.1), ("walls", -0.1), ("grow_after", 0), ("max_steps", 0)],
)
def test_bad_options_are_named(option: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"key_door: {option}: "):
        gymnasium.make("Sandbox/KeyDoor-v0", **{option: value})
