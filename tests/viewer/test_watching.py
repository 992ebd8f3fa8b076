"""Sessions in which an agent plays: speed, keys, control, screenshots and videos."""

import numpy as np
import pytest
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.envs.catch import CatchConfig
from sandbox.viewer.keys import Key

CATCH = CatchConfig()


@pytest.fixture
def frontend(watch, steady):
    return watch(CATCH.make(1), steady(1))


def size_of(path):
    with Image.open(path) as image:
        return image.size


def test_every_step_is_shown_and_the_next_episode_follows(frontend):
    frontend.play(*[None] * 16)
    assert frontend.steps == [*range(10), 0, 1, 2]
    assert frontend.session.pop_messages() == [f"seed 0: return {frontend.each('return')[9]} in 9 steps"]
    assert [banner for banner in frontend.each("banner") if banner] == [f"return {frontend.each('return')[9]}"]
    assert frontend.each("seed")[-1] == "1"
    frontend.session.close()
    assert frontend.session.pop_messages() == ["seed 1: return 0 in 2 steps (left early)"]


def test_steps_follow_the_clock_and_the_last_frame_stays_a_second(frontend):
    frontend.play(*[None] * 4)
    assert frontend.now == 4 / 16
    frontend.play(*[None] * 5)
    assert frontend.steps[-1] == 9
    while frontend.steps[-1] == 9:
        frontend.play(None)
    assert frontend.now == pytest.approx(9 / 16 + 1.0)


def test_an_agents_computation_does_not_slow_playback(frontend, steady, monkeypatch):
    def think(self, observations, state, *, explore):
        frontend.now += 1 / 64
        return np.ones(1, np.int64), state

    monkeypatch.setattr(steady, "act", think)
    frontend.play(*[None] * 8)
    assert frontend.now == 8 / 16 + 1 / 64  # that of the last step


def test_a_slow_frontend_skips_frames_not_steps(frontend):
    frontend.play(*["+"] * 7)  # 120 steps per second
    frontend.now += 0.034
    frontend.play(None)
    assert frontend.steps[-2:] == [0, 4]
    frontend.now += 3600  # the machine slept: a tenth of a second is caught up with
    frontend.play(None)
    assert (frontend.steps[-1], frontend.each("seed")[-1]) == (9, "0")


def test_pause_holds_and_goes_on(frontend):
    frontend.play(None, "space", None, None, None, "space", None, None)
    assert frontend.steps == [0, 1, 1, 1, 2, 3]
    assert frontend.each("playback") == ["16/s", "16/s", "paused", "16/s", "16/s", "16/s"]


def test_a_pause_does_not_keep_the_machine_busy(frontend):
    frontend.play("space", *[None] * 10)
    assert frontend.now == pytest.approx(2.0)
    assert len(frontend.shown) == 2


def test_single_steps(frontend):
    frontend.play(None, "right", None, "n", None, "right", "n", None)
    assert list(zip(frontend.steps, frontend.each("playback"), strict=True))[-3:] == [
        (3, "paused"),
        (4, "paused"),
        (5, "paused"),
    ]


def test_speed_has_ends(frontend):
    frontend.play("+", "=", "[+]", "-", "[-]", "-")
    assert frontend.each("playback") == ["16/s", "20/s", "25/s", "30/s", "25/s", "20/s", "15/s"]
    frontend.play(*["+"] * 30)
    assert frontend.each("playback")[-1] == "240/s"
    frontend.play(*["-"] * 40)
    assert frontend.each("playback")[-1] == "1/s"


def test_the_same_seed_again_or_the_next(frontend):
    frontend.play(None, None, "r", None, "d", None, "q")
    assert list(zip(frontend.steps, frontend.each("seed"), strict=True))[2:6] == [
        (2, "0"),
        (0, "0"),
        (1, "0"),
        (0, "1"),
    ]
    assert frontend.session.quit_requested
    assert frontend.session.pop_messages() == [
        "seed 0: return 0 in 2 steps (left early)",
        "seed 0: return 0 in 1 steps (left early)",
    ]


def test_help_lists_the_keys_that_do_something(frontend):
    frontend.play("h")
    game, others = (dict(words) for words in frontend.shown[-1].card.columns)
    assert list(game) == ["space", "n", "+ -", "r", "d", "t tab", "e"]
    assert list(others) == ["3", "0", "s", "v", "f f11", "h", "q"]
    frontend.play("h")
    assert frontend.shown[-1].card is None


def test_tab_hands_control_over_and_back(frontend):
    frontend.play(None, "tab").ready().play("left", None, Key("left", False), "tab", None)
    assert frontend.each("control")[-1] == "the agent's"
    assert dict(frontend.shown[3].hints)["left right"] == "move"
    env, actions = CATCH.make(1), [1, 0, 1]
    env.reset(seed=0)
    for action in actions:
        env.step(np.array([action]))
    np.testing.assert_array_equal(frontend.shown[-1].frame, env.render_frame(0))


def test_an_agent_without_control_keeps_its_state_up_to_date(watch, steady):
    agent = steady(1)
    watch(CATCH.make(1), agent).play("t", "space", "space").ready().play(*[None] * 4)
    assert agent.states == [0, 1, 2, 3, 4]


def test_the_agent_can_explore_as_in_training(watch, steady):
    agent = steady(1)
    frontend = watch(CATCH.make(1), agent).play(None)
    assert agent.explored == {False}
    frontend.play("e", None)
    assert agent.explored == {False, True}
    assert frontend.each("explores")[-1] == "as in training"


def test_screenshots_are_numbered_and_named(frontend, tmp_path):
    frontend.session.render(900, 640)
    frontend.play("s", None, "s")
    assert frontend.each("saved")[1:] == ["screenshot-001.png", "screenshot-001.png", "screenshot-002.png"]
    assert size_of(tmp_path / "screenshot-002.png") == (900, 640)


def test_files_go_elsewhere_if_the_folder_cannot_be_written(watch, steady, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    (tmp_path / "file").touch()
    frontend = watch(CATCH.make(1), steady(1), folder=tmp_path / "file")
    frontend.play("s", "v", None, "v")
    assert frontend.each("saved")[1] == str(tmp_path / "elsewhere" / "screenshot-001.png")
    assert frontend.each("recorded")[-1] == str(tmp_path / "elsewhere" / "recording-001.mp4")


def test_a_screenshot_that_cannot_be_saved_does_not_end_the_session(watch, steady, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone, too"))
    frontend = watch(CATCH.make(1), steady(1), folder=tmp_path / "gone")
    frontend.play("s", None)
    assert "No such file or directory" in frontend.each("not saved:")[-1]
    assert frontend.steps[-1] == 1


def test_a_video_of_the_session(frontend, tmp_path):
    frontend.session.render(820, 600)
    frontend.play("v", None, None)
    assert frontend.each("recording")[-1] == "recording-001.mp4"
    assert frontend.each("playback")[-1] == "recording  ·  16/s"
    frontend.session.render(400, 300)  # the window shrinks, the video does not
    frontend.play(None, "v")
    assert frontend.each("recorded")[-1] == "recording-001.mp4"
    assert (tmp_path / "recording-001.mp4").stat().st_size > 1000
    frontend.play("v", None)
    frontend.session.close()
    assert frontend.session.pop_messages()[-1] == "recorded recording-002.mp4"


def test_without_an_encoder_the_video_is_a_gif(frontend, tmp_path, monkeypatch):
    def broken(self, frame):
        raise UserError("no encoder")

    monkeypatch.setattr("sandbox.media.video.AvEncoder.write", broken)
    frontend.play("v", None, "v")
    assert frontend.each("recorded")[-1] == "recording-001.gif"
    assert size_of(tmp_path / "recording-001.gif") == (960, 640)
    assert not list(tmp_path.glob("*.mp4*"))


def test_unknown_keys_do_nothing(frontend):
    frontend.play("f12", Key("space", False), "tab", "tab")
    assert not frontend.session.quit_requested
