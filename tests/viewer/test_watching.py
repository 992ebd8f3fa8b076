"""An agent at play in a session: pace, keys, hand-over, checkpoints."""

import numpy as np
import pytest
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.envs.catch import CatchConfig
from sandbox.viewer.controls import PlaybackControls
from sandbox.viewer.keys import Key

CATCH = CatchConfig()


@pytest.fixture
def face(watch, steady):
    return watch(CATCH.make(1), steady(1))


def size_of(path):
    with Image.open(path) as image:
        return image.size


def test_it_shows_every_step_and_goes_on(face):
    face.play(*[None] * 16)
    assert face.steps == [*range(10), 0, 1, 2]
    assert face.session.news() == [f"seed 0: return {face.each('return')[9]} in 9 steps"]
    assert [banner for banner in face.each("banner") if banner] == [f"return {face.each('return')[9]}"]
    assert face.each("seed")[-1] == "1"
    face.session.close()
    assert face.session.news() == ["seed 1: return 0 in 2 steps (left early)"]


def test_steps_take_their_time_and_an_end_stays_a_second(face):
    face.play(*[None] * 4)
    assert face.now == 4 / 16
    face.play(*[None] * 5)
    assert face.steps[-1] == 9
    while face.steps[-1] == 9:
        face.play(None)
    assert face.now == pytest.approx(9 / 16 + 1.0)


def test_the_time_an_agent_thinks_does_not_slow_the_show(face, steady, monkeypatch):
    def think(self, observations, state, *, explore):
        face.now += 1 / 64
        return np.ones(1, np.int64), state

    monkeypatch.setattr(steady, "act", think)
    face.play(*[None] * 8)
    assert face.now == 8 / 16 + 1 / 64  # the last one's


def test_a_slow_face_skips_pictures_not_steps(face):
    face.play(*["+"] * 7)  # 120 steps a second
    face.now += 0.034
    face.play(None)
    assert face.steps[-2:] == [0, 4]
    face.now += 3600  # asleep: no more than a tenth of a second is caught up with
    face.play(None)
    assert (face.steps[-1], face.each("seed")[-1]) == (9, "0")


def test_pause_holds_and_goes_on(face):
    face.play(None, "space", None, None, None, "space", None, None)
    assert face.steps == [0, 1, 1, 1, 2, 3]
    assert face.each("state") == ["16/s", "16/s", "paused", "16/s", "16/s", "16/s"]


def test_a_pause_does_not_keep_the_machine_busy(face):
    face.play("space", *[None] * 10)
    assert face.now == pytest.approx(2.0)
    assert len(face.shown) == 2


def test_single_steps(face):
    face.play(None, "right", None, "n", None, "right", "n", None)
    assert list(zip(face.steps, face.each("state"), strict=True))[-3:] == [(3, "paused"), (4, "paused"), (5, "paused")]


def test_speed_has_ends(face):
    face.play("+", "=", "[+]", "-", "[-]", "-")
    assert face.each("state") == ["16/s", "20/s", "25/s", "30/s", "25/s", "20/s", "15/s"]
    face.play(*["+"] * 30)
    assert face.each("state")[-1] == "240/s"
    face.play(*["-"] * 40)
    assert face.each("state")[-1] == "1/s"


def test_the_same_seed_again_or_the_next(face):
    face.play(None, None, "r", None, "d", None, "q")
    assert list(zip(face.steps, face.each("seed"), strict=True))[2:6] == [(2, "0"), (0, "0"), (1, "0"), (0, "1")]
    assert face.session.over
    assert face.session.news() == [
        "seed 0: return 0 in 2 steps (left early)",
        "seed 0: return 0 in 1 steps (left early)",
    ]


def test_help_lists_the_keys_that_do_something(face):
    face.play("h")
    game, others = (dict(words) for words in face.shown[-1].help)
    assert list(game) == ["space", "n", "+ -", "r", "d", "tab", "e"]
    assert list(others) == ["3", "0", "s", "v", "h", "q"]
    face.play("h")
    assert face.shown[-1].help == ()


def test_tab_hands_the_joystick_over_and_back(face):
    face.play(None, "tab", "left", None, Key("left", False), "tab", None)
    assert face.each("joystick")[-1] == "the agent's"
    assert dict(face.shown[3].hints)["left right"] == "play"
    env, actions = CATCH.make(1), [1, 0, 1]
    env.reset(seed=0)
    for action in actions:
        env.step(np.array([action]))
    np.testing.assert_array_equal(face.shown[-1].picture, env.draw(0))


def test_an_agent_without_the_joystick_thinks_along(watch, steady):
    agent = steady(1)
    watch(CATCH.make(1), agent).play("tab", "space", "space", *[None] * 4)
    assert agent.states == [0, 1, 2, 3, 4]


def test_it_can_play_as_in_training(watch, steady):
    agent = steady(1)
    face = watch(CATCH.make(1), agent).play(None)
    assert agent.explored == {False}
    face.play("e", None)
    assert agent.explored == {False, True}
    assert face.each("plays")[-1] == "as in training"


def test_screenshots_are_numbered_and_named(face, tmp_path):
    face.session.picture(900, 640)
    face.play("s", None, "s")
    assert face.each("saved")[1:] == ["screenshot-001.png", "screenshot-001.png", "screenshot-002.png"]
    assert size_of(tmp_path / "screenshot-002.png") == (900, 640)


def test_where_nothing_can_be_written_it_goes_elsewhere(watch, steady, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    face = watch(CATCH.make(1), steady(1))
    (tmp_path / "file").touch()
    face.session._remote = PlaybackControls(16.0, tmp_path / "file")
    face.play("s", "v", None, "v")
    assert face.each("saved")[1] == str(tmp_path / "elsewhere" / "screenshot-001.png")
    assert face.each("recorded")[-1] == str(tmp_path / "elsewhere" / "recording-001.mp4")


def test_a_screenshot_that_cannot_be_saved_does_not_end_the_show(watch, steady, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone, too"))
    face = watch(CATCH.make(1), steady(1))
    face.session._remote = PlaybackControls(16.0, tmp_path / "gone")
    face.play("s", None)
    assert "No such file or directory" in face.each("not saved:")[-1]
    assert face.steps[-1] == 1


def test_a_film_of_the_session(face, tmp_path):
    face.session.picture(820, 600)
    face.play("v", None, None)
    assert face.each("recording")[-1] == "recording-001.mp4"
    assert face.each("state")[-1] == "recording  ·  16/s"
    face.session.picture(400, 300)  # the window shrinks, the film does not
    face.play(None, "v")
    assert face.each("recorded")[-1] == "recording-001.mp4"
    assert (tmp_path / "recording-001.mp4").stat().st_size > 1000
    face.play("v", None)
    face.session.close()
    assert face.session.news()[-1] == "recorded recording-002.mp4"


def test_without_an_encoder_the_film_is_a_gif(face, tmp_path, monkeypatch):
    def broken(self, frame):
        raise UserError("no encoder")

    monkeypatch.setattr("sandbox.media.video._Video.write", broken)
    face.play("v", None, "v")
    assert face.each("recorded")[-1] == "recording-001.gif"
    assert size_of(tmp_path / "recording-001.gif") == (960, 640)
    assert not list(tmp_path.glob("*.mp4*"))


def test_unknown_keys_do_nothing(face):
    face.play("f12", Key("space", False), "tab", "tab")
    assert not face.session.over
