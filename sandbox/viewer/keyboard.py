"""People in an agent's place: keys become actions."""

from collections import deque
from collections.abc import Sequence

import numpy as np

from sandbox.environment import Controls
from sandbox.viewer.window import Key, key_name


class Hand:
    """One player's keys: each press counts for at least one step, then the key that was pressed last and is held."""

    def __init__(self, controls: Controls) -> None:
        self._actions = {key_name(name): action for name, action in controls.keys.items()}
        self._idle = controls.idle
        self._held: list[str] = []
        self._pressed: deque[str] = deque(maxlen=2)  # not yet acted on; more would lag behind a fast finger

    def take(self, key: Key) -> bool:
        """Whether the key is this player's."""
        if key.name not in self._actions:
            return False
        if key.name in self._held:
            self._held.remove(key.name)
        if key.down:
            self._held.append(key.name)
            self._pressed.append(key.name)
        return True

    def forget(self) -> None:
        """A new episode: presses that were not acted on are void."""
        self._pressed.clear()

    def action(self) -> int:
        """The action of one step."""
        if self._pressed:
            return self._actions[self._pressed.popleft()]
        return self._actions[self._held[-1]] if self._held else self._idle


class Keyboard:
    """The players at one keyboard, as a `Player`."""

    def __init__(self, controls: Sequence[Controls]) -> None:
        self._hands = [Hand(each) for each in controls]

    def take(self, key: Key) -> bool:
        """Whether the key belongs to the game."""
        return any(hand.take(key) for hand in self._hands)

    def initial_state(self, num_envs: int) -> None:
        for hand in self._hands:
            hand.forget()

    def act(self, observations: np.ndarray, state: None, *, explore: bool) -> tuple[np.ndarray, None]:
        """The keys' action for one environment: [1], or [1, players] with several."""
        actions = np.array([[hand.action() for hand in self._hands]], np.int64)
        return actions if len(self._hands) > 1 else actions[:, 0], None
