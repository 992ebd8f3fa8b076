"""The options of Atari: protocols, and games, modes and keys that exist."""

import numpy as np
import pytest
from ale_py import roms
from pydantic import ValidationError

from sandbox.core.errors import UserError
from sandbox.envs._atari.emulators import load
from sandbox.envs.atari import AtariConfig


def test_the_protocols_by_name_and_each_field_by_its_own() -> None:
    fields = ("sticky", "actions", "life_loss_ends_episode", "noop_max", "max_frames", "frame_skip", "max_pool")
    nature, machado = (AtariConfig(protocol=name).model_dump() for name in ("nature2015", "machado2018"))
    assert [nature[field] for field in fields] == [0.0, "minimal", True, 30, 108_000, 4, True]
    assert [machado[field] for field in fields] == [0.25, "full", False, 0, 18_000, 4, True]
    assert nature["fire_on_reset"] is machado["fire_on_reset"] is False
    mixed = AtariConfig(protocol="machado2018", sticky=0.1)
    assert (mixed.sticky, mixed.noop_max) == (0.1, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"game": "pongg"}, "no Atari game is called 'pongg'. Did you mean 'pong'?"),
        ({"game": "MsPacman"}, "no Atari game is called 'MsPacman'. Did you mean 'ms_pacman' or 'pacman'?"),
        ({"game": "xyzzy"}, "no Atari game is called 'xyzzy'. Known: adventure, air_raid,"),
        ({"game": "combat"}, "combat needs two players, which the emulator does not support; choose another game"),
        ({"protocol": "nature"}, "Input should be 'nature2015' or 'machado2018'"),
        ({"frame_skip": 0}, "greater than or equal to 1"),
        ({"sticky": 1.0}, "less than 1"),
    ],
)
def test_options_that_do_not_exist_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValidationError) as error:
        AtariConfig(**options)
    assert message in str(error.value)


def test_a_mode_that_the_game_does_not_have(start) -> None:
    with pytest.raises(UserError, match=r"^env.mode: pong has no mode 7; it has 0, 1$"):
        AtariConfig(mode=7, workers=1).make(1)
    with pytest.raises(UserError, match=r"^env.difficulty: pong has no difficulty 9; it has 0, 1, 2, 3$"):
        AtariConfig(difficulty=9, workers=1).make(1)
    assert not np.array_equal(start(difficulty=0).render_frame(0), start(game="breakout", mode=8).render_frame(0))
    assert load("pong", 1, 3).cloneSystemState().getDifficulty() == 3


def test_all_games_of_one_player_are_known() -> None:
    """A game that draws random numbers would need its generator seeded; none does (tried on all of them)."""
    known = []
    for game in roms.get_all_rom_ids():
        try:
            known.append(AtariConfig(game=game).game)
        except ValidationError:
            assert game in {"combat", "joust", "maze_craze", "warlords"}
    assert len(known) == 104


def test_people_see_the_games_colors_and_play_with_chords(start, replay_of) -> None:
    env = start(protocol="machado2018", noop_max=0, sticky=0.0)
    replay = replay_of("pong")
    assert np.array_equal(env.render_frame(0)[::2, ::3], replay.ale.getScreenRGB())
    env.step(np.array([2]))
    replay.play(2)
    assert env.render_frame(0).shape == (420, 480, 3)
    assert np.array_equal(env.render_frame(0)[1::2, 2::3], replay.ale.getScreenRGB())
    keys = env.controls[0].keys
    assert (keys["space"], keys["up"], keys["right"], keys["left"], keys["down"]) == (1, 2, 3, 4, 5)
    assert (keys["up+space"], keys["down+left+space"], env.controls[0].idle) == (10, 17, 0)
    assert list(start(game="freeway").controls[0].keys) == ["up", "down"]
    assert env.fps == 15
