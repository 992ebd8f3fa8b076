"""The players of a session: the slots, the people in control, and their keys."""

from collections.abc import Sequence

from sandbox.viewer.episode import PlayerSlot
from sandbox.viewer.keyboard import KeyboardController
from sandbox.viewer.keys import Key


class Players:
    """All players of a session.

    Args:
        slots: A slot for each player.
    """

    def __init__(self, slots: Sequence[PlayerSlot]) -> None:
        self.slots = tuple(slots)

    @property
    def people(self) -> list[KeyboardController]:
        """The keyboards of the people in control."""
        return [slot.active_controller for slot in self.slots if slot.active_controller is not None]

    @property
    def person_plays(self) -> bool:
        return any(slot.person_in_control for slot in self.slots)

    @property
    def is_turn_based(self) -> bool:
        """True if time stands still while no key is down."""
        return any(person.is_turn_based for person in self.people)

    @property
    def must_be_quick(self) -> bool:
        """True if time passes while a person thinks."""
        return self.person_plays and not self.is_turn_based

    @property
    def is_waiting(self) -> bool:
        """True if the environment has to wait for a key."""
        return any(person.is_waiting for person in self.people)

    def handle_key(self, key: Key) -> bool:
        """Pass a key to the people in control, and return whether it is one of theirs."""
        return any(person.handle_key(key) for person in self.people)

    def switch_control(self) -> tuple[bool, str]:
        """Hand control of the first player from the agent to the person, or back.

        Returns:
            Whether it was possible, and the owner of the control now, or the reason why it was not possible.
        """
        slot = self.slots[0]
        if slot.agent is None:
            return False, "there is no agent"
        if slot.controller is None or not slot.controller.keys:
            return False, "this environment has no keys"
        slot.controller.release_all()
        slot.person_in_control = not slot.person_in_control
        return True, "yours" if slot.person_in_control else "the agent's"

    def drop_presses(self) -> None:
        """Forget the key press that started an episode; it must not be the first move of a turn-based environment."""
        for person in self.people:
            if person.is_turn_based:
                person.release_all()
            else:
                person.start_episode()

    def release_all(self) -> None:
        """Treat every key as released."""
        for slot in self.slots:
            if slot.controller is not None:
                slot.controller.release_all()
