"""Key and door by hand."""

import gymnasium
import numpy as np
import pytest

import sandbox.envs  # noqa: F401  (registers the ids)
from sandbox.envs.key_door import DOOR, FREE, GOAL, KEY, OPEN, PAD, WALL, KeyDoorConfig

STAY, UP, RIGHT, DOWN, LEFT = range(5)
CODES = {"A": FREE, ".": FREE, "#": WALL, "k": KEY, "D": DOOR, "o": OPEN, "G": GOAL}

ROOMS = """
A.#..
.k#..
..D.G
..#..
..#..
"""


def lay(text: str, **options):
    """Set up one board: A agent, k key, D door, o open door, G goal, # wall."""
    rows = text.split()
    env = KeyDoorConfig(**{"size": len(rows)} | options).make(1)
    env.reset(seed=0)
    state = env.state_dict()
    boards, places = state["boards"], {}
    width = boards.shape[1]
    for row, line in enumerate(rows):
        for column, character in enumerate(line):
            boards[0, PAD + row, PAD + column] = CODES[character]
            place = {"A": "agent", "k": "key", "D": "door", "o": "door", "G": "goal"}.get(character)
            if place:
                places[place] = (PAD + row) * width + PAD + column
    env.set_state_arrays(boards=boards, **places)
    return env


def steps(env, *actions: int) -> tuple[float, bool, bool]:
    """Take these actions; return reward, terminated and truncated of the last one."""
    for action in actions:
        _, rewards, terminated, truncated, _ = env.step(np.array([action]))
    return float(rewards[0]), bool(terminated[0]), bool(truncated[0])


def place_of(env) -> tuple[int, int]:
    """Return the row and column of the agent."""
    state = env.state_dict()
    row, column = divmod(int(state["agent"][0]), state["boards"].shape[1])
    return row - PAD, column - PAD


def board_of(env) -> np.ndarray:
    return env.state_dict()["boards"][0, PAD:-PAD, PAD:-PAD]


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


def test_full_features() -> None:
    env = lay(ROOMS, observe="features")
    features = env.observe()[0]
    assert np.allclose(features[:8], [-1, -1, -0.5, -0.5, 0, 0, 0, 1])  # agent, key, door, goal
    assert features[8:14].tolist() == [0, 0, 1, 0, 0, 1]  # the board's edge above and to the left
    assert features[14:].reshape(5, 5).tolist() == [[0, 0, 1, 0, 0]] * 2 + [[0] * 5] + [[0, 0, 1, 0, 0]] * 2
    steps(env, DOWN, DOWN, RIGHT)
    assert env.observe()[0, 8:14].tolist() == [0, 0, 0, 1, 0, 0]  # the shut door
    steps(env, UP)
    assert np.allclose(env.observe()[0, :10], [-0.5, -0.5, -0.5, -0.5, 0, 0, 0, 1, 1, 0])
    steps(env, DOWN)
    assert np.allclose(env.observe()[0, :4], [0, -0.5, 0, -0.5])  # the key goes with the agent
    assert env.observe()[0, 8:14].tolist() == [1, 0, 0, 0, 0, 0]
    steps(env, RIGHT)
    assert env.observe()[0, 8:14].tolist() == [1, 1, 1, 0, 1, 0]


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
    seen = env.observe()[0].reshape(7, 7, 4)
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
    seen = env.observe()[0].reshape(7, 7, 4)
    assert np.argwhere(seen[..., 1:]).tolist() == [[3, 3, 0]]  # carried
    steps(env, RIGHT, RIGHT, RIGHT, RIGHT)
    seen = env.observe()[0].reshape(7, 7, 4)
    assert np.argwhere(seen[..., 1:]).tolist() == [[1, 5, 2], [3, 3, 0], [3, 3, 1]]  # goal; key in the open door
    assert seen[3, 3].tolist() == [0, 1, -1, 0]
    assert seen[:, 6, 0].tolist() == [1] * 7  # beyond the board


@pytest.mark.parametrize("observe", ["pixels", "features"])
def test_what_is_out_of_view_is_not_shown(observe: str) -> None:
    env = lay(WIDE, view="partial", observe=observe)
    before = env.observe()
    boards = env.state_dict()["boards"]
    hidden = np.ones((9, 9), bool)
    hidden[1:8, 0:7] = False
    boards[0, PAD:-PAD, PAD:-PAD][hidden] = GOAL
    env.set_state_arrays(boards=boards)
    assert np.array_equal(env.observe(), before)
    for row in range(1, 8):
        for column in range(7):
            if (row, column) != (4, 3):  # the agent stands on it
                changed = boards.copy()
                changed[0, PAD + row, PAD + column] = GOAL
                env.set_state_arrays(boards=changed)
                assert not np.array_equal(env.observe(), before)


def test_pixels() -> None:
    env = lay(ROOMS)
    pixels = env.observe()[0, 0]
    assert pixels[10::16, 10::16].tolist() == [  # cells of 16 pixels
        [225, 0, 60, 0, 0],
        [0, 145, 60, 0, 0],
        [0, 0, 100, 0, 190],
        [0, 0, 60, 0, 0],
        [0, 0, 60, 0, 0],
    ]
    assert pixels[1, 1:-1].tolist() == [60] * 82
    steps(env, RIGHT, DOWN, DOWN, RIGHT, RIGHT)
    assert env.observe()[0, 0, 10::16, 10::16][2].tolist() == [0, 0, 30, 255, 190]
    seen = lay(WIDE, view="partial").observe()[0, 0, 6::12, 6::12]  # cells of 12 pixels
    assert seen[3].tolist() == [0, 60, 145, 225, 0, 0, 100]
    assert seen[0].tolist() == [0, 60, 60, 60, 60, 0, 60]


def test_people_see_the_whole_board_dimmed_outside_the_view() -> None:
    full, partial = (lay(WIDE, view=view).render_frame(0) for view in ("full", "partial"))
    cell = 440 // 9
    inside = (slice(20 + cell, 20 + 8 * cell), slice(20, 20 + 7 * cell))
    assert np.array_equal(full[inside], partial[inside])
    outside = np.ones(full.shape[:2], bool)
    outside[inside] = False
    assert np.array_equal(partial[outside], full[outside] // 3)


@pytest.mark.parametrize("size", [5, 8, 20])
def test_every_size_fits_the_image(size: int) -> None:
    env = KeyDoorConfig(size=size).make(2)
    pixels = env.reset(seed=0)[0]
    assert ((pixels == 225).sum((1, 2, 3)) == (82 // size) ** 2).all()
    assert min(env.render_frame(1).shape[:2]) >= 440


@pytest.mark.parametrize(
    ("option", "value"),
    [("size", 4), ("size", 21), ("view", "half"), ("walls", 1.1), ("walls", -0.1), ("grow_after", 0), ("max_steps", 0)],
)
def test_bad_options_are_named(option: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"key_door: {option}: "):
        gymnasium.make("Sandbox/KeyDoor-v0", **{option: value})
