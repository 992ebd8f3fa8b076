"""A few Atari games in one process: what one worker does."""

from typing import Any, NamedTuple

import numpy as np
from ale_py import ALEInterface, ALEState, LoggerMode, roms

from sandbox.core.errors import UserError
from sandbox.envs._atari.screen import Shrink

NOOP, FIRE = 0, 1  # the emulator's numbers
GOES_ON, OVER, TRUNCATED = 0, 1, 2


class Rules(NamedTuple):
    """What the emulators must know of the config; frames are the emulator's."""

    game: str
    mode: int | None
    difficulty: int | None
    frame_skip: int
    max_pool: bool
    max_frames: int
    stop_at_life_loss: bool


def load(game: str, mode: int | None, difficulty: int | None) -> ALEInterface:
    """An emulator at a game's start. The games draw no random number, and sticky actions are not its business.

    Raises:
        UserError: for a mode or difficulty that the game does not have.
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


def _put(game: ALEInterface, state: ALEState) -> None:
    """Right after a reset the console's RESET switch is down until the next frame, and no state knows of it."""
    if state.getEpisodeFrameNumber() == 0:
        game.reset_game()
    else:
        game.act(NOOP)
    game.restoreSystemState(state)


class Games:
    """One emulator for each of `observations` [N, 84, 84] uint8, which it keeps up to date."""

    def __init__(self, rules: Rules, observations: np.ndarray) -> None:
        self._rules, self._observations = rules, observations
        self._games = [load(rules.game, rules.mode, rules.difficulty) for _ in observations]
        first = self._games[0]
        self.minimal_actions = [action.value for action in first.getMinimalActionSet()]
        self._fresh, self._first_screen = first.cloneSystemState(), first.getScreen()
        self._first_grey = first.getScreenGrayscale()
        self._shrink = Shrink(*self._first_grey.shape)
        self._last, self._before = np.zeros((2, len(observations), *self._first_grey.shape), np.uint8)
        self._palette = np.zeros((256, 3), np.uint8)  # of the colors seen; the emulator does not give it away
        self._palette[self._first_screen] = first.getScreenRGB()
        # An emulator that was put into a state shows an older screen until its next frame.
        self._stills: list[np.ndarray | None] = [self._first_screen] * len(observations)

    def start(self, lanes: np.ndarray, noops: np.ndarray, fire: bool) -> np.ndarray:
        """New games in `lanes`, after so many frames of nothing, and FIRE if it does not end them: their lives."""
        for lane, count in zip(lanes.tolist(), noops.tolist(), strict=True):
            if not self._opening(lane, [NOOP] * count + [FIRE] * fire):
                self._opening(lane, [])
        screens = self._last[lanes]
        small = np.empty((len(lanes), *self._observations.shape[1:]), np.uint8)
        self._shrink(screens, small)
        self._observations[lanes] = small
        return np.array([self._games[lane].lives() for lane in lanes.tolist()])

    def _opening(self, lane: int, actions: list[int]) -> bool:
        """Whether the game is still on after `actions`."""
        game = self._games[lane]
        _put(game, self._fresh)
        self._stills[lane], self._last[lane] = self._first_screen, self._first_grey
        for action in actions:
            self._stills[lane] = None
            game.act(action)
        if actions:
            game.getScreenGrayscale(self._last[lane])
        return not game.game_over()

    def step(self, actions: np.ndarray, lives: np.ndarray) -> np.ndarray:
        """[N, frame_skip] actions -> [N, 4]: reward, lives, GOES_ON | OVER | TRUNCATED, frames played.

        The skip ends where the game does, or where fewer than `lives` [N] are left.
        """
        rules, results = self._rules, []
        for lane, (game, plan, before) in enumerate(zip(self._games, actions.tolist(), lives.tolist(), strict=True)):
            frames = max(1, min(len(plan), rules.max_frames - game.getEpisodeFrameNumber()))
            reward = played = 0
            over = False
            while played < frames and not over:
                if played == frames - 1 and played:
                    game.getScreenGrayscale(self._before[lane])
                reward += game.act(plan[played])
                played += 1
                over = game.game_over()
                if rules.stop_at_life_loss and game.lives() < before:
                    break
            if played < frames or played == 1 or not rules.max_pool:
                self._before[lane] = 0
            game.getScreenGrayscale(self._last[lane])
            self._stills[lane] = None
            late = game.getEpisodeFrameNumber() >= rules.max_frames
            results.append((reward, game.lives(), OVER if over else TRUNCATED if late else GOES_ON, played))
        np.maximum(self._last, self._before, out=self._last)
        self._shrink(self._last, self._observations)
        return np.array(results)

    def picture(self, lane: int) -> np.ndarray:
        """The screen in colour, [height, width, 3] uint8."""
        still = self._stills[lane]
        return self._games[lane].getScreenRGB() if still is None else self._palette[still]

    def save(self) -> dict[str, Any]:
        """Everything that decides the future, and the screens that emulators forget."""
        screens = []
        for game, still in zip(self._games, self._stills, strict=True):
            screens.append(game.getScreen() if still is None else still)
            if still is None:
                self._palette[screens[-1]] = game.getScreenRGB()
        emulators = [game.cloneSystemState().serialize() for game in self._games]
        return {"emulators": emulators, "screens": np.stack(screens), "palette": self._palette}

    def restore(self, emulators: list[bytes], screens: np.ndarray, palette: np.ndarray) -> None:
        """What `save` gave; the observations are the caller's to restore."""
        for lane, (game, emulator) in enumerate(zip(self._games, emulators, strict=True)):
            _put(game, ALEState(emulator))
            self._stills[lane] = screens[lane]
        self._palette = palette
