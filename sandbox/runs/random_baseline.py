"""Return of the agent `random` in an environment without published reference scores; it is played here."""

import json
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.progress import progress
from sandbox.core.rng import Rng
from sandbox.evaluate.agents import Stopped, evaluate_agent
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.report.references import Reference, published
from sandbox.runs import registry
from sandbox.runs.resolve import member

_EPISODES = 100
_SEED = 12_345
_SECONDS = 3.0  # of processor time, after which the measurement is given up


class ReferenceScores:
    """Reference scores of environments: published ones, or else the return of the agent `random`.

    Each environment is played once. `notes` receives a line for every environment whose score is missing.
    """

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes
        self._found: dict[str, Reference | None] = {}

    def __call__(self, env: Mapping[str, Any]) -> Reference | None:
        """Return the reference of an environment, given its options; None if it cannot be found in 3 seconds."""
        key = json.dumps(env, sort_keys=True)
        if key not in self._found:
            self._found[key] = self._find(env)
        return self._found[key]

    def _find(self, env: Mapping[str, Any]) -> Reference | None:
        try:
            return published(env) or _play(env)
        except UserError as problem:
            reason = str(problem)
        except Stopped:
            reason = (
                f"{_EPISODES} episodes take more than {_SECONDS:.0f} s of processor time. Add a run of the agent "
                "`random` to see it."
            )
        self._notes.append(f"The score of `random` in {env['name']} is left out: {reason}")
        return None


def _play(env: Mapping[str, Any]) -> Reference:
    """Play 100 episodes with the agent `random`.

    Raises:
        Stopped: After three seconds of processor time.
        UserError: For an environment whose module would be imported for it: a report imports nobody's code.
    """
    if ":" in str(env.get("id")):
        raise UserError(f"it is made by a module ({env['id']}), which a report does not import")
    if env.get("name") not in registry.names("envs"):
        raise UserError("a report imports nobody's code; name its file with --members")
    config, rng = member("envs", env, "env"), Rng(_SEED)
    with closing(config.make(1)) as one:
        spec = spec_of(one)
    player = member("agents", {"name": "random"}, "agent").make(spec, rng, choose("cpu"), NO_RUNS)
    end = time.process_time() + _SECONDS  # processor time: other programs must not change the answer
    with closing(config.make(16)) as copies, progress.phase("playing at random"):
        score = evaluate_agent(player, copies, _EPISODES, _SEED, lambda: time.process_time() > end)
    words = f"random is {_EPISODES} episodes of the agent `random`, seed {_SEED}, played for this report"
    return Reference(score["return_mean"], None, words)
