"""References to runs: `latest`, a name, a path or the start of an id, with `@STEP` for one of its checkpoints."""

import re
from typing import NamedTuple

from sandbox.core.errors import UserError


class Reference(NamedTuple):
    """A run, and the step of the checkpoint that is meant; None means the newest one."""

    run: str
    step: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Return what a text refers to.

        Raises:
            UserError: If something else than a step follows `@`.
        """
        run, at, step = text.rpartition("@")
        if not at:
            return cls(text)
        if not run or not re.fullmatch("[0-9]{1,12}", step):
            raise UserError(f"{text!r} means no checkpoint: write RUN@STEP, such as catch_dqn_s0@2000")
        return cls(run, int(step))
