"""Messages about ids that `gymnasium.make` refuses: wrong options, and ids that nothing registers."""

import inspect
import sys
from typing import Any

import gymnasium
from gymnasium.error import UnregisteredEnv

from sandbox.core.errors import UserError
from sandbox.core.messages import nearest
from sandbox.envs._gym.errors import old_api_hint, shortened, text_of

_LISTED = 4  # ids


def not_made(env_id: str, options: dict[str, Any], error: BaseException) -> UserError:
    """Return the message about an exception of `gymnasium.make`."""
    given = f" (env.options: {options})" if options else ""
    said = shortened(text_of(error)) or type(error).__name__
    hint = _unregistered(env_id) if isinstance(error, UnregisteredEnv) and ":" in env_id else ""
    return UserError(f"env.id={env_id} cannot be made: {said}{given}{hint or old_api_hint(text_of(error))}")


def _module_of(entry_point: Any) -> str:
    """Return the module that makes an environment, with a dot at its end; an entry point is a text or a callable."""
    if isinstance(entry_point, str):
        return f"{entry_point.partition(':')[0]}."
    module = inspect.getmodule(entry_point)
    return f"{module.__name__}." if module else ""


def _unregistered(env_id: str) -> str:
    """Return a hint about an id that is not registered although its module was imported."""
    module, _, name = env_id.partition(":")
    package = module.partition(".")[0]
    ids = [each for each, spec in gymnasium.registry.items() if _module_of(spec.entry_point).startswith(f"{package}.")]
    start = f" After `import {module}`, Gymnasium"
    if ids:
        shown = nearest(name, ids) or sorted(ids)
        more = f" and {len(ids) - _LISTED} more" if len(shown) < len(ids) and len(ids) > _LISTED else ""
        return f"{start} knows {', '.join(shown[:_LISTED])}{more} of it."
    old = " It registers its ids with the older package gym, whose API differs." if "gym" in sys.modules else ""
    return (
        f"{start} knows no id of {package}.{old} Call what registers the id, or write a class of Gymnasium's API "
        f"around it, in a file of yours, say my_ids.py, and set env.id=my_ids:{name}."
    )
