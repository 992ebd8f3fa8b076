"""The part of `sandbox train` and `sandbox resume` in processes of torchrun other than the first."""

import os


def follows() -> bool:
    """Train what the first process of torchrun trains, and return True; in the first, or without torchrun, False."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return False
    from sandbox.core.processes import joined
    from sandbox.runs.follow import follow

    if joined().rank == 0:
        return False
    follow(joined())
    return True
