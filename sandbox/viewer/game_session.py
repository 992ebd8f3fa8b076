"""A session that shows an environment, with agents or people in control of its players."""

from collections.abc import Sequence

import numpy as np

from sandbox.interfaces.environment import About, Environment
from sandbox.viewer.agent_panels import PANELS, AgentPanels
from sandbox.viewer.checkpoint_player import CheckpointPlayer
from sandbox.viewer.controls import PlaybackControls
from sandbox.viewer.countdown import Countdown
from sandbox.viewer.episode import Game, PlayerSlot, image_at, next_image
from sandbox.viewer.game_texts import GameTexts
from sandbox.viewer.keys import Key
from sandbox.viewer.players import Players
from sandbox.viewer.render import render
from sandbox.viewer.session_settings import SessionSettings, TransitionRecorder
from sandbox.viewer.view import Entries, View

# Saliency costs a backward pass per frame, and feature maps a forward pass; filters take the place of other panels.
_INITIAL_PANELS = frozenset(PANELS) - {"saliency", "filters", "feature maps"}
_LAST_FRAME_DURATION = 1.0  # seconds for which the last frame of an agent's episode is shown
_END_PAUSE = 1.0  # seconds after an episode's end in which a person's keys do not start the next one yet


class GameSession:
    """Shows episodes of an environment and lets people play.

    With a person in control it starts with a card about the environment, which any of the person's keys closes. A
    countdown precedes every episode in which time passes by itself, and every return from a pause. The last frame of an
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
        self._players = Players(slots)
        self._playback = PlaybackControls(settings.fps or env.fps, settings.folder)
        self._panels: AgentPanels | None = None  # of the first agent
        for slot, controls in zip(slots, env.controls, strict=False):
            if slot.agent is not None and self._panels is None:
                self._panels = AgentPanels(slot, controls)
        self._visible_panels = set(_INITIAL_PANELS)
        self._screen = (960, 640, 1.0)  # size and scale of the newest frame
        self._has_changed = True
        self._texts = GameTexts(settings.about or About(settings.title, ""), env.controls, self._players)
        self._countdown = Countdown()
        self.frame = self._game.start(settings.seed)  # the current one
        self._image = -1  # the one of the frame's images that is shown
        self._end_is_read = False  # true some time after an episode's end
        self._ended_at: float | None = None  # time of the first look at an episode's last frame
        self._shows_start = self._players.person_plays

    @property
    def title(self) -> str:
        """The title, with the step of the checkpoint that plays."""
        return self._name if self._checkpoints is None else f"{self._name} · step {self._checkpoints.step:,}"

    @property
    def quit_requested(self) -> bool:
        return self._playback.quit_requested

    @property
    def full_screen_toggles(self) -> int:
        return self._playback.full_screen_toggles

    @property
    def help(self) -> Sequence[Entries]:
        """The keys of the people in control, of the environment, and those of all sessions."""
        available = () if self._panels is None else self._panels.available()
        return self._texts.help_columns(self._panels is not None, available, self._checkpoints is not None)

    def handle_key(self, key: Key) -> None:
        """Offer a key to the people in control first, then to the session."""
        was_stopped = self._is_stopped
        if self._players.handle_key(key):
            self._start_by_key(key)
        elif key.down:
            self._has_changed = True
            self._handle_command(key.name)
        if was_stopped and not self._is_stopped:
            self._get_ready()

    def _start_by_key(self, key: Key) -> None:
        """Start an episode, if the key of a person may do that: at the start, or some time after an end."""
        if self._playback.help_visible or not key.down:
            return
        if self._shows_start:
            self._close_start()
        elif self._end_is_read:
            self._has_changed = True
            self._start_episode(self.frame.seed + 1)

    def _close_start(self) -> None:
        self._shows_start = False
        self._has_changed = True
        self._players.drop_presses()

    def lose_focus(self) -> None:
        self._players.release_all()
        if self._players.must_be_quick and not self._shows_start and not self.frame.is_last:
            self._playback.paused = True
            self._has_changed = True

    def _handle_command(self, key: str) -> None:
        match key:
            case "space" | "p" | "return" if self._shows_start:
                self._close_start()
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
                has_changed, text = self._checkpoints.try_next()
                self._playback.notify("checkpoint", text)
                if has_changed:
                    self._start_episode(self.frame.seed)
            case "t" | "tab":
                self._switch_control()
            case "e" if self._panels is not None:
                self._game.explore = not self._game.explore
                self._playback.notify("explores", "as in training" if self._game.explore else "no")
            case "0":
                self._visible_panels = set() if self._visible_panels else set(PANELS)
            case "1" | "2" | "3" | "4" | "5" | "6" | "7":
                self._visible_panels ^= {PANELS[int(key) - 1]}
            case _:
                self._playback.handle_key(key, lambda: self.render(*self._screen))

    def handle_pointer(self, x: int, y: int, down: bool) -> None:
        """Do nothing: environments are played with the keyboard."""

    def timeout(self, now: float) -> float:
        if self._has_changed:
            return 0.0
        if self._is_counting:
            return self._countdown.timeout(now)
        until = self._duration
        if until is not None:
            until = min(until, next_image(self.frame, self._playback.fps, self._playback.elapsed(now)))
        return self._playback.timeout(now, until)

    def update(self, now: float) -> bool:
        if self._is_counting and self._countdown.advance(now):
            self._has_changed = True
        while self._playback.frame_elapsed(now, self._duration):
            self._has_changed = True
            self._advance()
        if self._ended_at is None and self.frame.is_last:
            self._ended_at = now
        self._end_is_read = self._ended_at is not None and now - self._ended_at >= _END_PAUSE
        image = image_at(self.frame, self._playback.fps, self._playback.elapsed(now)) if self._duration else -1
        changed = self._has_changed or image != self._image
        self._image = image
        self._has_changed = False
        return changed

    def render(self, width: int, height: int, scale: float = 1.0) -> np.ndarray:
        self._screen = (width, height, scale)
        return render(self.view(), *self._screen)

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
        card = None
        if self._playback.help_visible:
            card = self._texts.help_card(self.help)
        elif self._shows_start:
            card = self._texts.start_card()
        return View(
            frame=frame.images[self._image],
            title=self.title,
            playback=self._playback.playback,
            status=[*status, *self._playback.notice],
            hints=self._texts.hints,
            panels=() if self._panels is None else self._panels.panels(self._visible_panels),
            banner="" if card else self._texts.banner(frame, self._countdown.number, self._playback.paused),
            card=card,
        )

    @property
    def _is_stopped(self) -> bool:
        """True while time stands still: paused, or under a card."""
        return self._playback.is_stopped or self._shows_start

    @property
    def _is_counting(self) -> bool:
        return bool(self._countdown.number) and not self._is_stopped

    @property
    def _duration(self) -> float | None:
        """Seconds for which the current frame is shown; None until a key is pressed."""
        if self._is_stopped or self._countdown.number or self._players.is_waiting:
            return None
        if self.frame.is_last:
            return None if self._players.person_plays else _LAST_FRAME_DURATION
        return 1 / self._playback.fps

    def _get_ready(self) -> None:
        """Count down if time passes by itself and a person plays."""
        if self._players.must_be_quick:
            self._countdown.start()

    def _start_episode(self, seed: int) -> None:
        """Start an episode, with a newer checkpoint if there is one."""
        self._leave_episode()
        if self._checkpoints is not None and self._checkpoints.load_newest():
            self._playback.notify("new checkpoint", f"{self._checkpoints.step:,}")
        if self._panels is not None:
            self._panels.start_episode()
        self.frame = self._game.start(seed)
        self._image, self._ended_at = -1, None
        self._end_is_read = False
        self._playback.restart_frame()
        self._countdown.stop()
        self._get_ready()
        self._record_frame()

    def _single_step(self) -> None:
        self._playback.paused = True
        self._shows_start = False
        self._countdown.stop()
        self._advance()

    def _advance(self) -> None:
        """Take one step, or start the next episode."""
        if self.frame.is_last:
            self._start_episode(self.frame.seed + 1)
            return
        self.frame, transition = self._game.step(self.frame)
        self._image = -1
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
            self._playback.record_frame(render(self.view(), *self._playback.capture.size, self._screen[2]))

    def _switch_control(self) -> None:
        """Hand control of the first player from the agent to the person, or back."""
        has_changed, text = self._players.switch_control()
        self._playback.notify("control", text)
        if has_changed:
            self.frame = self._game.rendered_again(self.frame)
            self._playback.paused = self._shows_start = False
            self._playback.restart_frame()
            self._countdown.stop()
            self._get_ready()
