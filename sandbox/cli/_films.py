"""Films of agents, for `sandbox watch`."""

from itertools import islice
from pathlib import Path

import typer

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.runs.build import learner_parts, new_run, use_threads
from sandbox.runs.resolve import resolve
from sandbox.runs.sessions import Table
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.run_folder import RunFolder
from sandbox.viewer.episode import Frame, PlayerSlot, episodes
from sandbox.viewer.episode_video import Explained, record_video
from sandbox.viewer.progress_video import record_progress_video

_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def film_of(table: Table, place: Path, count: int, *, seed: int, fps: float | None, panels: bool) -> None:
    """Write `count` episodes to `place`, and tell how each ended."""
    title = f"{table.title} · step {table.trained.step:,}"
    note(f"filming {count} episode{'s' * (count > 1)} of {title} to {place}")
    played = islice(episodes(table.seats, table.env, seed=seed), count)
    fps = fps or table.env.fps
    if panels:
        draw = Explained(table.seats[0], table.env.controls[0], title)
        ends = record_video(played, place, fps=fps, draw=draw)
    else:
        ends = record_video(played, place, fps=fps)
    for last in ends:
        _tell(last, "" if last.ended else " (left early)")


def progress(folder: RunFolder, place: Path, *, seed: int, fps: float | None) -> None:
    """Film one episode, the same seed, at 0, 25, 50, 75 and 100 % of a training, as far as they were kept.

    Raises:
        UserError: if none was.
    """
    config = resolve([str(folder.config)], [])
    if config.env is None:
        raise UserError(f"{folder.name} is a generator and cannot play; give an agent's run")
    use_threads(config)
    places = [Checkpoints(folder.snapshots), Checkpoints(folder.checkpoints)]
    kept = sorted({step for each in places for step in each.steps()})
    steps = stages(kept, config.steps)
    if len(steps) < 2:
        raise UserError(f"{folder.name} has no checkpoint yet; wait for one, or train with snapshots=4")
    played, titles, env = [], [], None
    for step in steps:
        assembly, env = new_run(config, folder.path.parent), config.env.make(1)
        if step:
            next(each for each in places if step in each.steps()).load(learner_parts(assembly.learner), step)
        played.append(next(episodes([PlayerSlot(assembly.learner)], env, seed=seed)))
        titles.append(f"step {step:,}  ·  {100 * step / config.steps:.0f} %")
    assert env is not None
    note(f"filming seed {seed} at steps {', '.join(f'{step:,}' for step in steps)} of {folder.name} to {place}")
    for last in record_progress_video(played, titles, place, fps=fps or env.fps):
        _tell(last, "" if last.ended else " (left early)")


def stages(kept: list[int], total: int) -> list[int]:
    """0 for fresh weights, then of the steps that were kept those nearest to each share of the training, ascending."""
    nearest = {min(kept, key=lambda step: abs(step - share * total)) for share in _SHARES[1:] if kept}
    return [0, *sorted(nearest)]


def _tell(last: Frame, remark: str) -> None:
    typer.echo(f"seed {last.seed}: return {last.return_:g} in {last.step} steps{remark}", err=True)
