"""The part of `sandbox show` about playing an environment: title, goal, names of the actions, and keys."""

from sandbox.environments.config import EnvConfig
from sandbox.viewer.keyboard import KeyboardController


def for_people(model: type[EnvConfig]) -> dict[str, str]:
    """Return title and goal of an environment with its default options, and role, actions and keys of its first player.

    The result is empty if an option has no default, such as the id of a Gymnasium environment.
    """
    if any(field.is_required() for field in model.model_fields.values()):
        return {}
    config = model.model_validate({})
    env = config.make(1)
    controls = env.controls[0]
    env.close()
    found = {
        "title": config.about.title,
        "goal": config.about.goal,
        "you are": controls.role,
        "actions": ", ".join(f"{number} {name}" for number, name in enumerate(controls.actions)),
        "keys": ", ".join(f"{keys}: {text}" for keys, text in KeyboardController(controls).entries),
    }
    return {name: text for name, text in found.items() if text}
