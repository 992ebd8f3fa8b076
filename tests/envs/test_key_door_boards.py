"""The boards of key and door that a reset draws, and the curriculum over their sizes."""

from collections import deque

import numpy as np
import pytest

from sandbox.envs.key_door import DOOR, FREE, GOAL, KEY, PAD, WALL, KeyDoorConfig

STAY, UP, RIGHT, DOWN, LEFT = range(5)
STEPS = {UP: (-1, 0), RIGHT: (0, 1), DOWN: (1, 0), LEFT: (0, -1)}


def place_of(env, what: str = "agent", index: int = 0) -> tuple[int, int]:
    state = env.state_dict()
    row, column = divmod(int(state[what][index]), state["boards"].shape[1])
    return row - PAD, column - PAD


def boards_of(env) -> np.ndarray:
    """Return the codes of all cells, [N, size, size]."""
    return env.state_dict()["boards"][:, PAD:-PAD, PAD:-PAD]


def reach(
    board: np.ndarray, start: tuple[int, int], blocked: tuple[int, ...]
) -> dict[tuple[int, int], tuple[int, ...]]:
    """Return the shortest path, in actions, to every reachable cell."""
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
    for index in range(count):
        board, agent, key, goal = (
            boards_of(env)[index],
            *(place_of(env, what, index) for what in ("agent", "key", "goal")),
        )
        first = reach(board, agent, (WALL, DOOR))
        assert key != agent
        assert key in first
        assert goal not in first
        assert [board[key], board[goal], board[place_of(env, "door", index)]] == [KEY, GOAL, DOOR]
        assert np.bincount(board.ravel(), minlength=6)[KEY:].tolist() == [1, 1, 0, 1]
        assert len(reach(board, agent, (WALL,))) == (board != WALL).sum()
        assert max(column for _, column in first) < place_of(env, "door", index)[1] < goal[1]


@pytest.mark.parametrize("options", [{}, {"size": 5}, {"view": "partial"}, {"walls": 1.0}, {"size": 15, "walls": 1.0}])
def test_the_best_return_is_reached_on_every_one_of_200_seeds(options: dict) -> None:
    env = KeyDoorConfig(observe="features", **options).make(200)
    env.reset(seed=0)
    plans = []
    for index in range(200):
        board = boards_of(env)[index]
        to_key = reach(board, place_of(env, index=index), (WALL, DOOR))[place_of(env, "key", index)]
        plans.append(deque(to_key + reach(board, place_of(env, "key", index), (WALL,))[place_of(env, "goal", index)]))
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
    for index in range(300):
        assert (boards_of(empty)[index] == WALL).sum() == 8  # the wall between the rooms, less its door
        board = boards_of(mazes)[index]
        free = board != WALL
        ways = (free[1:] & free[:-1]).sum() + (free[:, 1:] & free[:, :-1]).sum()
        assert ways == free.sum() - 1  # a tree: one way between any two cells
    inner = boards_of(mazes) == WALL
    to_right, down = inner[:, 1::2, ::2].sum(), inner[:, ::2, 1::2].sum() - 300 * 4  # a board's wall without its door
    assert to_right + down == 300 * 12  # posts
    assert abs(to_right - 1_800) < 5 * np.sqrt(3_600 / 4)
    half = KeyDoorConfig(size=9, walls=0.5).make(2_000)
    half.reset(seed=0)
    posts = boards_of(half)[:, 1:8:2, 1:8:2] == WALL
    assert abs(posts.mean() - (0.25 + 0.75 * 0.5)) < 0.02  # a quarter of them is in the wall between the rooms


def test_doors_keys_and_starts_are_everywhere() -> None:
    """At size 8 the wall is in column 1, 3 or 5 and the door in row 0, 2, 4 or 6, equally often within 5 sigma."""
    env = KeyDoorConfig(observe="features").make(6_000)
    env.reset(seed=1)
    state = env.state_dict()
    width = state["boards"].shape[1]
    places = {what: np.divmod(state[what], width) for what in ("agent", "key", "door", "goal")}
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

    def play(success: bool) -> None:
        """Play an episode of the first environment; the other one stays."""
        env.set_state_arrays(left=[50 if success else 1, 50])
        if success:
            state = env.state_dict()
            state["boards"][0, PAD, PAD : PAD + 2] = FREE, GOAL
            state["agent"][0] = PAD * state["boards"].shape[1] + PAD
            env.set_state_arrays(boards=state["boards"], agent=state["agent"])
        _, _, terminated, truncated, _ = env.step(np.array([RIGHT if success else STAY, STAY]))
        assert (terminated[0], truncated[0]) == (success, not success)
        env.reset(options={"reset_mask": np.array([True, False])})

    def sizes() -> list[int]:
        """The boards in play are surrounded by wall."""
        return [int((boards_of(env)[index] != WALL).any(0).nonzero()[0].max()) + 1 for index in range(2)]

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
    """Outside there is wall only; inside, the board is one of size 6: wall in column 1 or 3, all cells reachable."""
    env = KeyDoorConfig(size=11, curriculum=True, walls=1.0).make(300)
    env.set_state_arrays(side=6)
    env.reset(seed=0)
    for index in range(300):
        board = boards_of(env)[index]
        assert (board[6:] == WALL).all()
        assert (board[:, 6:] == WALL).all()
        assert len(reach(board, place_of(env, index=index), (WALL,))) == (board != WALL).sum()
        assert (between := place_of(env, "door", index)[1]) in (1, 3)
        assert (board[5, :6] == WALL).nonzero()[0].tolist() == [between]  # no posts next to the outer wall
        assert (board[:6, 5] == WALL).sum() == 0
    assert env.state_dict()["left"].tolist() == [4 * 36] * 300
