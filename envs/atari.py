"""Atari 2600: the games of the Arcade Learning Environment, under a protocol of the literature by name.

Rules: `game` is one of ale-py's, such as `breakout`. A step is `frame_skip` frames with the same action, but in
    each frame the action of the one before goes on with probability `sticky`. `protocol` sets the defaults of the
    options: `nature2015` (no sticky actions, minimal actions, up to 30 no-ops at the start, a life lost ends an episode
    for learners, games of 30 minutes) or `machado2018` (sticky 0.25, 18 actions, no no-ops, no life signal, 5 minutes).
Observation: uint8 [1, 84, 84]: grey, the pixel-wise maximum of the step's last two frames, shrunk by the exact area
    mean. Where a game or life ends earlier in the step, its true last frame alone. A new game's is its first frame.
    Stacking frames is the agent's business.
Actions: 0 nothing; then fire, up, right, left, down and their combinations, those that the game knows (`minimal`) or
    all 18 (`full`), in the emulator's order.
Reward: the points of the frames of a step, never clipped.
Episode: terminates when the game is over; truncated after `max_frames` of the emulator's frames. With
    `life_loss_ends_episode` a life lost terminates, too, with `infos["life_lost"]` true: a reset of this environment
    goes on with the same game from the same frame, unless it gives a seed. Evaluation counts whole games.
Best return: 21 in Pong (people 9.3, DQN 18.9 in 2015); games differ by orders of magnitude.
Paper: Bellemare et al. 2013, arXiv:1207.4708; Mnih et al. 2015, doi:10.1038/nature14236; Machado et al. 2018,
    arXiv:1709.06009. Deviations: grey is the emulator's; area means instead of bilinear scaling, as in most code since;
    after a life lost, no frames pass before the next episode (the 2015 code plays no-ops); no FIRE at the start, as in
    the papers' code (`fire_on_reset` plays one); the cap of 108,000 frames is later work's (2015: 18,000). Four of the
    108 games need two players and are refused. A state restored in tic_tac_toe_3d went another way once in 16 times;
    the 103 others never did.
"""

import os
import sys
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from ale_py import Action, ALEInterface, roms
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from pydantic import Field, field_validator

from sandbox.core.messages import nearest
from sandbox.environments.board import PIXELS
from sandbox.environments.checks import legal, require_reset, require_same_rules, reset_mask
from sandbox.environments.config import EnvConfig, rules_of
from sandbox.environments.rng import VectorRng
from sandbox.envs._atari.emulators import FIRE, GOES_ON, NOOP, OVER, TRUNCATED, Rules
from sandbox.envs._atari.workers import WorkerPool
from sandbox.interfaces.environment import Controls

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


def _by_protocol(option: str, **limits: Any) -> Any:
    default: Callable[[dict[str, Any]], Any] = lambda data: PROTOCOLS[data.get("protocol", "nature2015")][option]  # noqa: E731
    return Field(default_factory=default, **limits)


class AtariConfig(EnvConfig):
    """`protocol` gives the defaults of what stands below it; a frame is the emulator's, 60 a second.

    `frame_skip`: frames a step; `max_pool`: over the last two of them; `sticky`: probability a frame; `noop_max`: up to
    so many frames of nothing start a game, at least 1 (0: none); `max_frames`: truncation. `mode`, `difficulty`: the
    console's switches, null for the game's own. `workers`: processes that share the games, this one among them; 0 for
    one a processor. They change the speed, and nothing else.
    """

    name: Literal["atari"] = "atari"
    game: str = "pong"
    protocol: Literal["nature2015", "machado2018"] = "nature2015"
    frame_skip: int = _by_protocol("frame_skip", ge=1, le=60)
    max_pool: bool = _by_protocol("max_pool")
    sticky: float = _by_protocol("sticky", ge=0.0, lt=1.0)
    actions: Literal["minimal", "full"] = _by_protocol("actions")
    life_loss_ends_episode: bool = _by_protocol("life_loss_ends_episode")
    noop_max: int = _by_protocol("noop_max", ge=0, le=1_000)
    fire_on_reset: bool = _by_protocol("fire_on_reset")
    max_frames: int = _by_protocol("max_frames", ge=1)
    mode: int | None = Field(None, ge=0)
    difficulty: int | None = Field(None, ge=0)
    workers: int = Field(0, ge=0)

    @field_validator("game")
    @classmethod
    def _known(cls, game: str) -> str:
        games = roms.get_all_rom_ids()
        if game not in games:
            near = nearest(game, games)
            hint = f"the nearest: {', '.join(near)}" if near else f"known: {', '.join(sorted(games))}"
            raise ValueError(f"no Atari game is called {game!r}; {hint}")
        if ALEInterface.isSupportedROM(str(roms.get_rom_path(game))) is None:
            raise ValueError(f"{game} is for two players; the emulator plays games for one only")
        return game

    def bare(self, num_envs: int) -> "Atari":
        return Atari(self, num_envs)

    def processes(self, num_envs: int) -> int:
        """How many share `num_envs` games."""
        processors = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        wanted = self.workers or max(1, min(processors, num_envs // 2))
        return 1 if sys.platform == "win32" else min(wanted, num_envs)


class Atari(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """N games as an `Environment`; autoreset is disabled."""

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
        self._rules = rules_of(config, "workers")
        self._config, self._crew = config, WorkerPool(rules, num_envs, config.processes(num_envs))
        minimal = self._crew.minimal_actions
        self._codes = np.array(minimal if config.actions == "minimal" else range(18))
        self.num_envs, self.fps, self.render_mode = num_envs, 60.0 / config.frame_skip, None
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED, "render_modes": [], "render_fps": self.fps}
        self.single_observation_space = PIXELS
        self.single_action_space = spaces.Discrete(len(self._codes))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.controls: tuple[Controls, ...] = (
            Controls({_chord(code): action for action, code in enumerate(self._codes) if code}),
        )
        self._lanes = VectorRng(num_envs)
        self._previous = np.zeros(num_envs, np.int64)  # the emulator's last action: a sticky one goes on with it
        self._lives = np.zeros(num_envs, np.int64)
        self._ended = np.ones(num_envs, bool)  # environments that wait for a reset
        self._life_lost = np.zeros(num_envs, bool)  # of those, the ones whose game is not over

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """New games everywhere, or where `options["reset_mask"]` [N] says; `seed` + i seeds environment i.

        Where only a life was lost, the same game goes on, unless a seed is given.
        """
        mask = reset_mask(options, self.num_envs)
        seeded = self._lanes.start(seed, mask)
        new = mask & (~self._life_lost | seeded)
        if new.any():
            noops = np.zeros(self.num_envs, np.int64)
            if self._config.noop_max:
                noops[new] = self._lanes.integers(new, self._config.noop_max) + 1
            self._lives[new] = self._crew.start(new, noops, self._config.fire_on_reset and FIRE in self._codes)
            self._previous[new] = NOOP
        self._ended, self._life_lost = self._ended & ~mask, self._life_lost & ~mask
        return self._observe(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Raises ValueError for an illegal action, RuntimeError for a step past an episode's end or a worker's."""
        actions = legal(actions, self.action_space, self.single_action_space)
        require_reset(self._ended)
        plan = self._frames(self._codes[actions])
        rewards, lives, state, played = self._crew.step(plan, self._lives).T
        self._previous = plan[np.arange(self.num_envs), played - 1]
        truncated, fewer = state == TRUNCATED, lives < self._lives
        self._life_lost = (state == GOES_ON) & fewer & self._config.life_loss_ends_episode
        self._lives = lives.copy()
        terminated = (state == OVER) | self._life_lost
        self._ended = terminated | truncated
        infos = {"life_lost": self._life_lost.copy()}
        return self._observe(), rewards.astype(np.float32), terminated, truncated, infos

    def _frames(self, codes: np.ndarray) -> np.ndarray:
        """What the emulators get frame by frame, [N, frame_skip]."""
        plan = np.repeat(codes[:, None], self._config.frame_skip, 1)
        if self._config.sticky:
            stays = self._lanes.randoms(np.arange(self.num_envs), plan.shape[1]) < self._config.sticky
            before = self._previous
            for frame, stay in enumerate(stays.T):
                before = plan[:, frame] = np.where(stay, before, codes)
        return plan

    def _observe(self) -> np.ndarray:
        return self._crew.observations[:, None].copy()

    def draw(self, index: int) -> np.ndarray:
        """The game's own picture, [2 * height, 480, 3] uint8: a television shows its pixels wider than high."""
        return self._crew.picture(index).repeat(2, 0).repeat(3, 1)

    def state_dict(self) -> dict[str, Any]:
        parts = self._crew.save()
        emulators = [emulator for part in parts for emulator in part["emulators"]]
        return {
            **{name: array.copy() for name, array in self._arrays().items()},
            "rules": self._rules,
            "emulators": np.frombuffer(b"".join(emulators), np.uint8).copy(),
            "sizes": np.array([len(emulator) for emulator in emulators]),  # bytes of each emulator
            "screens": np.concatenate([part["screens"] for part in parts]),
            "palette": np.maximum.reduce([part["palette"] for part in parts]),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises UserError for the state of another game, another environment or another number of copies."""
        require_same_rules(state, self._rules, self.num_envs)
        ends = np.cumsum(state["sizes"])
        emulators = [
            state["emulators"][end - size : end].tobytes() for end, size in zip(ends, state["sizes"], strict=True)
        ]
        self._crew.restore(emulators, state["screens"].copy(), state["palette"].copy())
        for name, array in self._arrays().items():
            array[...] = state[name]

    def _arrays(self) -> dict[str, np.ndarray]:
        return {
            "lanes": self._lanes.state,
            "previous": self._previous,
            "lives": self._lives,
            "ended": self._ended,
            "life_lost": self._life_lost,
            "observations": self._crew.observations,
        }

    def close_extras(self, **_: Any) -> None:
        self._crew.close()


def _chord(code: int) -> str:
    """The keys of one of the emulator's actions: `UPRIGHTFIRE` is up+right+space."""
    name = Action(int(code)).name.replace("FIRE", "SPACE").lower()
    return "+".join(key for key in ("up", "down", "left", "right", "space") if key in name)
