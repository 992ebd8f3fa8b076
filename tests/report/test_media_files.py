"""Selection of videos and images within a budget."""

from sandbox.report.media_files import MediaBudget
from sandbox.report.run_record import RunRecord


def test_the_newest_playable_video(make, video):
    run = make("a", [1.0])
    video(run.videos / "step_000000000100.mp4")
    (run.videos / "step_000000000200.mp4").write_bytes(b"not a video")
    (run.videos / "step_000000000300.mp4.partial").write_bytes(b"being written")
    budget = MediaBudget()
    media = budget.video(RunRecord.read(run))
    assert (media.file.name, media.caption) == ("step_000000000100.mp4", "a: at step 100")
    (line,) = budget.left_out
    assert line.startswith(f"`{run.videos}/step_000000000200.mp4` is left out: it cannot be shown (")


def test_a_truncated_video(make, video):
    run = make("a", [1.0])
    file = run.videos / "step_000000000100.mp4"
    video(file)
    file.write_bytes(file.read_bytes()[:60])
    budget = MediaBudget()
    assert budget.video(RunRecord.read(run)) is None
    assert len(budget.left_out) == 1


def test_what_is_too_large_is_left_out_and_what_fits_is_counted(make, png):
    run = make("a", [1.0], generator=True, learner="vae")
    for name in ("vary_env.p", "walk", "recon"):
        png(run.samples / f"{name}.png")
    size = (run.samples / "walk.png").stat().st_size
    budget = MediaBudget(total_bytes=2 * size, file_bytes=size)
    assert [media.caption for media in budget.others(RunRecord.read(run))] == ["a: recon", "a: return over env.p"]
    assert budget.left_out == [f"`{run.samples}/walk.png` is left out: it has 0.0 MiB, and only 0.0 MiB are available."]


def test_samples_are_the_newest_of_each_kind(make, png):
    run = make("a", [1.0], generator=True, learner="vae")
    for name in ("step_000000000100", "step_000000000200", "filters_step_000000000200", "reconstructions"):
        png(run.samples / f"{name}.png")
    shown = {media.file.name: (media.caption, media.kind) for media in MediaBudget().samples(RunRecord.read(run))}
    assert shown == {
        "step_000000000200.png": ("a: at step 200", "samples"),
        "filters_step_000000000200.png": ("a: filters at step 200", "filters"),
    }


def test_a_run_without_any(make):
    record = RunRecord.read(make("a"))
    budget = MediaBudget()
    assert (budget.video(record), budget.samples(record), budget.others(record), budget.left_out) == (None, [], [], [])
