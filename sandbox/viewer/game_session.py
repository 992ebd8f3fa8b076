"""A session that shows an environment, with agents or people in control of its players."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from sandbox.environments.interaction import EnvStep
from sandbox.interfaces.environment import Environment
from sandbox.viewer.agent_panels import PANELS, AgentPanels
from sandbox.viewer.checkpoint_player import CheckpointPlayer
from sandbox.viewer.controls import COMMON_KEYS, PlaybackControls
from sandbox.viewer.episode import Game, PlayerSlot
from sandbox.viewer.keys import Key
from sandbox.viewer.render import render
from sandbox.viewer.view import Entries, View

_INITIAL_PANELS = frozenset(PANELS) - {"saliency"}  # saliency costs a backward pass per frame
_LAST_FRAME_DURATION = 1.0  # seconds for which the last frame of an agent's episode is shown


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
    """

    title: str
    seed: int = 0
    fps: float | None = None
    folder: Path = Path()


class GameSession:
    """Shows episodes of an environment and lets people play.

    With a person in control it starts paused (unless the environment waits for keys anyway), and the last frame of an
    episode stays until a key is pressed.

    Args:
        env: An environment with `num_envs` = 1.
        slots: A slot for each of its players.
        settings: Title, first seed, speed and folder.
        checkpoints: The checkpoints of the first slot's agent, if it has any.
        recorder: Receives every transition.

    Raises:
        ValueError: If `env` holds several environments.
    """

    def __init__(
        self,
        env: Environment,
        slots: Sequence[PlayerSlot],
        settings: SessionSettings,
        checkpoints: CheckpointPlayer | None = None,
        recorder: TransitionRecorder | None = None,
    ) -> None:
        self._name = settings.title
        self._checkpoints = checkpoints
        self._recorder = recorder
        self._game = Game(env, slots)
        self._slots = tuple(slots)
        self._playback = PlaybackControls(settings.fps or env.fps, settings.folder)
        self._panels: AgentPanels | None = None  # of the first agent
        for slot, controls in zip(slots, env.controls, strict=False):
            if slot.agent is not None and self._panels is None:
                self._panels = AgentPanels(slot, controls)
        self._visible_panels = set(_INITIAL_PANELS)
        self._size = (960, 640)  # of the newest frame
        self._has_changed = True
        self.frame = self._game.start(settings.seed)  # the current one
        self._playback.paused = self._person_plays and not self._is_waiting

    @property
    def title(self) -> str:
        """The title, with the step of the checkpoint that plays."""
        return self._name if self._checkpoints is None else f"{self._name} · step {self._checkpoints.step:,}"

    @property
    def quit_requested(self) -> bool:
        return self._playback.quit_requested

    @property
    def help(self) -> Sequence[Entries]:
        """The keys of the environment, and those of all sessions."""
        first = self._slots[0]
        entries = [*self._player_keys(), (self._pause_key, "pause, continue"), ("n", "one step")]
        entries += [("+ -", "faster, slower"), ("r", "same seed again"), ("d", "next seed")]
        if self._checkpoints is not None:
            entries.append(("c", "next checkpoint"))
        if first.agent is not None and first.controller is not None:
            entries.append(("tab", "you or the agent"))
        if self._panels is not None:
            entries.append(("e", "explore or not"))
        available = [] if self._panels is None else self._panels.available()
        panels = [(str(1 + PANELS.index(name)), name) for name in available]
        if panels:
            panels.append(("0", "all panels"))
        return entries, [*panels, *COMMON_KEYS]

    def handle_key(self, key: Key) -> None:
        """Offer a key to the people in control first, then to the session."""
        for slot in self._slots:
            if slot.active_controller is not None and slot.active_controller.handle_key(key):
                return
        if key.down:
            self._has_changed = True
            self._handle_command(key.name)

    def _handle_command(self, key: str) -> None:
        match key:
            case "space" | "p" if self.frame.is_last:
                self._start_episode(self.frame.seed + 1)
                self._playback.paused = False
            case "n":
                self._single_step()
            case "right" if self._playback.paused:  # only then: it lies next to keys of many environments
                self._single_step()
            case "r":
                self._start_episode(self.frame.seed)
            case "d":
                self._start_episode(self.frame.seed + 1)
            case "c" if self._checkpoints is not None:
                self._load_next_checkpoint(self._checkpoints)
            case "tab":
                self._switch_control()
            case "e" if self._panels is not None:
                self._game.explore = not self._game.explore
                self._playback.notify("explores", "as in training" if self._game.explore else "no")
            case "0":
                self._visible_panels = set() if self._visible_panels else set(PANELS)
            case "1" | "2" | "3" | "4" | "5":
                self._visible_panels ^= {PANELS[int(key) - 1]}
            case _:
                self._playback.handle_key(key, lambda: self.render(*self._size))

    def handle_pointer(self, x: int, y: int, down: bool) -> None:
        """Do nothing: environments are played with the keyboard."""

    def timeout(self, now: float) -> float:
        return 0.0 if self._has_changed else self._playback.timeout(now, self._duration)

    def update(self, now: float) -> bool:
        while self._playback.frame_elapsed(now, self._duration):
            self._has_changed = True
            self._advance()
        changed = self._has_changed
        self._has_changed = False
        return changed

    def render(self, width: int, height: int) -> np.ndarray:
        self._size = (width, height)
        return render(self.view(), width, height)

    def pop_messages(self) -> list[str]:
        return self._playback.pop_messages()

    def close(self) -> None:
        self._leave_episode()
        self._playback.close()
        if self._recorder is not None:
            self._playback.add_message(self._recorder.close())

    def view(self) -> View:
        """Return the content of the current frame."""
        frame = self.frame
        status = [("return", f"{frame.return_:g}"), ("step", f"{frame.step}"), ("seed", f"{frame.seed}")]
        epsilon = None if self._panels is None else self._panels.epsilon(self._game.explore)
        if epsilon is not None:
            status.append(("epsilon", f"{epsilon:.3g}"))
        return View(
            frame=frame.pixels,
            title=self.title,
            playback=self._playback.playback,
            status=[*status, *self._playback.notice],
            hints=[*self._player_keys(), ("h", "help")],
            panels=() if self._panels is None else self._panels.panels(self._visible_panels),
            banner=self._banner(),
            help=self.help if self._playback.help_visible else (),
        )

    @property
    def _person_plays(self) -> bool:
        return any(slot.person_in_control for slot in self._slots)

    @property
    def _is_waiting(self) -> bool:
        return any(slot.is_waiting for slot in self._slots)

    @property
    def _duration(self) -> float | None:
        """Seconds for which the current frame is shown; None until a key is pressed."""
        if self.frame.is_last:
            return None if self._person_plays or self._playback.paused else _LAST_FRAME_DURATION
        return None if self._is_waiting or self._playback.paused else 1 / self._playback.fps

    @property
    def _pause_key(self) -> str:
        """The key that starts and pauses: `space`, or `p` if a player uses `space`."""
        used = [key for slot in self._slots if slot.active_controller for key in slot.active_controller.keys]
        return "p" if "space" in used else "space"

    def _player_keys(self) -> Entries:
        """Return the keys of each person in control."""
        controllers = [slot.active_controller for slot in self._slots if slot.active_controller is not None]
        names = [f"player {n}" for n in range(1, 1 + len(controllers))] if len(controllers) > 1 else ["play"]
        return [(" ".join(controller.keys), name) for controller, name in zip(controllers, names, strict=False)]

    def _banner(self) -> str:
        if self.frame.is_last:
            more = f"  ·  {self._pause_key} to play again" if self._person_plays else ""
            return f"return {self.frame.return_:g}{more}"
        at_start = self._playback.paused and self._person_plays and self.frame.step == 0
        return f"{self._pause_key} to start" if at_start else ""

    def _start_episode(self, seed: int) -> None:
        """Start an episode, with a newer checkpoint if there is one."""
        self._leave_episode()
        if self._checkpoints is not None and self._checkpoints.load_newest():
            self._playback.notify("new checkpoint", f"{self._checkpoints.step:,}")
        if self._panels is not None:
            self._panels.start_episode()
        self.frame = self._game.start(seed)
        self._playback.restart_frame()
        self._record_frame()

    def _single_step(self) -> None:
        self._playback.paused = True
        self._advance()

    def _advance(self) -> None:
        """Take one step, or start the next episode."""
        if self.frame.is_last:
            self._start_episode(self.frame.seed + 1)
            return
        self.frame, transition = self._game.step(self.frame)
        if self._recorder is not None:
            self._recorder.add(transition)
        if self.frame.is_last:
            self._report_return("")
        self._record_frame()

    def _leave_episode(self) -> None:
        if self.frame.step and not self.frame.is_last:
            self._report_return(" (left early)")
            if self._recorder is not None:
                self._recorder.truncate_episode()

    def _report_return(self, remark: str) -> None:
        frame = self.frame
        self._playback.add_message(f"seed {frame.seed}: return {frame.return_:g} in {frame.step} steps{remark}")

    def _record_frame(self) -> None:
        if self._playback.capture.is_recording:
            self._playback.record_frame(render(self.view(), *self._playback.capture.size))

    def _load_next_checkpoint(self, checkpoints: CheckpointPlayer) -> None:
        before = checkpoints.step
        if not checkpoints.load_next():
            self._playback.notify("checkpoint", "could not be read")
        elif checkpoints.step == before:
            self._playback.notify("checkpoint", "there is no other yet")
        else:
            self._playback.notify("checkpoint", f"{checkpoints.step:,}")
            self._start_episode(self.frame.seed)

    def _switch_control(self) -> None:
        """Hand control of the first player from the agent to the person, or back."""
        slot = self._slots[0]
        if slot.agent is None:
            self._playback.notify("control", "there is no agent")
        elif slot.controller is None or not slot.controller.keys:
            self._playback.notify("control", "this environment has no keys")
        else:
            slot.controller.release_all()
            slot.person_in_control = not slot.person_in_control
            self._playback.paused = False
            self._playback.restart_frame()
            self._playback.notify("control", "yours" if slot.person_in_control else "the agent's")
