"""A game at work: agents and people at its joysticks, as a session that a face can drive."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from sandbox.interfaces.environment import Environment
from sandbox.viewer.agent_panels import PANELS, AgentPanels
from sandbox.viewer.checkpoint_player import CheckpointPlayer
from sandbox.viewer.controls import COMMON, PlaybackControls
from sandbox.viewer.episode import Game, PlayerSlot, Transition
from sandbox.viewer.keys import Key
from sandbox.viewer.render import render
from sandbox.viewer.view import View, Words

_SHOWN = frozenset({"sees", "values", "memory", "attention"})  # at first; saliency costs a pass back for every picture
_HOLD = 1.0  # seconds for which the last picture of an agent's episode stays


class Recorder(Protocol):
    """Who wants to know every step."""

    def add(self, happened: Transition) -> None: ...
    def break_off(self) -> None:
        """The episode goes no further."""

    def close(self) -> str:
        """What became of it, for the terminal."""


@dataclass(frozen=True)
class Setting:
    """How a session begins: its title, first seed, steps a second (None: as suits the game), and where files go."""

    title: str
    seed: int = 0
    fps: float | None = None
    folder: Path = Path()


class GameSession:
    """`trained`: the checkpoints of the first seat's agent; `recorder` is told every step.

    With a person at a joystick it begins paused, unless it waits for keys anyway, and an episode's end stays until it
    is answered.

    Raises:
        ValueError: if `env` holds several environments.
    """

    def __init__(
        self,
        env: Environment,
        seats: Sequence[PlayerSlot],
        setting: Setting,
        trained: CheckpointPlayer | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self._name, self._trained, self._recorder = setting.title, trained, recorder
        self._game, self._seats = Game(env, seats), tuple(seats)
        self._remote = PlaybackControls(setting.fps or env.fps, setting.folder)
        self._mind = next(
            (AgentPanels(seat, env.controls[n]) for n, seat in enumerate(seats) if seat.agent is not None), None
        )
        self._wanted = set(_SHOWN)
        self._size = (960, 640)  # of the newest picture
        self._new = True  # whether there is something to show
        self._frame = self._game.start(setting.seed)
        self._remote.paused = self._by_hand and not self._waiting

    @property
    def title(self) -> str:
        """What is played, and by which checkpoint."""
        return self._name if self._trained is None else f"{self._name} · step {self._trained.step:,}"

    @property
    def over(self) -> bool:
        return self._remote.over

    def press(self, key: Key) -> None:
        """A key goes to the people who have a joystick first; what is not theirs is a command."""
        if any(seat.by_hand and seat.hand is not None and seat.hand.take(key) for seat in self._seats):
            return
        if key.down:
            self._new = True
            self._command(key.name)

    def _command(self, key: str) -> None:
        match key:
            case "space" | "p" if self._frame.ended:
                self._begin(self._frame.seed + 1)
                self._remote.paused = False
            case "n":
                self._single_step()
            case "right" if self._remote.paused:  # not while a game runs, whose keys may lie beside it
                self._single_step()
            case "r":
                self._begin(self._frame.seed)
            case "d":
                self._begin(self._frame.seed + 1)
            case "c" if self._trained is not None:
                self._next_checkpoint(self._trained)
            case "tab":
                self._hand_over()
            case "e" if self._mind is not None:
                self._game.explore = not self._game.explore
                self._remote.say("plays", "as in training" if self._game.explore else "its best")
            case "0":
                self._wanted = set() if self._wanted else set(PANELS)
            case "1" | "2" | "3" | "4" | "5":
                self._wanted ^= {PANELS[int(key) - 1]}
            case _:
                self._remote.press(key, lambda: self.picture(*self._size))

    def point(self, x: int, y: int, down: bool) -> None:
        """Games are not played with the mouse."""

    def wait(self, now: float) -> float:
        return 0.0 if self._new else self._remote.wait(now, self._seconds)

    def tick(self, now: float) -> bool:
        while self._remote.due(now, self._seconds):
            self._new = True
            if self._frame.ended:
                self._begin(self._frame.seed + 1)
            else:
                self._step()
        new, self._new = self._new, False
        return new

    def picture(self, width: int, height: int) -> np.ndarray:
        self._size = (width, height)
        return render(self.view(), width, height)

    def news(self) -> list[str]:
        return self._remote.news()

    def close(self) -> None:
        self._leave()
        self._remote.close()
        if self._recorder is not None:
            self._remote.tell(self._recorder.close())

    def view(self) -> View:
        """What there is to see now."""
        frame, mind = self._frame, self._mind
        status = [("return", f"{frame.return_:g}"), ("step", f"{frame.step}"), ("seed", f"{frame.seed}")]
        epsilon = None if mind is None else mind.epsilon(self._game.explore)
        if epsilon is not None:
            status.append(("epsilon", f"{epsilon:.3g}"))
        return View(
            picture=frame.picture,
            title=self.title,
            state=self._remote.state,
            status=[*status, *self._remote.note],
            hints=[*self._players(), ("h", "help")],
            panels=() if mind is None else mind.panels(self._wanted),
            banner=self._banner(),
            help=self.help if self._remote.helping else (),
        )

    @property
    def _by_hand(self) -> bool:
        return any(seat.by_hand for seat in self._seats)

    @property
    def _waiting(self) -> bool:
        return any(seat.waiting for seat in self._seats)

    @property
    def _seconds(self) -> float | None:
        """How long the newest frame is to be shown; None: until a key comes."""
        if self._frame.ended:
            return None if self._by_hand or self._remote.paused else _HOLD
        return None if self._waiting or self._remote.paused else 1 / self._remote.fps

    @property
    def _go(self) -> str:
        """The key that starts and pauses: `space`, unless a player needs it."""
        return "p" if any(seat.by_hand and seat.hand and "space" in seat.hand.keys for seat in self._seats) else "space"

    def _players(self) -> Words:
        """Whose keys are which."""
        hands = [seat.hand for seat in self._seats if seat.by_hand and seat.hand is not None]
        names = [f"player {n}" for n in range(1, 1 + len(hands))] if len(hands) > 1 else ["play"]
        return [(" ".join(hand.keys), name) for hand, name in zip(hands, names, strict=False)]

    def _banner(self) -> str:
        if self._frame.ended:
            more = f"  ·  {self._go} to play again" if self._by_hand else ""
            return f"return {self._frame.return_:g}{more}"
        return f"{self._go} to start" if self._remote.paused and self._by_hand and self._frame.step == 0 else ""

    @property
    def help(self) -> Sequence[Words]:
        """Every key and what it does: those of the game, and those of all sessions."""
        first = self._seats[0]
        game = [*self._players(), (self._go, "pause, go on"), ("n", "one step"), ("+ -", "faster, slower")]
        game += [("r", "again, same seed"), ("d", "next seed")]
        if self._trained is not None:
            game.append(("c", "next checkpoint"))
        if first.agent is not None and first.hand is not None:
            game.append(("tab", "you or the agent"))
        if self._mind is not None:
            game.append(("e", "its best, or exploring"))
        panels = [(str(1 + PANELS.index(panel)), panel) for panel in self._mind.offered()] if self._mind else []
        return game, [*panels, ("0", "all panels")] * bool(panels) + list(COMMON)

    def _begin(self, seed: int) -> None:
        """A new episode; of a run that is still training, with what it has learnt meanwhile."""
        self._leave()
        if self._trained is not None and self._trained.follow():
            self._remote.say("new checkpoint", f"{self._trained.step:,}")
        if self._mind is not None:
            self._mind.refresh()
        self._frame = self._game.start(seed)
        self._remote.linger()
        self._film()

    def _single_step(self) -> None:
        self._remote.paused = True
        if self._frame.ended:
            self._begin(self._frame.seed + 1)
        else:
            self._step()

    def _step(self) -> None:
        self._frame, happened = self._game.step(self._frame)
        if self._recorder is not None:
            self._recorder.add(happened)
        if self._frame.ended:
            self._tell("")
        self._film()

    def _leave(self) -> None:
        if self._frame.step and not self._frame.ended:
            self._tell(" (left early)")
            if self._recorder is not None:
                self._recorder.break_off()

    def _tell(self, remark: str) -> None:
        frame = self._frame
        self._remote.tell(f"seed {frame.seed}: return {frame.return_:g} in {frame.step} steps{remark}")

    def _film(self) -> None:
        if self._remote.camera.recording:
            self._remote.film(render(self.view(), *self._remote.camera.size))

    def _next_checkpoint(self, trained: CheckpointPlayer) -> None:
        before = trained.step
        if not trained.next():
            self._remote.say("checkpoint", "could not be read")
        elif trained.step == before:
            self._remote.say("checkpoint", "there is no other yet")
        else:
            self._remote.say("checkpoint", f"{trained.step:,}")
            self._begin(self._frame.seed)

    def _hand_over(self) -> None:
        """Give the first seat's joystick to the other one: from the agent to a person, or back."""
        seat = self._seats[0]
        if seat.agent is None or seat.hand is None or not seat.hand.keys:
            missing = "no agent here" if seat.agent is None else "this game has no keys"
            self._remote.say("joystick", missing)
            return
        seat.hand.let_go()
        seat.by_hand = not seat.by_hand
        self._remote.paused = False
        self._remote.linger()
        self._remote.say("joystick", "yours" if seat.by_hand else "the agent's")
