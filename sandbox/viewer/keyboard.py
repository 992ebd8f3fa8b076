"""Keyboard control of one player: key events become actions."""

from collections import deque

from sandbox.interfaces.environment import Controls
from sandbox.viewer.keys import Key, key_name


class KeyboardController:
    """Actions of one player from key events: each press counts for at least one step, then the keys that are held.

    A name such as `up+space` is a chord: the action of keys held together. The chord with the most keys wins; among
    equals, the one whose keys were pressed last.

    Args:
        controls: The environment's keys and their actions for this player.

    Raises:
        ValueError: If the controls name an unknown key.
    """

    def __init__(self, controls: Controls) -> None:
        self._actions = {
            frozenset(key_name(key) for key in name.split("+")): action for name, action in controls.keys.items()
        }
        self.keys = tuple(dict.fromkeys(key_name(key) for name in controls.keys for key in name.split("+")))
        self._idle = controls.idle
        self._held: list[str] = []
        self._pressed: deque[str] = deque(maxlen=2)  # presses without a step yet; a longer queue would lag behind

    def handle_key(self, key: Key) -> bool:
        """Update the held keys, and return whether the key is one of this player's."""
        if key.name not in self.keys:
            return False
        if key.name in self._held:
            self._held.remove(key.name)
        if key.down:
            self._held.append(key.name)
            self._pressed.append(key.name)
        return True

    def start_episode(self) -> None:
        """Drop presses that no step has used; held keys stay held."""
        self._pressed.clear()

    def release_all(self) -> None:
        """Treat every key as released, e.g. when the agent takes over."""
        self._pressed.clear()
        self._held.clear()

    @property
    def is_waiting(self) -> bool:
        """True if the environment has to wait for a key, since it has no idle action."""
        return self._idle is None and not self._held and not self._pressed

    def action(self) -> int:
        """Return the action of the next step; 0 if there is neither a key nor an idle action."""
        pressed = [self._pressed.popleft()] if self._pressed else []
        down = [key for key in self._held if key not in pressed] + pressed
        chords = [chord for chord in self._actions if chord.issubset(down)]
        chords = [chord for chord in chords if chord.issuperset(pressed)] or chords
        if not chords:
            return self._idle or 0
        latest = max(chords, key=lambda chord: (len(chord), sorted(map(down.index, chord), reverse=True)))
        return self._actions[latest]
