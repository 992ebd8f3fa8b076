"""What the agent `random` scores in an environment that no table has: played here, where that is quickly done."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.evaluate.agents import Stopped, evaluate_agent
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.report.references import Reference, published
from sandbox.runs.resolve import member

_EPISODES, _SEED, _SECONDS = 100, 12_345, 3.0


def known_or_played(notes: list[str]) -> Callable[[Mapping[str, Any]], Reference | None]:
    """Who finds references: the published one, or else random's score, played once an environment.

    `notes` gets a line for every environment in which that cannot be, or takes over three seconds of processor time.
    """
    found: dict[str, Reference | None] = {}

    def find(env: Mapping[str, Any]) -> Reference | None:
        key = json.dumps(env, sort_keys=True)
        if key not in found:
            try:
                found[key] = published(env) or _played(env)
            except UserError as problem:
                notes.append(f"What `random` scores in {env['name']} is left out: {problem}")
                found[key] = None
            except Stopped:
                notes.append(
                    f"What `random` scores in {env['name']} is left out: {_EPISODES} episodes take more than "
                    f"{_SECONDS:.0f} s of processor time. Add a run of the agent `random` to see it."
                )
                found[key] = None
        return found[key]

    return find


def _played(env: Mapping[str, Any]) -> Reference:
    config, rng = member("envs", env, "env"), Rng(_SEED)
    world = config.make(16)
    player = member("agents", {"name": "random"}, "agent").make(spec_of(config.make(1)), rng, choose("cpu"), NO_RUNS)
    end = time.process_time() + _SECONDS  # not the clock's: beside other programs the answer should be the same
    score = evaluate_agent(player, world, _EPISODES, _SEED, lambda: time.process_time() > end)
    words = f"random is {_EPISODES} episodes of the agent `random`, seed {_SEED}, played for this report"
    return Reference(score["return_mean"], None, words)
