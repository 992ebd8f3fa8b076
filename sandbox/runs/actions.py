"""Refuses agents that cannot choose from an environment's actions, with the command that works."""

import shlex

from gymnasium import spaces

from sandbox.config.yaml_text import text_of
from sandbox.core.errors import UserError
from sandbox.interfaces.spec import Spec
from sandbox.runs.config import AgentRun

_DEFAULT_OPTIONS = ("wrappers",)


def require_actions(config: AgentRun, spec: Spec) -> None:
    """Check that the agent can choose from the actions of the environment.

    Raises:
        UserError: If it cannot; the message has a command for an agent that can.
    """
    kinds = config.agent.action_kinds()
    match spec.action_space:
        case spaces.Box() if "Box" not in kinds:
            has, other = "a Box", "{name: sb3, algorithm: sac}"
        case spaces.Discrete() if "Discrete" not in kinds:
            has, other = "Discrete", "{name: sb3, algorithm: ppo}"
        case _:
            return
    env = config.env.model_dump(mode="json", exclude_defaults=True) | {"name": config.env.name}
    command = f"sandbox train env={shlex.quote(text_of(env))} agent={shlex.quote(other)} steps={config.steps}"
    raise UserError(
        f"agent {config.agent.label} chooses from {' or '.join(kinds)} actions, and this environment has "
        f"{has}: {spec.action_space}. Train another agent in it: `{command}`"
    )
