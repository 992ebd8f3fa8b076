"""Keyboard control of one player: key events become actions."""

from collections import deque
from collections.abc import Sequence

from sandbox.interfaces.environment import Controls
from sandbox.viewer.keys import KEY_NAMES, Key, key_name
from sandbox.viewer.view import Entries

_ARROWS = ("up", "left", "down", "right")


class KeyboardController:
    """Actions of one player from key events: each press counts for at least one step, then the keys that are held.

    A name such as `up+space` is a chord: the action of keys held together. The chord with the most keys wins; among
    equals, the one whose keys were pressed last.

    Attributes:
        keys: The player's keys, in the order of the keyboard.
        entries: The keys and what they do.

    Args:
        controls: The environment's keys and their actions for this player.

    Raises:
        ValueError: If the controls name an unknown key.
    """

    def __init__(self, controls: Controls) -> None:
        self._actions = {
            frozenset(key_name(key) for key in name.split("+")): action for name, action in controls.keys.items()
        }
        self.keys = tuple(sorted({key for chord in self._actions for key in chord}, key=KEY_NAMES.index))
        self.entries = self._described(controls.actions)
        self._idle = controls.idle if isinstance(controls.idle, tuple) else (controls.idle,)
        self._num_idle = 0  # steps without a key
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
    def is_turn_based(self) -> bool:
        """True if time passes only while a key is down, since there is no idle action."""
        return self._idle == (None,)

    @property
    def is_waiting(self) -> bool:
        """True if the environment has to wait for a key, since it has no idle action."""
        return self.is_turn_based and not self._held and not self._pressed

    def action(self) -> int:
        """Return the action of the next step; 0 if there is neither a key nor an idle action."""
        pressed = [self._pressed.popleft()] if self._pressed else []
        down = [key for key in self._held if key not in pressed] + pressed
        chords = [chord for chord in self._actions if chord.issubset(down)]
        chords = [chord for chord in chords if chord.issuperset(pressed)] or chords
        if not chords:
            self._num_idle += 1
            return self._idle[self._num_idle % len(self._idle)] or 0
        latest = max(chords, key=lambda chord: (len(chord), sorted(map(down.index, chord), reverse=True)))
        return self._actions[latest]

    def _described(self, names: Sequence[str]) -> Entries:
        """Return the keys with the names of their actions; keys that have the name of their action share an entry."""
        single = {key: self._actions.get(frozenset([key])) for key in self.keys}
        if not names:
            actions = [str(action) for action in single.values() if action is not None]
            return [(" ".join(self.keys), f"action{'s' if len(actions) > 1 else ''} {' '.join(actions)}")]
        texts = {key: "with other keys" if action is None else names[action] for key, action in single.items()}
        plain = [key for key, text in texts.items() if text == key]
        named = [(key, text) for key, text in texts.items() if text != key]
        arrows = "arrows" if sorted(plain) == sorted(_ARROWS) else " ".join(plain)
        return [(arrows, "move"), *named] if plain else named
