"""Recording of a person's play as demonstrations for an agent."""

from pathlib import Path
from typing import Any

import numpy as np

from sandbox.buffers.demonstrations import Demos, write_demos
from sandbox.core.errors import UserError
from sandbox.environments.interaction import EnvStep


class DemonstrationRecorder:
    """Collects the transitions of a session and writes them to a file, at the end of each episode and of the session.

    Args:
        path: An .npz file that does not exist yet.
        metadata: The environment's options and id, stored with the transitions.

    Raises:
        UserError: If the file exists, has another suffix or cannot be written.
    """

    def __init__(self, path: Path, metadata: dict[str, Any]) -> None:
        if path.suffix != ".npz" or path.exists():
            problem = "exists already" if path.exists() else "is not the name of an .npz file"
            raise UserError(f"--record: {path} {problem}; choose another name, such as {path.stem}-2.npz")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            path.unlink()
        except OSError as error:
            raise UserError(f"--record: cannot write {path}: {error.strerror}. Choose another place.") from error
        self._path = path
        self._metadata = metadata
        self._transitions: list[EnvStep] = []

    def add(self, transition: EnvStep) -> None:
        """Add a transition of one environment, [1, ...] each. A lost life ends an episode for learners."""
        self._transitions.append(transition)
        if transition.ended[0]:
            self._write()

    def truncate_episode(self) -> None:
        """Mark the last transition as truncated, since its episode was left early."""
        if self._transitions and not self._transitions[-1].ended[0]:
            self._transitions[-1] = self._transitions[-1]._replace(truncated=np.ones(1, bool))

    def close(self) -> str:
        """Write the file, and return a message that names it."""
        if not self._transitions:
            return f"nothing was played, so {self._path} was not written"
        self.truncate_episode()
        self._write()
        count = len(self._transitions)
        return f"{count} steps in {self._path}; learn from them: sandbox train CONFIG demos={self._path}"

    def _write(self) -> None:
        transitions = self._transitions
        write_demos(
            self._path,
            Demos(
                self._metadata,
                np.concatenate([transition.observations for transition in transitions]),
                np.concatenate([transition.actions for transition in transitions]),
                np.concatenate([transition.rewards for transition in transitions]).astype(np.float32),
                np.concatenate([transition.terminated for transition in transitions]),
                np.concatenate([transition.ended for transition in transitions]),
                np.concatenate([transition.next_observations for transition in transitions if transition.ended[0]]),
            ),
        )
