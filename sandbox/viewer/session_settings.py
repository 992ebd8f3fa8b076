"""Settings of a session, and the interface of a recorder of transitions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sandbox.environments.interaction import EnvStep
from sandbox.interfaces.environment import About


class TransitionRecorder(Protocol):
    """Receives every transition of a session."""

    def add(self, transition: EnvStep) -> None: ...
    def truncate_episode(self) -> None:
        """Mark the episode as left early."""

    def close(self) -> str:
        """Finish, and return a message for the terminal."""


@dataclass(frozen=True)
class SessionSettings:
    """Settings of a session.

    Attributes:
        title: The window's title, without the checkpoint.
        seed: Seed of the first episode; the next ones count up.
        fps: Steps per second at first; None for the environment's own speed.
        folder: The folder for screenshots and videos.
        about: Title and goal of the environment; None: the title alone.
    """

    title: str
    seed: int = 0
    fps: float | None = None
    folder: Path = Path()
    about: About | None = None
