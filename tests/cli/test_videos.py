"""Videos of agents, snapshots of a training, and sessions of a generator."""

import av
import pytest

from sandbox.cli._videos import stages
from sandbox.runs.sessions import watch_session
from sandbox.storage.run_folder import RunFolder
from sandbox.viewer.keys import Key

CATCH = [
    "catch_dqn",
    "agent.backbone={name: mlp, hidden: [8]}",
    "agent.stream.replay={num_envs: 2, capacity: 400, warmup: 20, update_period: 8}",
    "steps=80",
    "log_period=4",
    "checkpoint_period=40",
    "evaluate_period=0",
    "logger.wandb=off",
    "threads=1",
]


def size_and_count(path):
    with av.open(str(path)) as video:
        frames = list(video.decode(video=0))
    return (frames[0].width, frames[0].height), len(frames)


def steps(folder):
    return [int(place.name.removeprefix("step_")) for place in sorted(folder.iterdir())]


def test_snapshots_and_videos(sandbox, tmp_path):
    assert sandbox("train", *CATCH).code == 0
    run = tmp_path / "runs" / "catch_dqn_s0"
    kept = steps(run / "snapshots")
    assert len(kept) == 4
    assert all(abs(step - share) < 9 for step, share in zip(kept, (20, 40, 60, 80), strict=True))
    assert not list((run / "snapshots").glob("*/stream*"))  # no replay: they are small

    said = sandbox("watch", "latest", "--progress-video", "progress.gif", "--seed", "3")
    assert (said.code, said.out) == (0, "progress.gif\n")
    assert "recording seed 3 at steps 0, " in said.err
    assert said.err.count("seed 3: return ") == 5

    said = sandbox("watch", "latest", "--video", "agent.mp4", "--episodes", "1", "--panels")
    assert (said.code, said.out) == (0, "agent.mp4\n")
    assert size_and_count(tmp_path / "agent.mp4") == ((960, 640), 10 + 4)

    (tmp_path / "file").touch()
    said = sandbox("watch", "latest", "--video", "file/agent.mp4")
    assert said.code == 2
    assert said.err.splitlines()[-1] == (
        "error: cannot write file/agent.mp4: [Errno 17] File exists: 'file'. Choose a writable place with free space."
    )


@pytest.mark.parametrize("words", [["watch", "--video"], ["watch", "--progress-video"], ["sample", "--video"]])
def test_another_kind_of_file_is_refused_before_a_run_is_looked_for(sandbox, words):
    said = sandbox(words[0], "nothing", words[1], "out.txt")
    assert said.code == 2
    assert said.err.splitlines()[-1] == (
        "error: cannot write a video to out.txt: the name must end in .mp4, .webm or .gif."
    )


def test_without_a_display_a_video_is_written_and_alternatives_are_named(sandbox, tmp_path, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert sandbox("train", "catch_random", "steps=20", "logger.wandb=off", "name=player").code == 0
    said = sandbox("watch", "player", "--episodes", "1")
    assert said.err.startswith(
        "note: no display: neither DISPLAY nor WAYLAND_DISPLAY is set. "
        "A video is written instead; `--web` shows it in a browser, `--video FILE` names the file.\n"
    )
    assert said.out == "runs/player/videos/watch.mp4\n"
    said = sandbox("play", "catch")
    assert said.err == (
        "error: no display: neither DISPLAY nor WAYLAND_DISPLAY is set. "
        "Play in a browser with `--web`, or run it on a machine with a screen, or over `ssh -X`.\n"
    )


def test_a_generator_has_no_video_but_a_session(sandbox, tmp_path):
    words = ("data.name=frames", "data.env.name=catch", "data.count=160", "generator.name=autoencoder", "steps=4")
    assert sandbox("train", *words, "name=painter", "logger.wandb=off").code == 0
    said = sandbox("watch", "painter", "--video", "agent.mp4")
    assert said.err == (
        "error: painter is a generator, which has no episodes for a video. Watch it in a window, in a browser with "
        "`--web`, or write an image with `sandbox sample painter`.\n"
    )
    session = watch_session(RunFolder(tmp_path / "runs" / "painter"), None, seed=0, fps=None)
    titles = []
    for _ in range(3):
        titles.append(session.view().title)
        assert session.render(820, 600).shape == (600, 820, 3)
        session.handle_key(Key("tab", True))
    assert titles == [f"painter · step 4 · {view}" for view in ("samples", "latents", "live reconstruction")]


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ([25, 50, 75, 100], [0, 25, 50, 75, 100]),
        ([90, 100], [0, 90, 100]),
        ([24, 26, 49, 100], [0, 24, 49, 100]),
        ([30], [0, 30]),
        ([], [0]),
    ],
)
def test_the_nearest_that_was_kept_stands_for_each_stage(kept, shown):
    assert stages(kept, 100) == shown
