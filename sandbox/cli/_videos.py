"""Videos of agents, for `sandbox watch`."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from sandbox.core.errors import UserError
from sandbox.core.messages import note, say
from sandbox.core.progress import progress
from sandbox.interfaces.learner import model_parts
from sandbox.runs.build import build_new, use_threads
from sandbox.runs.resolve import config_of
from sandbox.runs.sessions import Match
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.run_folder import RunFolder
from sandbox.viewer.episode import Frame, PlayerSlot, episodes
from sandbox.viewer.episode_video import PanelRenderer, record_video
from sandbox.viewer.progress_video import record_progress_video

_SHARES = (0.25, 0.5, 0.75, 1.0)  # of the training that a progress video shows, besides its beginning
_MAX_STEPS = 3_000  # of all episodes of a video together


def write_video(match: Match, place: Path, count: int, *, seed: int, fps: float | None, panels: bool) -> None:
    """Write `count` episodes to `place`, and print how each ended."""
    title = f"{match.title} · step {match.checkpoints.step:,}"
    note(f"recording {count} {'episode' if count == 1 else 'episodes'} of {title} to {place}")
    progress.now("rendering the video")
    played = _counted(islice(episodes(match.players, match.env, seed=seed), count))
    fps = fps or match.env.fps
    if panels:
        render_frame = PanelRenderer(match.players[0], match.env.controls[0], title)
        last_frames = record_video(played, place, fps=fps, max_frames=_MAX_STEPS, render_frame=render_frame)
    else:
        last_frames = record_video(played, place, fps=fps, max_frames=_MAX_STEPS)
    shown = list[Frame]()
    for last in last_frames:
        _print_end(last)
        shown.append(last)
    if len(shown) < count or not shown[-1].is_last:
        whole = sum(last.is_last for last in shown)
        note(f"the video ends at its limit of {_MAX_STEPS:,} frames, with {whole} of {count} episodes to their end")


def write_progress_video(folder: RunFolder, place: Path, *, seed: int, fps: float | None) -> None:
    """Write one episode, with the same seed, at 0, 25, 50, 75 and 100 % of a training, side by side.

    Raises:
        UserError: If the run trains a generator, or has no checkpoint.
    """
    config = config_of(folder).require_agent(folder.name)
    use_threads(config)
    stores = [Checkpoints(folder.snapshots), Checkpoints(folder.checkpoints)]
    kept = sorted({step for store in stores for step in store.steps()})
    steps = stages(kept, config.steps)
    if len(steps) < 2:
        raise UserError(f"{folder.name} has no checkpoint yet; wait for one, or train with snapshots=4")
    fps = fps or config.env.make(1).fps
    played, titles = [], []
    for step in steps:
        built = build_new(config, folder.path.parent)
        if step:
            next(store for store in stores if step in store.steps()).load(model_parts(built.learner), step)
        player = PlayerSlot(built.require_agent(folder.name).learner)
        played.append(next(episodes([player], config.env.make(1, for_people=True), seed=seed)))
        titles.append(f"step {step:,}  ·  {100 * step / config.steps:.0f} %")
    progress.now("rendering the video")
    note(f"recording seed {seed} at steps {', '.join(f'{step:,}' for step in steps)} of {folder.name} to {place}")
    last_frames = record_progress_video(played, titles, place, fps=fps, max_frames=_MAX_STEPS)
    for last in last_frames:
        _print_end(last)
    if not all(last.is_last for last in last_frames):
        note(f"the video ends at its limit of {_MAX_STEPS:,} frames, before the end of every episode")


def _counted(played: Iterable[Iterator[Frame]]) -> Iterator[Iterator[Frame]]:
    """Yield the same episodes, and count their frames for the display of progress."""
    done = 0

    def frames(episode: Iterator[Frame]) -> Iterator[Frame]:
        nonlocal done
        for frame in episode:
            yield frame
            done += 1
            progress.count(done, None, "frames")

    for episode in played:
        yield frames(episode)


def stages(kept: list[int], total: int) -> list[int]:
    """Return the steps that a progress video shows: 0, then the kept steps nearest to the shares of the training."""
    if not kept:
        return [0]
    nearest = {min(kept, key=lambda step: abs(step - share * total)) for share in _SHARES}
    return [0, *sorted(nearest)]


def _print_end(last: Frame) -> None:
    remark = "" if last.is_last else " (left early)"
    say(f"seed {last.seed}: return {last.return_:g} in {last.step} steps{remark}", err=True)
