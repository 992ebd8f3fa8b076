"""Atari 2600: the games of the Arcade Learning Environment, under a named protocol of the literature.

Rules: `game` is one of ale-py's, such as `breakout`. A step is `frame_skip` frames with the same action; in each frame,
    the action of the frame before is repeated with probability `sticky`. `protocol` sets the defaults of the options:
    `nature2015` (no sticky actions, minimal actions, up to 30 no-ops at the start, a lost life ends an episode for
    learners, games of 30 minutes) or `machado2018` (sticky 0.25, 18 actions, no no-ops, lost lives do not matter, 5
    minutes).
Observation: uint8 [1, 84, 84]: gray, the pixel-wise maximum of the step's last two frames, shrunk by the exact area
    mean. If a game or life ends earlier in the step, its true last frame alone. The first observation of a game is its
    first frame. Frames are stacked by the agent, not here.
Actions: 0 nothing; then fire, up, right, left, down and their combinations, in the emulator's order: the ones that have
    an effect in the game (`minimal`) or all 18 (`full`).
Reward: the points of the frames of a step, never clipped.
Episode: terminates when the game is over; truncated after `max_frames` of the emulator's frames. With
    `life_loss_ends_episode`, a lost life terminates as well, with `infos["life_lost"]` true: a reset of this copy then
    continues the same game from the same frame, unless a seed is given. Evaluation counts whole games.
Best return: 21 in Pong (people 9.3, DQN 18.9 in 2015); games differ by orders of magnitude.
Paper: Bellemare et al. 2013, arXiv:1207.4708; Mnih et al. 2015, doi:10.1038/nature14236; Machado et al. 2018,
    arXiv:1709.06009. Deviations: gray is the emulator's; area means instead of bilinear scaling, as in most later code;
    after a lost life no frames pass before the next episode (the 2015 code plays no-ops); no FIRE at the start, as in
    the papers' code (`fire_on_reset` adds one there and after lost lives, as OpenAI Baselines does, in games whose
    minimal actions have it); the limit of 108,000 frames is from later work (2015: 18,000). Four of
    the 108 games need two players and are refused. A restored state of tic_tac_toe_3d led to another future once in 16
    times; the 103 other games never did.
"""

import os
import sys
from typing import Any, Literal

import numpy as np
from ale_py import ALEInterface, roms
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from pydantic import Field, field_validator

from sandbox.config.foreign_names import atari_games
from sandbox.core.messages import did_you_mean
from sandbox.environments.board import PIXELS
from sandbox.environments.checks import legal, require_reset, require_same_rules, reset_mask
from sandbox.environments.config import EnvConfig, rules_of
from sandbox.environments.rng import VectorRng
from sandbox.envs._atari import about
from sandbox.envs._atari.autoreset import AutoresetAtari
from sandbox.envs._atari.emulators import FIRE, GAME_OVER, HELD, NOOP, PLAYING, TRUNCATED, Rules
from sandbox.envs._atari.workers import WorkerPool
from sandbox.interfaces.environment import About, Controls

PROTOCOLS: dict[str, dict[str, Any]] = {
    "nature2015": {
        "frame_skip": 4,
        "max_pool": True,
        "sticky": 0.0,
        "actions": "minimal",
        "life_loss_ends_episode": True,
        "noop_max": 30,
        "fire_on_reset": False,
        "max_frames": 108_000,
    },
    "machado2018": {
        "frame_skip": 4,
        "max_pool": True,
        "sticky": 0.25,
        "actions": "full",
        "life_loss_ends_episode": False,
        "noop_max": 0,
        "fire_on_reset": False,
        "max_frames": 18_000,
    },
}


def _by_protocol(option: str, description: str, **limits: Any) -> Any:
    """Declare an option whose default is the protocol's."""

    def default(given: dict[str, Any]) -> Any:
        return PROTOCOLS[given.get("protocol", "nature2015")][option]

    return Field(default_factory=default, description=f"{description}; default: the protocol's", **limits)


class AtariConfig(EnvConfig):
    """Options of the Atari games (Bellemare et al. 2013); a frame is the emulator's, 60 per second."""

    name: Literal["atari"] = "atari"
    game: str = Field("pong", description="name of the game, as ale-py spells it")
    protocol: Literal["nature2015", "machado2018"] = Field("nature2015", description="defaults of the options below")
    frame_skip: int = _by_protocol("frame_skip", "frames per step", ge=1, le=60)
    max_pool: bool = _by_protocol("max_pool", "observe the pixel-wise maximum of a step's last two frames")
    sticky: float = _by_protocol("sticky", "probability per frame that the last action is repeated", ge=0.0, lt=1.0)
    actions: Literal["minimal", "full"] = _by_protocol("actions", "actions that have an effect in the game, or all 18")
    life_loss_ends_episode: bool = _by_protocol("life_loss_ends_episode", "a lost life ends an episode for learners")
    noop_max: int = _by_protocol(
        "noop_max", "most no-op frames at the start of a game, at least 1; 0: none", ge=0, le=1_000
    )
    fire_on_reset: bool = _by_protocol(
        "fire_on_reset", "press FIRE at the start of a game and after a lost life, if the game has it"
    )
    max_frames: int = _by_protocol("max_frames", "frames after which a game is truncated", ge=1, le=1_000_000_000)
    mode: int | None = Field(None, ge=0, le=1_000, description="mode switch of the console; null: the game's default")
    difficulty: int | None = Field(
        None, ge=0, le=1_000, description="difficulty switch of the console; null: the game's default"
    )
    workers: int = Field(
        0, ge=0, le=256, description="processes that share the games, including the calling one; 0: one per processor"
    )

    @field_validator("game")
    @classmethod
    def _known(cls, game: str) -> str:
        if game not in roms.get_all_rom_ids():
            hint = did_you_mean(game, atari_games()) or f" Known: {', '.join(atari_games())}"
            raise ValueError(f"no Atari game is called {game!r}.{hint}")
        if ALEInterface.isSupportedROM(str(roms.get_rom_path(game))) is None:
            raise ValueError(f"{game} needs two players, which the emulator does not support; choose another game")
        return game

    @property
    def about(self) -> About:
        """The game's title and goal."""
        return about.about(self.game)

    def bare(self, num_envs: int) -> "Atari":
        """Make an environment of `num_envs` games, without wrappers."""
        return Atari(self, num_envs)

    def vector(self, num_envs: int, mode: AutoresetMode, render_mode: str | None) -> AutoresetAtari:
        """Make a `VectorEnv` with one of Gymnasium's autoreset modes."""
        return AutoresetAtari(self.bare(num_envs), mode, render_mode)

    def processes(self, num_envs: int) -> int:
        """Return the number of processes that share `num_envs` games."""
        processors = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        wanted = self.workers or max(1, min(processors, num_envs // 2))
        return 1 if sys.platform == "win32" else min(wanted, num_envs)


class Atari(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """N Atari games; autoreset is disabled.

    Attributes:
        pool: The emulators, in this process and in others.
        action_codes: The emulator's code of each action, [A].
    """

    def __init__(self, config: AtariConfig, num_envs: int) -> None:
        rules = Rules(
            config.game,
            config.mode,
            config.difficulty,
            config.frame_skip,
            config.max_pool,
            config.max_frames,
            config.life_loss_ends_episode,
        )
        self._config, self._rules = config, rules_of(config, "workers")
        self.pool = WorkerPool(rules, num_envs, config.processes(num_envs))
        self.action_codes = np.array(self.pool.local.minimal_actions if config.actions == "minimal" else range(18))
        self.num_envs = num_envs
        self.fps = 60.0 / config.frame_skip
        self.render_mode = None
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED, "render_modes": [], "render_fps": self.fps}
        self.single_observation_space = PIXELS
        self.single_action_space = spaces.Discrete(len(self.action_codes))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.controls: tuple[Controls, ...] = (about.controls(config.game, self.action_codes),)
        self._rng = VectorRng(num_envs)
        self._previous = np.zeros(num_envs, np.int64)  # The emulator's last action, which a sticky action repeats.
        self._lives = np.zeros(num_envs, np.int64)
        self._ended = np.ones(num_envs, bool)  # Copies that wait for a reset.
        self._life_lost = np.zeros(num_envs, bool)  # Copies that wait for a reset, but whose game continues.

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start new games in all copies, or in those of `options["reset_mask"]` [N].

        `seed` + i or `seed[i]` seeds copy i. After a lost life the same game continues, unless a seed is given.
        """
        mask = reset_mask(options, self.num_envs)
        seeded = self._rng.start(seed, mask)
        new = mask & (~self._life_lost | seeded)
        fire = self._config.fire_on_reset and FIRE in self.pool.local.minimal_actions
        if fire and (mask & ~new).any():
            new |= self._press_fire(mask & ~new)
        if new.any():
            noops = np.zeros(self.num_envs, np.int64)
            if self._config.noop_max:
                noops[new] = self._rng.integers(new, self._config.noop_max) + 1
            self._lives[new] = self.pool.start(new, noops, fire)
            self._previous[new] = NOOP
        self._ended, self._life_lost = self._ended & ~mask, self._life_lost & ~mask
        return self._observe(), {}

    def _press_fire(self, mask: np.ndarray) -> np.ndarray:
        """Press FIRE for one step in the games of the mask [N]; return those that ended by it."""
        plan = np.full((self.num_envs, self._config.frame_skip), HELD)
        plan[mask] = FIRE
        _, lives, status, _ = self.pool.step(plan, self._lives).T
        self._lives, self._previous = lives.copy(), np.where(mask, FIRE, self._previous)
        return mask & (status != PLAYING)

    def step(
        self, actions: np.ndarray, held: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take one action in each copy, except for those of the mask `held` [N].

        Raises:
            ValueError: For an illegal action.
            RuntimeError: If a copy waits for a reset, or if a worker process raised an exception.
            UserError: If a worker process has died.
        """
        actions = legal(actions, self.action_space, self.single_action_space)
        require_reset(self._ended)
        held = np.zeros(self.num_envs, bool) if held is None else held
        plan = self._frames(self.action_codes[actions], ~held)
        rewards, lives, status, played = self.pool.step(plan, self._lives).T
        self._previous = np.where(held, self._previous, plan[np.arange(self.num_envs), played - 1])
        fewer_lives = lives < self._lives
        self._life_lost = (status == PLAYING) & fewer_lives & self._config.life_loss_ends_episode
        self._lives = lives.copy()
        terminated, truncated = (status == GAME_OVER) | self._life_lost, status == TRUNCATED
        self._ended = terminated | truncated
        infos = {"life_lost": self._life_lost.copy()}
        return self._observe(), rewards.astype(np.float32), terminated, truncated, infos

    def _frames(self, codes: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return the emulator's actions frame by frame, [N, frame_skip], for chosen actions [N]; some are sticky.

        Copies outside the mask [N] are held, and draw nothing.
        """
        plan = np.repeat(codes[:, None], self._config.frame_skip, 1)
        if self._config.sticky:
            repeats = np.zeros(plan.shape, bool)
            repeats[mask] = self._rng.randoms(mask, plan.shape[1]) < self._config.sticky
            previous = self._previous
            for frame, repeat in enumerate(repeats.T):
                previous = plan[:, frame] = np.where(repeat, previous, codes)
        plan[~mask] = HELD
        return plan

    def _observe(self) -> np.ndarray:
        return self.pool.observations[:, None].copy()

    def render_frame(self, index: int) -> np.ndarray:
        """Render the game's screen, [2 * height, 480, 3] uint8; its pixels are wider than high, as on a television."""
        return self.pool.screen(index).repeat(2, 0).repeat(3, 1)

    def step_frames(self, index: int, *, playing: bool) -> list[np.ndarray]:
        """Render the frames of the last step; earlier ones are kept after the first call, for games of this process."""
        earlier = self.pool.local.earlier_screens[index] if index < len(self.pool.local.emulators) else []
        self.pool.local.keeps_screens = True
        return [*(screen.repeat(2, 0).repeat(3, 1) for screen in earlier), self.render_frame(index)]

    def state_dict(self) -> dict[str, Any]:
        """Return the state of all games: of the emulators, and of everything around them."""
        parts = self.pool.save()
        emulators = [emulator for part in parts for emulator in part["emulators"]]
        return {
            **{name: array.copy() for name, array in self._arrays().items()},
            "rules": self._rules,
            "emulators": np.frombuffer(b"".join(emulators), np.uint8).copy(),
            "sizes": np.array([len(emulator) for emulator in emulators]),  # Bytes of each emulator.
            "screens": np.concatenate([part["screens"] for part in parts]),
            "palette": np.maximum.reduce([part["palette"] for part in parts]),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a saved state.

        Raises:
            UserError: For the state of another game, another environment or another number of copies.
        """
        require_same_rules(state, self._rules, self.num_envs)
        ends = np.cumsum(state["sizes"])
        emulators = [
            state["emulators"][end - size : end].tobytes() for end, size in zip(ends, state["sizes"], strict=True)
        ]
        self.pool.restore(emulators, state["screens"].copy(), state["palette"].copy())
        for name, array in self._arrays().items():
            array[...] = state[name]

    def _arrays(self) -> dict[str, np.ndarray]:
        return {
            "rng": self._rng.state,
            "previous": self._previous,
            "lives": self._lives,
            "ended": self._ended,
            "life_lost": self._life_lost,
            "observations": self.pool.observations,
        }

    def close_extras(self, **_: Any) -> None:
        """End the worker processes."""
        self.pool.close()
