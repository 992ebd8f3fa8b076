"""People in an agent's place: keys become actions."""

from collections import deque
from collections.abc import Sequence

import numpy as np

from sandbox.environment import Controls
from sandbox.viewer.window import Key, key_name


class Hand:
    """One player's keys: each press counts for at least one step, then those that are held.

    A name such as `up+space` is a chord: the action of keys held together. The chord with the most keys wins, among
    equals the one whose keys were pressed last.
    """

    def __init__(self, controls: Controls) -> None:
        self._actions = {
            frozenset(key_name(key) for key in name.split("+")): action for name, action in controls.keys.items()
        }
        self._keys = frozenset[str]().union(*self._actions)
        self._idle = controls.idle
        self._held: list[str] = []
        self._pressed: deque[str] = deque(maxlen=2)  # not yet acted on; more would lag behind a fast finger

    def take(self, key: Key) -> bool:
        """Whether the key is this player's."""
        if key.name not in self._keys:
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

    @property
    def waiting(self) -> bool:
        """Whether the game is to wait for this player."""
        return self._idle is None and not self._held and not self._pressed

    def action(self) -> int:
        """The action of one step; 0 for a player who was not waited for."""
        pressed = [self._pressed.popleft()] if self._pressed else []
        down = [key for key in self._held if key not in pressed] + pressed
        chords = [chord for chord in self._actions if chord.issubset(down)]
        chords = [chord for chord in chords if chord.issuperset(pressed)] or chords
        latest = max(chords, key=lambda chord: (len(chord), sorted(map(down.index, chord), reverse=True)), default=None)
        return self._actions[latest] if latest is not None else self._idle or 0


class Keyboard:
    """The players at one keyboard, as a `Player`."""

    def __init__(self, controls: Sequence[Controls]) -> None:
        self._hands = [Hand(each) for each in controls]

    def take(self, key: Key) -> bool:
        """Whether the key belongs to the game."""
        return any(hand.take(key) for hand in self._hands)

    @property
    def waiting(self) -> bool:
        """Whether the game is to wait for somebody's key."""
        return any(hand.waiting for hand in self._hands)

    def initial_state(self, num_envs: int) -> None:
        for hand in self._hands:
            hand.forget()

    def act(self, observations: np.ndarray, state: None, *, explore: bool) -> tuple[np.ndarray, None]:
        """The keys' action for one environment: [1], or [1, players] with several."""
        actions = np.array([[hand.action() for hand in self._hands]], np.int64)
        return actions if len(self._hands) > 1 else actions[:, 0], None
