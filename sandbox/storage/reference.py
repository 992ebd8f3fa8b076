"""References to a checkpoint of a run: `RUN@STEP`."""

import re

from sandbox.core.errors import UserError


def split_reference(text: str) -> tuple[str, int]:
    """Return the run and the step of a reference `RUN@STEP`.

    Raises:
        UserError: If it has no run, or something else than a step follows `@`.
    """
    run, _, step = text.rpartition("@")
    if not run or not re.fullmatch("[0-9]{1,12}", step):
        raise UserError(f"{text!r} names no checkpoint: write RUN@STEP, such as catch_dqn_s0@2000")
    return run, int(step)
