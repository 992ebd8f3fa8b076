"""Episodes as frames, and the seats of those who play: what every face (window, browser, film) shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple, Protocol

import numpy as np

from sandbox.interfaces.environment import Environment, game_over
from sandbox.interfaces.state import RecurrentState, advance_state
from sandbox.viewer.keyboard import KeyboardController


class Player(Protocol):
    """What an episode needs of an agent."""

    def initial_state(self, num_envs: int) -> RecurrentState: ...
    def act(
        self, observations: np.ndarray, state: RecurrentState, *, explore: bool
    ) -> tuple[np.ndarray, RecurrentState]: ...


@dataclass(frozen=True)
class Frame:
    """One moment: the picture [H, W, 3] uint8, and how the episode got there."""

    picture: np.ndarray
    seed: int  # the episode's: the same seed and player give the same episode
    step: int
    return_: float
    action: tuple[int, ...]  # the one that led here; empty at an episode's start
    ended: bool


@dataclass(frozen=True)
class Decision:
    """What an agent saw [1, ...], carried before and after it looked, and would do."""

    observations: np.ndarray
    before: RecurrentState
    after: RecurrentState
    action: int


class Transition(NamedTuple):
    """A step for those who learn from it: observations [1, ...] before it and the true ones after it, [1] of each."""

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    last: np.ndarray


class PlayerSlot:
    """A player's place, with an agent, a person's hand, or both, of whom one has the joystick.

    An agent without the joystick thinks along, so that it knows what it remembers when it is given it. It does not
    know what was done in its place: one that wants its last action (`r2d2`) believes it did what it had in mind.
    """

    def __init__(self, agent: Player | None = None, hand: KeyboardController | None = None) -> None:
        assert agent is not None or hand is not None
        self.agent, self.hand, self.by_hand = agent, hand, agent is None
        self.thought: Decision | None = None  # the newest

    @property
    def waiting(self) -> bool:
        """Whether the game is to wait for a key."""
        return self.by_hand and self.hand is not None and self.hand.waiting

    def sit_down(self) -> None:
        """An episode starts."""
        if self.hand is not None:
            self.hand.forget()
        self._state = None if self.agent is None else self.agent.initial_state(1)

    def look(self, observations: np.ndarray, explore: bool) -> None:
        """Decide what to do about observations [1, ...]."""
        if self.agent is not None:
            actions, after = self.agent.act(observations, self._state, explore=explore)
            self.thought = Decision(observations, self._state, after, int(actions[0]))

    def move(self) -> int:
        """The action, once for each step."""
        if self.by_hand and self.hand is not None:
            return self.hand.action()
        assert self.thought is not None
        return self.thought.action

    def hear(self, rewards: np.ndarray | None) -> None:
        """A step is over: who carries something goes on with it; `rewards` [1] if they are this player's."""
        if self.thought is not None:
            after = self.thought.after
            self._state = after if rewards is None else advance_state(after, rewards, np.zeros(1, bool))


class Game:
    """One environment, autoreset disabled, and a seat for each of its players.

    With several players, observations [1, players, ...] hold a view for each and actions [1, players] a move of each.
    The rewards are one player's: an agent that wants its last one (`r2d2`) then plays as if it were 0.

    Raises:
        ValueError: if `env` holds several.
    """

    def __init__(self, env: Environment, seats: Sequence[PlayerSlot]) -> None:
        if env.num_envs != 1:
            raise ValueError(f"a game is of one environment, this holds {env.num_envs}")
        self._env, self.seats = env, tuple(seats)
        self.explore = False

    def start(self, seed: int) -> Frame:
        """A new episode."""
        self.observations, _ = self._env.reset(seed=seed)
        for seat in self.seats:
            seat.sit_down()
        self._look()
        return Frame(self._env.draw(0), seed, 0, 0.0, (), False)

    def step(self, frame: Frame) -> tuple[Frame, Transition]:
        """Everybody's move after `frame`, the newest one."""
        moves = [seat.move() for seat in self.seats]
        actions = np.array([moves] if len(moves) > 1 else moves, np.int64)
        before = self.observations
        self.observations, rewards, terminated, truncated, infos = self._env.step(actions)
        happened = Transition(before, actions, rewards, terminated, truncated, self.observations)
        over = bool(game_over(terminated, truncated, infos)[0])
        for seat in self.seats:
            seat.hear(rewards if len(moves) == 1 else None)
        if not over and (terminated[0] or truncated[0]):  # a life lost
            self.observations, _ = self._env.reset(options={"reset_mask": terminated | truncated})
        if not over:
            self._look()
        return_ = frame.return_ + float(rewards[0])
        return Frame(self._env.draw(0), frame.seed, frame.step + 1, return_, tuple(moves), over), happened

    def _look(self) -> None:
        for place, seat in enumerate(self.seats):
            seen = self.observations if len(self.seats) == 1 else self.observations[:, place]
            seat.look(seen, self.explore)


def episodes(seats: Sequence[PlayerSlot], env: Environment, *, seed: int) -> Iterator[Iterator[Frame]]:
    """Play without end, episode after episode, with seeds `seed`, `seed + 1`, ...; leave one early by taking the next.

    Raises:
        ValueError: if `env` holds several environments.
    """
    game = Game(env, seats)
    for episode_seed in count(seed):
        yield _episode(game, episode_seed)


def _episode(game: Game, seed: int) -> Iterator[Frame]:
    frame = game.start(seed)
    yield frame
    while not frame.ended:
        frame, _ = game.step(frame)
        yield frame
