"""The keyboard of environments of others: digits for their first actions."""

from collections.abc import Mapping
from typing import Any

from gymnasium import Space, spaces

from sandbox.core.errors import UserError

DIGITS = {str((action + 1) % 10): action for action in range(10)}  # The keys 1, 2, ..., 9, 0.


def usable_keys(keys: Mapping[str, int], space: Space[Any], env_id: str) -> dict[str, int]:
    """Return the keys for the actions that exist; the default keys have more than most environments need.

    Raises:
        UserError: If given keys name actions that do not exist.
    """
    num_actions = int(space.n) if isinstance(space, spaces.Discrete) else 0
    wrong = {key: action for key, action in keys.items() if not 0 <= action < num_actions}
    if wrong and keys != DIGITS:
        raise UserError(f"env.keys={wrong}: {env_id} has the actions {space}; leave the other keys out")
    return {key: action for key, action in keys.items() if key not in wrong}
