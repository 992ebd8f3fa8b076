"""A learner as its checkpoints hold it: the newest one, those before it, and those that are still to come."""

from collections.abc import Mapping, Sequence

from sandbox.core.errors import UserError
from sandbox.core.stateful import Stateful
from sandbox.storage.checkpoint import Checkpoints


class CheckpointPlayer:
    """`parts` are the learner's, by their names in a checkpoint, and hold the one of `step`.

    It follows a run that is still training for as long as it shows the newest checkpoint.
    """

    def __init__(self, parts: Mapping[str, Stateful], places: Sequence[Checkpoints], step: int) -> None:
        self._parts, self._places, self.step = parts, places, step
        self._following = True

    def steps(self) -> list[int]:
        """Of all checkpoints there are now."""
        return sorted({step for place in self._places for step in place.steps()})

    def follow(self) -> bool:
        """Take the newest checkpoint, if there is a newer one than was shown; whether there was."""
        newest = max(self.steps(), default=self.step)
        return self._following and newest > self.step and self._load(newest)

    def next(self) -> bool:
        """Take the next checkpoint, after the newest the oldest; whether that went well."""
        steps = self.steps()
        later = [step for step in steps if step > self.step]
        return bool(steps) and self._load((later or steps)[0])

    def _load(self, step: int) -> bool:
        for place in self._places:
            try:
                if step in place.steps():
                    self.step = place.load(self._parts, step)
                    self._following = self.step == max(self.steps(), default=self.step)
                    return True
            except UserError:  # dropped meanwhile, or damaged: as it was before
                continue
        return False
