"""Films of agents, snapshots on the way, and what can be watched of a generator."""

import av
import pytest

from sandbox.cli._films import stages
from sandbox.runs.sessions import watching
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
    with av.open(str(path)) as film:
        frames = list(film.decode(video=0))
    return (frames[0].width, frames[0].height), len(frames)


def steps(folder):
    return [int(place.name.removeprefix("step_")) for place in sorted(folder.iterdir())]


def test_snapshots_and_films(sandbox, tmp_path):
    assert sandbox("train", *CATCH).code == 0
    run = tmp_path / "runs" / "catch_dqn_s0"
    kept = steps(run / "snapshots")
    assert len(kept) == 4
    assert all(abs(step - share) < 9 for step, share in zip(kept, (20, 40, 60, 80), strict=True))
    assert not list((run / "snapshots").glob("*/stream*"))  # no replay: they are small

    said = sandbox("watch", "latest", "--progress-film", "progress.gif", "--seed", "3")
    assert (said.code, said.out) == (0, "progress.gif\n")
    assert "filming seed 3 at steps 0, " in said.err
    assert said.err.count("seed 3: return ") == 5

    said = sandbox("watch", "latest", "--video", "film.mp4", "--episodes", "1", "--panels")
    assert (said.code, said.out) == (0, "film.mp4\n")
    assert size_and_count(tmp_path / "film.mp4") == ((960, 640), 10 + 4)

    (tmp_path / "file").touch()
    said = sandbox("watch", "latest", "--video", "file/film.mp4")
    assert said.code == 2
    assert said.err.splitlines()[-1] == (
        "error: cannot write file/film.mp4: [Errno 17] File exists: 'file'. "
        "Choose a place with room that you may write to."
    )


def test_without_a_display_it_films_and_says_what_else_there_is(sandbox, tmp_path, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert sandbox("train", "catch_random", "steps=20", "logger.wandb=off", "name=player").code == 0
    said = sandbox("watch", "player", "--episodes", "1")
    assert said.err.startswith(
        "note: no display: neither DISPLAY nor WAYLAND_DISPLAY is set. Filming instead; "
        "or see it in a browser with `--web`, or film elsewhere with `--video FILE`.\n"
    )
    assert said.out == "runs/player/videos/watch.mp4\n"
    said = sandbox("play", "catch")
    assert said.err == (
        "error: no display: neither DISPLAY nor WAYLAND_DISPLAY is set. "
        "Play in a browser with `--web`, or run it on a machine with a screen, or over `ssh -X`.\n"
    )


def test_a_generator_is_not_filmed_but_has_a_session(sandbox, tmp_path):
    words = ("data.name=frames", "data.env.name=catch", "data.count=160", "generator.name=autoencoder", "steps=4")
    assert sandbox("train", *words, "name=painter", "logger.wandb=off").code == 0
    said = sandbox("watch", "painter", "--video", "film.mp4")
    assert said.err == (
        "error: painter is a generator, of which there is no film to make here: watch it on a screen, or in a "
        "browser with `--web`, or draw a picture with `sandbox sample painter`\n"
    )
    session = watching(RunFolder(tmp_path / "runs" / "painter"), None, seed=0, fps=None)
    titles = []
    for _ in range(3):
        titles.append(session.view().title)
        assert session.picture(820, 600).shape == (600, 820, 3)
        session.press(Key("tab", True))
    assert titles == [f"painter · step 4 · {room}" for room in ("samples", "latents", "live game")]


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
