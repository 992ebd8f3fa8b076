"""People in an agent's place: keys become actions."""

from collections import deque

from sandbox.interfaces.environment import Controls
from sandbox.viewer.keys import Key, key_name


class KeyboardController:
    """One player's keys: each press counts for at least one step, then those that are held.

    A name such as `up+space` is a chord: the action of keys held together. The chord with the most keys wins, among
    equals the one whose keys were pressed last.
    """

    def __init__(self, controls: Controls) -> None:
        self._actions = {
            frozenset(key_name(key) for key in name.split("+")): action for name, action in controls.keys.items()
        }
        self.keys = tuple(dict.fromkeys(key_name(key) for name in controls.keys for key in name.split("+")))
        self._idle = controls.idle
        self._held: list[str] = []
        self._pressed: deque[str] = deque(maxlen=2)  # not yet acted on; more would lag behind a fast finger

    def take(self, key: Key) -> bool:
        """Whether the key is this player's."""
        if key.name not in self.keys:
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

    def let_go(self) -> None:
        """Somebody else has the joystick: nothing is pressed."""
        self._pressed.clear()
        self._held.clear()

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
