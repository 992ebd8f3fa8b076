"""Writes down what a person does, for an agent to learn from."""

from pathlib import Path
from typing import Any

import numpy as np

from sandbox.buffers.demonstrations import Demos, write_demos
from sandbox.core.errors import UserError
from sandbox.viewer.episode import Transition


class Demonstrations:
    """The steps of a session, written to `path` when an episode ends and at the end; `played` says of what.

    Raises:
        UserError: if there is something at `path`, or nothing can be written there.
    """

    def __init__(self, path: Path, played: dict[str, Any]) -> None:
        if path.suffix != ".npz" or path.exists():
            what = "exists already" if path.exists() else "is not the name of an .npz file"
            raise UserError(f"--record: {path} {what}; choose another name, such as {path.stem}-2.npz")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            path.unlink()
        except OSError as error:
            raise UserError(f"--record: cannot write {path}: {error.strerror}. Choose another place.") from error
        self._path, self._played = path, played
        self._steps: list[Transition] = []

    def add(self, happened: Transition) -> None:
        """[1, ...] each; a lost life ends an episode for learners."""
        self._steps.append(happened)
        if happened.terminated[0] or happened.truncated[0]:
            self._write()

    def break_off(self) -> None:
        """The episode goes no further: what was seen last is what followed its last step."""
        if self._steps and not (self._steps[-1].terminated[0] or self._steps[-1].truncated[0]):
            self._steps[-1] = self._steps[-1]._replace(truncated=np.ones(1, bool))

    def close(self) -> str:
        """Write the file; what became of it."""
        if not self._steps:
            return f"nothing was played, so {self._path} was not written"
        self.break_off()
        self._write()
        return f"{len(self._steps)} steps in {self._path}; learn from them: sandbox train CONFIG demos={self._path}"

    def _write(self) -> None:
        steps = self._steps
        ended = np.array([bool(step.terminated[0] or step.truncated[0]) for step in steps])
        write_demos(
            self._path,
            Demos(
                self._played,
                np.concatenate([step.observations for step in steps]),
                np.concatenate([step.actions for step in steps]),
                np.concatenate([step.rewards for step in steps]).astype(np.float32),
                np.concatenate([step.terminated for step in steps]),
                ended,
                np.concatenate([step.last for step, over in zip(steps, ended, strict=True) if over]),
            ),
        )
