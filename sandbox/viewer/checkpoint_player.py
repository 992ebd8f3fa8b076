"""The checkpoints of a learner that is shown: the newest one, earlier ones, and those of a training in progress."""

from collections.abc import Mapping, Sequence

from sandbox.core.errors import UserError
from sandbox.core.stateful import Stateful
from sandbox.storage.checkpoint import Checkpoints


class CheckpointPlayer:
    """Loads a run's checkpoints into a learner, one after another.

    While the newest checkpoint is loaded, `load_newest` follows a run that is still training.

    Args:
        parts: The learner's parts, by their names in a checkpoint.
        stores: The run's checkpoints and snapshots.
        step: The step of the checkpoint that the parts hold now.
        follows: Whether the run is followed to newer checkpoints.
    """

    def __init__(
        self, parts: Mapping[str, Stateful], stores: Sequence[Checkpoints], step: int, *, follows: bool = True
    ) -> None:
        self._parts = parts
        self._stores = stores
        self._follows_training = follows
        self.step = step

    def steps(self) -> list[int]:
        """Return the steps of all checkpoints that exist now, ascending."""
        return sorted({step for store in self._stores for step in store.steps()})

    def load_newest(self) -> bool:
        """Load the newest checkpoint, unless an earlier one was chosen; return whether there was a newer one."""
        newest = max(self.steps(), default=self.step)
        return self._follows_training and newest > self.step and self._load(newest)

    def load_next(self) -> bool:
        """Load the next checkpoint, or the oldest after the newest; return whether one could be loaded."""
        steps = self.steps()
        if not steps:
            return False
        later = [step for step in steps if step > self.step]
        return self._load(later[0] if later else steps[0])

    def try_next(self) -> tuple[bool, str]:
        """Load the next checkpoint, and return whether it is another one, and its step or what is wrong."""
        before = self.step
        if not self.load_next():
            return False, "could not be read"
        return (False, "there is no other yet") if self.step == before else (True, f"{self.step:,}")

    def _load(self, step: int) -> bool:
        for store in self._stores:
            try:
                if step in store.steps():
                    self.step = store.load(self._parts, step)
                    self._follows_training = self.step == max(self.steps(), default=self.step)
                    return True
            except UserError:  # deleted meanwhile, or damaged: the loaded checkpoint stays
                continue
        return False
