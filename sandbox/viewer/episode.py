"""Episodes as frames, and the slots of the players: what every frontend (window, web page, video) shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from math import inf
from typing import Protocol

import numpy as np

from sandbox.environments.interaction import EnvStep, Interaction
from sandbox.interfaces.environment import Environment
from sandbox.interfaces.state import RecurrentState, advance_state
from sandbox.viewer.keyboard import KeyboardController

_MAX_IMAGE_RATE = 60.0  # images per second, where a step has several

Action = int | np.ndarray  # an array for a Box of actions


class Player(Protocol):
    """The part of the `Agent` interface that playing needs."""

    def initial_state(self, num_envs: int) -> RecurrentState: ...
    def act(
        self, observations: np.ndarray, state: RecurrentState, *, explore: bool
    ) -> tuple[np.ndarray, RecurrentState]: ...


@dataclass(frozen=True)
class Frame:
    """One step of an episode, rendered.

    Attributes:
        images: The rendered environment during the step, [H, W, 3] uint8 each; the last one is the present.
        seed: The episode's seed; the same seed and players give the same episode.
        step: Steps since the episode's start.
        return_: Sum of the rewards so far.
        actions: The players' actions that led here; empty at the episode's start.
        is_last: Whether the episode is over. Losing a life does not end it.
    """

    images: Sequence[np.ndarray]
    seed: int
    step: int
    return_: float
    actions: tuple[Action, ...]
    is_last: bool

    @property
    def pixels(self) -> np.ndarray:
        """The rendered environment, [H, W, 3] uint8."""
        return self.images[-1]


@dataclass(frozen=True)
class Decision:
    """An agent's choice of an action.

    Attributes:
        observations: The observations [1, ...] that the agent acted on.
        state: The recurrent state before them.
        next_state: The recurrent state after them.
        action: The chosen action.
    """

    observations: np.ndarray
    state: RecurrentState
    next_state: RecurrentState
    action: Action


class PlayerSlot:
    """The slot of one player: an agent, a person with a keyboard, or both, one of whom is in control.

    An agent that is not in control still acts on every observation, so that its recurrent state is up to date when it
    takes over. An agent whose state holds its last action (`r2d2`) then assumes that its own choice was executed.

    Args:
        agent: The agent, if there is one.
        controller: The person's keyboard, if there is one; it is in control if there is no agent.
    """

    def __init__(self, agent: Player | None = None, controller: KeyboardController | None = None) -> None:
        assert agent is not None or controller is not None
        self.agent = agent
        self.controller = controller
        self.person_in_control = agent is None
        self.decision: Decision | None = None  # the agent's newest one

    @property
    def active_controller(self) -> KeyboardController | None:
        """The keyboard, if a person is in control."""
        return self.controller if self.person_in_control else None

    @property
    def is_waiting(self) -> bool:
        """True if the environment has to wait for a key."""
        return self.active_controller is not None and self.active_controller.is_waiting

    def start_episode(self) -> None:
        """Reset the recurrent state, and drop the key presses of the last episode."""
        if self.controller is not None:
            self.controller.start_episode()
        self._state = None if self.agent is None else self.agent.initial_state(1)

    def decide(self, observations: np.ndarray, explore: bool) -> None:
        """Let the agent choose its action for observations [1, ...]."""
        if self.agent is not None:
            actions, next_state = self.agent.act(observations, self._state, explore=explore)
            action = int(actions[0]) if np.ndim(actions) == 1 else actions[0]
            self.decision = Decision(observations, self._state, next_state, action)

    def action(self) -> Action:
        """Return the next action of whoever is in control; call it once per step."""
        if self.active_controller is not None:
            return self.active_controller.action()
        assert self.decision is not None
        return self.decision.action

    def advance(self, rewards: np.ndarray | None) -> None:
        """Advance the recurrent state after a step.

        Args:
            rewards: [1], if they are this player's; None otherwise.
        """
        if self.decision is not None:
            state = self.decision.next_state
            self._state = state if rewards is None else advance_state(state, rewards, np.zeros(1, bool))


class Game:
    """One environment and a slot for each of its players.

    With several players, observations [1, players, ...] hold one per player and actions [1, players] likewise. The
    rewards are those of the first player: another agent whose state holds its last reward (`r2d2`) sees 0.

    Raises:
        ValueError: If `env` holds several environments.
    """

    def __init__(self, env: Environment, slots: Sequence[PlayerSlot]) -> None:
        if env.num_envs != 1:
            raise ValueError(f"the viewer shows one environment, but this one holds {env.num_envs}")
        self._env = env
        self._interaction = Interaction(env)
        self.slots = tuple(slots)
        self.explore = False

    def start(self, seed: int) -> Frame:
        """Start an episode and return its first frame."""
        self._interaction.start(seed)
        for slot in self.slots:
            slot.start_episode()
        self._decide()
        return Frame(self._images(False), seed, 0, 0.0, (), False)

    def step(self, frame: Frame) -> tuple[Frame, EnvStep]:
        """Take all players' actions after `frame`, the newest one, and return the next frame and the transition."""
        actions = [slot.action() for slot in self.slots]
        single = len(actions) == 1
        transition = self._interaction.step(np.asarray(actions if single else [actions]))
        is_last = bool(self._interaction.is_over[0])
        for slot in self.slots:
            slot.advance(transition.rewards if single else None)
        if not is_last:  # otherwise the environment stays in its last state, to be rendered
            self._interaction.next_episodes()
            self._decide()
        return_ = float(self._interaction.returns[0])
        images = self._images(is_last)
        return Frame(images, frame.seed, frame.step + 1, return_, tuple(actions), is_last), transition

    def rendered_again(self, frame: Frame) -> Frame:
        """Return the present frame, rendered again after control has changed."""
        return replace(frame, images=self._images(frame.is_last)[-1:])

    def _images(self, is_last: bool) -> Sequence[np.ndarray]:
        """Render the last step. Until the episode's end, people who play see no more than an agent observes."""
        playing = any(slot.person_in_control for slot in self.slots)
        return self._env.step_frames(0, playing=playing and not is_last)

    def _decide(self) -> None:
        observations = self._interaction.observations
        for player, slot in enumerate(self.slots):
            slot.decide(observations if len(self.slots) == 1 else observations[:, player], self.explore)


def image_at(frame: Frame, fps: float, elapsed: float) -> int:
    """Return the index of the image that is due after `elapsed` seconds, as a negative number: -1 is the last one.

    Args:
        frame: The frame; its last image is due at the end of its step.
        fps: Steps per second.
        elapsed: Seconds since the step began.
    """
    count = 1 if frame.is_last else _num_images(frame, fps)
    number = min(count, 1 + int(elapsed * fps * count + 1e-6))
    return -1 - (count - number) * len(frame.images) // count


def next_image(frame: Frame, fps: float, elapsed: float) -> float:
    """Return the time of the next image, in seconds since the step began; infinity if there is none."""
    if frame.is_last:
        return inf
    count = _num_images(frame, fps)
    return (1 + int(elapsed * fps * count + 1e-6)) / (fps * count)


def _num_images(frame: Frame, fps: float) -> int:
    """Return the number of images of a frame that are shown at this speed."""
    return max(1, min(len(frame.images), int(_MAX_IMAGE_RATE / fps)))


def episodes(slots: Sequence[PlayerSlot], env: Environment, *, seed: int) -> Iterator[Iterator[Frame]]:
    """Play endlessly: yield episodes, each an iterator of frames, with the seeds `seed`, `seed + 1`, ...

    To leave an episode early, take the next one.

    Raises:
        ValueError: If `env` holds several environments.
    """
    game = Game(env, slots)
    for episode_seed in count(seed):
        yield _episode(game, episode_seed)


def _episode(game: Game, seed: int) -> Iterator[Frame]:
    frame = game.start(seed)
    yield frame
    while not frame.is_last:
        frame, _ = game.step(frame)
        yield frame
