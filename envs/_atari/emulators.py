"""The emulators of one process; a worker process runs one `Emulators`, and so does the calling process."""

from typing import Any, NamedTuple

import numpy as np
from ale_py import ALEInterface, ALEState, LoggerMode, roms

from sandbox.core.errors import UserError
from sandbox.envs._atari.screen import Downscaler

NOOP, FIRE = 0, 1  # The emulator's numbers of these actions.
HELD = -1  # No action: the game is left as it is.
PLAYING, GAME_OVER, TRUNCATED = 0, 1, 2  # Status of a game after a step.


class Rules(NamedTuple):
    """The options that the emulators need; frames are the emulator's.

    Attributes:
        game: Name of the game.
        mode: Mode switch of the console; None for the game's default.
        difficulty: Difficulty switch of the console; None for the game's default.
        frame_skip: Frames per step.
        max_pool: Observe the pixel-wise maximum of the last two frames of a step.
        max_frames: Frames after which a game is truncated.
        stop_at_life_loss: End a step at the frame in which a life is lost.
    """

    game: str
    mode: int | None
    difficulty: int | None
    frame_skip: int
    max_pool: bool
    max_frames: int
    stop_at_life_loss: bool


def load(game: str, mode: int | None, difficulty: int | None) -> ALEInterface:
    """Return an emulator at the start of a game.

    The games themselves draw no random numbers, and the emulator's own sticky actions are off.

    Raises:
        UserError: For a mode or difficulty that the game does not have.
    """
    ALEInterface.setLoggerMode(LoggerMode.Error)
    emulator = ALEInterface()
    emulator.setInt("random_seed", 0)
    emulator.setFloat("repeat_action_probability", 0.0)
    emulator.loadROM(str(roms.get_rom_path(game)))
    if mode is not None:
        _check("mode", mode, emulator.getAvailableModes(), game)
        emulator.setMode(mode)
    if difficulty is not None:
        _check("difficulty", difficulty, emulator.getAvailableDifficulties(), game)
        emulator.setDifficulty(difficulty)
    emulator.reset_game()
    return emulator


def _check(option: str, value: int, available: list[int], game: str) -> None:
    if value not in available:
        raise UserError(f"env.{option}: {game} has no {option} {value}; it has {', '.join(map(str, available))}")


def _restore(emulator: ALEInterface, state: ALEState) -> None:
    """Put an emulator into a state, with the RESET switch of the console as it was then.

    The switch is down between a reset and the next frame, and is not part of a state.
    """
    if state.getEpisodeFrameNumber() == 0:
        emulator.reset_game()
    else:
        emulator.act(NOOP)
    emulator.restoreSystemState(state)


class Emulators:
    """N emulators of the same game.

    Attributes:
        emulators: The emulators, [N].
        keeps_screens: Whether `earlier_screens` are kept.
        earlier_screens: For each emulator, the screens of its last step in color, without the present one.
        minimal_actions: The actions that have an effect in this game.
    """

    def __init__(self, rules: Rules, observations: np.ndarray) -> None:
        """Load one emulator for each of the observations [N, 84, 84], uint8, which are updated in place."""
        self._rules, self._observations = rules, observations
        self.emulators = [load(rules.game, rules.mode, rules.difficulty) for _ in observations]
        first = self.emulators[0]
        self.minimal_actions = [action.value for action in first.getMinimalActionSet()]
        # The start of a game, and its screen.
        self._start_state, self._start_screen = first.cloneSystemState(), first.getScreen()
        self._start_gray = first.getScreenGrayscale()
        self._downscale = Downscaler(*self._start_gray.shape)
        # The last two gray screens of each step.
        self._last, self._before = np.zeros((2, len(observations), *self._start_gray.shape), np.uint8)
        # The RGB values of the color codes seen so far; the emulator does not offer its palette.
        self._palette = np.zeros((256, 3), np.uint8)
        self._palette[self._start_screen] = first.getScreenRGB()
        # A restored emulator shows an older screen until its next frame; the true one is kept here, else None.
        self._restored_screens: list[np.ndarray | None] = [self._start_screen] * len(observations)
        self.keeps_screens = False
        self.earlier_screens: list[list[np.ndarray]] = [[] for _ in observations]

    def start(self, indices: np.ndarray, noops: np.ndarray, fire: bool) -> np.ndarray:
        """Start new games.

        Args:
            indices: The emulators, [K].
            noops: Frames without an action at the start of each game, [K].
            fire: Press FIRE after that. If the game ends by then, it starts again without any of these frames.

        Returns:
            The lives of the games, [K].
        """
        for index, count in zip(indices.tolist(), noops.tolist(), strict=True):
            opening = [NOOP] * count
            if fire:
                opening.append(FIRE)
            if not self._open(index, opening):
                self._open(index, [])
        screens = self._last[indices]
        small = np.empty((len(indices), *self._observations.shape[1:]), np.uint8)
        self._downscale(screens, small)
        self._observations[indices] = small
        return np.array([self.emulators[index].lives() for index in indices.tolist()])

    def _open(self, index: int, actions: list[int]) -> bool:
        """Start a game with these actions; return whether it is still running afterwards."""
        emulator = self.emulators[index]
        self.earlier_screens[index] = []
        _restore(emulator, self._start_state)
        self._restored_screens[index], self._last[index] = self._start_screen, self._start_gray
        for action in actions:
            self._restored_screens[index] = None
            emulator.act(action)
        if actions:
            emulator.getScreenGrayscale(self._last[index])
        return not emulator.game_over()

    def step(self, actions: np.ndarray, lives: np.ndarray) -> np.ndarray:
        """Play the frames of one step in every game.

        Args:
            actions: The action of every frame, [N, frame_skip]; `HELD` leaves a game as it is.
            lives: Lives before the step, [N]. With `stop_at_life_loss` a step ends where fewer are left.

        Returns:
            Reward, lives, status (`PLAYING`, `GAME_OVER` or `TRUNCATED`) and frames played, [N, 4].
        """
        rules, results = self._rules, []
        for index, (emulator, plan, before) in enumerate(
            zip(self.emulators, actions.tolist(), lives.tolist(), strict=True)
        ):
            if plan[0] == HELD:
                self._before[index] = 0
                results.append((0, before, PLAYING, 0))
                continue
            frames = max(1, min(len(plan), rules.max_frames - emulator.getEpisodeFrameNumber()))
            reward = played = 0
            over = False
            self.earlier_screens[index] = []
            while played < frames and not over:
                if self.keeps_screens and played:
                    self.earlier_screens[index].append(emulator.getScreenRGB())
                if played == frames - 1 and played:
                    emulator.getScreenGrayscale(self._before[index])
                reward += emulator.act(plan[played])
                played += 1
                over = emulator.game_over()
                if rules.stop_at_life_loss and emulator.lives() < before:
                    break
            # A step that ended early is observed by its true last frame alone.
            if played < frames or played == 1 or not rules.max_pool:
                self._before[index] = 0
            emulator.getScreenGrayscale(self._last[index])
            self._restored_screens[index] = None
            late = emulator.getEpisodeFrameNumber() >= rules.max_frames
            results.append((reward, emulator.lives(), GAME_OVER if over else TRUNCATED if late else PLAYING, played))
        np.maximum(self._last, self._before, out=self._last)
        self._downscale(self._last, self._observations)
        return np.array(results)

    def screen(self, index: int) -> np.ndarray:
        """Return the screen of one game in color, [height, width, 3] uint8."""
        restored = self._restored_screens[index]
        return self.emulators[index].getScreenRGB() if restored is None else self._palette[restored]

    def save(self) -> dict[str, Any]:
        """Return the states of the emulators, and the screens, which are not part of these states."""
        screens = []
        for emulator, restored in zip(self.emulators, self._restored_screens, strict=True):
            screens.append(emulator.getScreen() if restored is None else restored)
            if restored is None:
                self._palette[screens[-1]] = emulator.getScreenRGB()
        emulators = [emulator.cloneSystemState().serialize() for emulator in self.emulators]
        return {"emulators": emulators, "screens": np.stack(screens), "palette": self._palette}

    def restore(self, emulators: list[bytes], screens: np.ndarray, palette: np.ndarray) -> None:
        """Restore what `save` returned; the caller restores the observations."""
        for index, (emulator, state) in enumerate(zip(self.emulators, emulators, strict=True)):
            _restore(emulator, ALEState(state))
            self.earlier_screens[index] = []
            self._restored_screens[index] = screens[index]
        self._palette = palette
