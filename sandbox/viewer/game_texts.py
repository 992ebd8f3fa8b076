"""Texts of a session that shows an environment: cards, hints and banners."""

from collections.abc import Sequence

from sandbox.interfaces.environment import About, Controls
from sandbox.viewer.agent_panels import PANELS
from sandbox.viewer.controls import COMMON_KEYS
from sandbox.viewer.episode import Frame
from sandbox.viewer.players import Players
from sandbox.viewer.view import Card, Entries


class GameTexts:
    """Texts about an environment and its players.

    Args:
        about: Title and goal.
        controls: The controls of each player.
        players: The players.
    """

    def __init__(self, about: About, controls: Sequence[Controls], players: Players) -> None:
        self._about = about
        self._controls = controls
        self._players = players

    @property
    def pause_key(self) -> str:
        """The key that starts and pauses: `space`, or `p` if a player uses `space`."""
        return "p" if any("space" in person.keys for person in self._players.people) else "space"

    @property
    def player_keys(self) -> Entries:
        """The keys of the people in control, and what they do."""
        return [entry for column in self._player_columns() for entry in column]

    @property
    def hints(self) -> Entries:
        """The keys of the people in control in short, and the key of the help."""
        people = self._players.people
        if len(people) > 1:
            keys = [(" ".join(person.keys), f"player {number}") for number, person in enumerate(people, 1)]
            return [*keys, ("h", "help")]
        return [*self.player_keys, ("h", "help")]

    def help_columns(self, has_agent: bool, panels: Sequence[str], has_checkpoints: bool) -> Sequence[Entries]:
        """Return the keys of the people in control, those of the episodes, and those of the viewer.

        Args:
            has_agent: Whether an agent is shown.
            panels: The panels that exist for it.
            has_checkpoints: Whether it has other checkpoints.
        """
        first = self._players.slots[0]
        entries = [(self.pause_key, "pause, go on"), ("n", "one step"), ("+ -", "faster, slower")]
        entries += [("r", "same seed again"), ("d", "next seed")]
        if has_checkpoints:
            entries.append(("c", "next checkpoint"))
        if first.agent is not None and first.controller is not None:
            entries.append(("t tab", "you or the agent"))
        if has_agent:
            entries.append(("e", "explore or not"))
        shown = [(str(1 + PANELS.index(name)), name) for name in panels]
        if shown:
            shown.append(("0", "all panels"))
        columns: list[Entries] = [self.player_keys, entries, [*shown, *COMMON_KEYS]]
        return [column for column in columns if column]

    def start_card(self) -> Card:
        """Return the card before the first episode."""
        lines = [self._about.goal, *self._roles()]
        if self._players.is_turn_based:
            lines.append("Time stands still until you press a key.")
        return Card(self._about.title, lines, self._player_columns(), "any of these keys starts  ·  h for help")

    def help_card(self, columns: Sequence[Entries]) -> Card:
        """Return the help with these columns of keys."""
        lines = [self._about.goal, *self._roles()]
        return Card(self._about.title, lines, columns, "h or escape closes the help")

    def banner(self, frame: Frame, countdown: int, is_paused: bool) -> str:
        """Return the text in place of the title; empty while the game goes on, or while an agent plays."""
        person_plays = self._players.person_plays
        if frame.is_last:
            more = f"  ·  {self.pause_key} to play again" if person_plays else ""
            return f"return {frame.return_:g}{more}"
        if countdown:
            return f"get ready  ·  {countdown}"
        return f"paused  ·  {self.pause_key} to go on" if is_paused and person_plays else ""

    def _player_columns(self) -> list[Entries]:
        """Return a column of keys for each person in control; several people are numbered."""
        columns = [person.entries for person in self._players.people]
        if len(columns) < 2:
            return columns
        return [
            [(keys, f"player {number}: {text}") for keys, text in column] for number, column in enumerate(columns, 1)
        ]

    def _roles(self) -> list[str]:
        """Return a sentence about the figure of each player, where the environment names it."""
        people = [number for number, slot in enumerate(self._players.slots) if slot.person_in_control]
        sentences = []
        for number, (slot, controls) in enumerate(zip(self._players.slots, self._controls, strict=False)):
            if controls.role and slot.person_in_control:
                who = f"Player {number + 1} is" if len(people) > 1 else "You are"
                sentences.append(f"{who} {controls.role}.")
            elif controls.role and not people:
                sentences.append(f"The agent is {controls.role}.")
        return sentences
