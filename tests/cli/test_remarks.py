"""Notes and refusals around a training: replaced sections, too few steps, exports, finished runs, cut videos."""

import pytest
from tiny_runs import TINY

from sandbox.cli import _videos
from sandbox.cli._remarks import note_replaced, note_short
from sandbox.core.progress import Progress
from sandbox.runs.resolve import resolve


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (
            ["agent.name=rainbow"],
            "note: agent.name=rainbow replaces the whole section agent of ",
        ),
        (["agent={name: r2d2}"], "note: agent.name=r2d2 replaces the whole section agent of "),
        (["agent.backbone.name=mlp"], "note: agent.backbone.name=mlp replaces the whole section agent.backbone of "),
        (["agent.name=dqn"], ""),
        (["env.name=snake"], ""),  # nothing but a name is replaced
        (["seed=3", "name=other"], ""),
    ],
)
def test_a_replaced_section_is_told(capsys, overrides, told):
    note_replaced(["catch_dqn"], overrides)
    said = capsys.readouterr().err
    assert said.startswith(told)
    assert bool(said) == bool(told)
    if "agent.name" in told:
        assert "catch_dqn.yaml:" in said
        assert "its agent.backbone, agent.target_period, " in said


@pytest.mark.parametrize(("steps", "is_told"), [(499, True), (500, False), (1, True)])
def test_steps_within_the_warm_up_are_told(capsys, steps, is_told):
    note_short(resolve(["catch_dqn"], [f"steps={steps}"]))
    said = capsys.readouterr().err
    assert said == (
        f"note: steps={steps} is less than the warm-up of 500 steps (agent.stream.replay.warmup): the run ends with "
        "its first update, beyond its last step\n"
        if is_told
        else ""
    )
    note_short(resolve(["digits_vae"], ["steps=1"]))
    assert capsys.readouterr().err == ""


def noting(method, phases):
    """The method of the progress, which also notes the names of the phases."""

    def noted(self, name, **about):
        phases.add(name)
        return method(self, name, **about)

    return noted


def test_exports_finished_runs_and_videos_that_end_early(sandbox, tmp_path, monkeypatch):
    phases = {"imports"}
    for method in ("now", "phase"):
        monkeypatch.setattr(Progress, method, noting(getattr(Progress, method), phases))
    assert sandbox("train", *TINY, "steps=300", "keep_replay=true").code == 0
    assert sandbox("export", "latest", "--out", "given").code == 0
    said = sandbox("resume", "given")
    assert said.code == 2
    assert said.err.startswith(
        "error: given is an export: it holds the weights, but no replay, no environments and no "
    )
    assert "damaged" not in said.err

    again = sandbox("resume", "catch_dqn_s0")
    assert again.code == 0
    assert "note: this run is finished (step 304 of 300); add --steps N to train it further, such as " in again.err
    assert "`sandbox resume runs/catch_dqn_s0 --steps 608`" in again.err

    assert sandbox("resume", "steps=320").code == 0
    assert '"step": 320' in (tmp_path / "runs/catch_dqn_s0/summary.json").read_text()
    for wrong in ("steps=many", "steps=0", "steps=1.5", "steps=true", "seed=2"):
        said = sandbox("resume", "latest", wrong)
        assert said.code == 2
        assert wrong in said.err
    assert "one run is resumed at a time: a or b" in sandbox("resume", "a", "b").err

    monkeypatch.setattr(_videos, "_MAX_STEPS", 25)  # an episode has ten frames
    said = sandbox("watch", "latest", "--video", "cut.gif", "--episodes", "4")
    assert said.err.endswith("note: the video ends at its limit of 25 frames, with 2 of 4 episodes to their end\n")
    assert {
        "imports", "reading the config", "building the agent", "training", "saving", "closing the log",
        "copying", "loading the checkpoint", "rendering the video",
    } <= phases  # fmt: skip


def test_without_a_display_a_generator_gets_one_message(sandbox, tmp_path, monkeypatch):
    from sandbox.storage.run_folder import RunFolder

    for variable in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    config = "steps: 1\ndata: {name: digits}\ngenerator: {name: rbm}\n"
    RunFolder.create(tmp_path / "runs", "painter", config=config, command=[])
    said = sandbox("watch", "painter")
    assert said.code == 2
    assert said.err.startswith("error: painter is a generator, which has no episodes for a video. ")
    assert said.err.count("\n") == 1


def test_a_config_is_shown_with_what_its_options_mean(sandbox):
    import yaml

    said = sandbox("show", "catch_dqn").out
    assert "# length of the training, in steps (whole number above 0)\nsteps: 12000\n" in said
    assert "# options of this section: `sandbox show dqn`\nagent:\n" in said
    assert max(map(len, said.splitlines())) <= 80
    assert yaml.safe_load(said)["threads"] == 1
    described = [line for line in said.splitlines() if line.startswith("# ") and line[2] != " "]
    assert len(described) == sum(line[0] not in " #" for line in said.splitlines())
