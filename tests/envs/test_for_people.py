"""Words and frames for people: titles, goals, names of actions, keys, and no sight of what agents do not observe."""

import gymnasium
import numpy as np
import pytest
from ale_py import roms
from gymnasium import spaces

from sandbox.envs._atari import about as atari
from sandbox.envs._gym import about as others
from sandbox.envs._gymnasium import config_of
from sandbox.envs.atari import AtariConfig
from sandbox.runs import registry
from sandbox.viewer.keyboard import KeyboardController

NEEDED = {"gym": {"id": "CartPole-v1"}}
BLUE, WHITE = (92, 170, 255), (236, 240, 241)


def env_of(name, **options):
    return config_of(name, NEEDED.get(name, {}) | options)


@pytest.mark.parametrize("name", registry.names("envs"))
def test_every_environment_has_a_title_a_goal_and_named_actions(name):
    config = env_of(name)
    about = config.about
    assert (about.title[0].isupper(), about.goal[-1]) == (True, ".")
    assert len(about.goal) < 120
    env = config.make(1)
    num_actions = env.single_action_space.n
    for controls in env.controls:
        assert len(controls.actions) == num_actions
        assert all(controls.actions)
        described = KeyboardController(controls).entries
        assert {key for keys, _ in described for key in keys.split()} - {"arrows"} <= {
            key for chord in controls.keys for key in chord.split("+")
        }
    env.close()


@pytest.mark.parametrize("players", [1, 2])
def test_each_player_of_pong_knows_its_paddle(players):
    roles = [controls.role for controls in env_of("pong", players=players).make(1).controls]
    assert roles == ["the blue paddle on the right", "the red paddle on the left"][:players]


def test_the_tables_of_atari_games_name_existing_ones():
    games = set(roms.get_all_rom_ids())
    assert atari.GOALS.keys() | atari.TITLES.keys() | atari.ROLES.keys() <= games
    titles = [atari.about(game).title for game in games]
    assert len(set(titles)) == len(games)
    assert atari.about("space_invaders").title == "Space Invaders (Atari)"


def test_keys_of_ataris_pong_are_the_directions_on_the_screen():
    def keys(**options):
        controls = AtariConfig(game="pong", **options).make(1).controls[0]
        return list(controls.keys)[:3], list(controls.actions)[:4]

    assert keys() == (["space", "up", "down"], ["nothing", "fire", "up", "down"])
    assert keys(actions="full") == (["space", "up", "right"], ["nothing", "fire", "up", "right"])


@pytest.mark.parametrize(
    ("env_id", "title"),
    [
        ("LunarLander-v3", "Lunar Lander"),
        ("my_module:Space/HTTPServer2Go-v10", "HTTP Server2 Go"),
        ("MiniGrid-DoorKey-5x5-v0", "Mini Grid Door Key 5x5"),
        ("v0", "v0"),
    ],
)
def test_titles_come_from_the_id(env_id, title):
    assert others.about(env_id).title == title


@pytest.mark.parametrize("name", [name for name, known in others.KNOWN.items() if known.actions])
def test_known_ids_have_a_name_for_each_action(name):
    env_id = max((key for key in gymnasium.registry if key.startswith(f"{name}-v")), key=lambda key: int(key[-1]))
    known = others.KNOWN[name]
    num_actions = 5 if name == "CarRacing" else gymnasium.make(env_id).action_space.n
    controls = others.controls(others.DIGITS, spaces.Discrete(num_actions), env_id)
    assert (len(controls.actions), dict(controls.keys)) == (num_actions, dict(known.keys))
    assert set(controls.keys.values()) <= set(range(num_actions))


def test_given_keys_and_unknown_ids():
    assert others.controls({"a": 1}, spaces.Discrete(4), "LunarLander-v3").keys == {"a": 1}
    unknown = others.controls(others.DIGITS, spaces.Discrete(3), "Mine-v0")
    assert KeyboardController(unknown).entries == [("1 2 3", "actions 0 1 2")]


def frames(name, *, playing, actions, state, **options):
    """Return the frames of two episodes that differ in what `state` sets, after actions."""
    shown = []
    for values in state:
        env = env_of(name, **options).make(1)
        env.reset(seed=0)
        env.set_state_arrays(**values)
        for action in actions:
            env.step(np.array([action]))
        shown.append(env.step_frames(0, playing=playing)[-1])
    return shown


HIDDEN = {
    "t_maze": ({}, [1], ({"goal": 0}, {"goal": 2})),
    "memory_chain": ({}, [0], ({"context": 0}, {"context": 1})),
    "catch": ({"blind": True}, [1], ({"ball_x": 0}, {"ball_x": 4})),
    "key_door": ({"view": "partial", "size": 20, "walls": 0.0}, [], ({"key": 410}, {"key": 500})),
}


@pytest.mark.parametrize("name", [name for name in HIDDEN if name != "key_door"])
def test_a_person_who_plays_sees_no_more_than_an_agent(name):
    """Two episodes that look alike to an agent look alike to a player, and not to people who watch."""
    options, actions, state = HIDDEN[name]
    first, second = frames(name, playing=True, actions=actions, state=state, **options)
    assert np.array_equal(first, second)
    first, second = frames(name, playing=False, actions=actions, state=state, **options)
    assert not np.array_equal(first, second)


def test_a_player_sees_what_an_agent_sees_at_first():
    for name in ("t_maze", "memory_chain"):
        _, _, state = HIDDEN[name]
        first, second = frames(name, playing=True, actions=[], state=state)
        assert not np.array_equal(first, second)


def test_a_player_does_not_see_beyond_a_partial_view_or_the_right_key():
    env = env_of("key_door", view="partial", size=20).make(1)
    env.reset(seed=0)
    watched, played = (env.step_frames(0, playing=playing)[-1] for playing in (False, True))
    dark = played.max(2) < 2
    assert dark.mean() > 0.5
    assert watched[dark].max() > 2
    assert np.array_equal(watched[~dark], played[~dark])
    env = env_of("deep_sea").make(1)
    env.reset(seed=0)
    watched, played = ((env.step_frames(0, playing=playing)[-1] == WHITE).all(2).sum() for playing in (False, True))
    assert (watched > 0, played) == (True, 0)


def test_atari_shows_every_frame_of_a_step():
    env = AtariConfig(game="breakout", noop_max=0, sticky=0.0).make(1)
    env.reset(seed=0)
    assert len(env.step_frames(0, playing=True)) == 1
    for _ in range(3):
        env.step(np.array([1]))
        shown = env.step_frames(0, playing=True)
    assert len(shown) == 4
    assert np.array_equal(shown[-1], env.render_frame(0))
    slow = AtariConfig(game="breakout", noop_max=0, sticky=0.0, frame_skip=1).make(1)
    slow.reset(seed=0)
    singles = []
    for _ in range(12):
        slow.step(np.array([1]))
        singles.append(slow.render_frame(0))
    assert all(np.array_equal(a, b) for a, b in zip(shown, singles[-4:], strict=True))
