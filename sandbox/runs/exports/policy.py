"""The greedy policy of an agent as a graph; its recurrent state and its frame stack are inputs and outputs."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import torch

from sandbox.core.errors import UserError
from sandbox.interfaces.agent import Exportable
from sandbox.interfaces.environment import Environment
from sandbox.interfaces.state import RecurrentState, advance_state, reset_where
from sandbox.runs.agent_run import BuiltAgentRun
from sandbox.runs.exports.graph import Comparison, Function, Graph, Port, Runner, Tensors

ATTENTION, REWARD = "state_attention", "state_reward"  # the first is an output only, the second an input only
_NUM_ENVS, _STEPS = 3, 32  # of the comparison
_RESET_PERIOD = 7  # one environment's state is set to zero every so many steps, in turn, besides where episodes start


def policy_graph(built: BuiltAgentRun) -> Graph:
    """Return the greedy policy of an agent.

    Raises:
        UserError: If the agent's class is not `Exportable`.
    """
    agent, name = built.learner, built.config.agent.name
    if not isinstance(agent, Exportable):
        raise UserError(
            f"{name} cannot be exported: {type(agent).__name__} is not Exportable (see sandbox/interfaces/agent.py)."
        )
    with closing(built.config.env.make(_NUM_ENVS)) as env:
        observations = torch.from_numpy(env.reset(seed=0)[0])
        actions = _action_names(env, built.spec.num_actions)
    state = built.learner.initial_state(_NUM_ENVS)
    start = flat(state)
    scale = "; uint8 from 0 to 255, which the graph scales itself" if built.spec.is_bytes else ""
    inputs = [Port("observation", f"the newest observation of the environment{scale}", observations)]
    inputs += [Port(key, _meaning(key), part) for key, part in start.items() if key != ATTENTION and part[0].numel()]

    def step(observation: torch.Tensor, *parts: torch.Tensor) -> tuple[torch.Tensor, ...]:
        given = dict(zip((port.name for port in inputs[1:]), parts, strict=True))
        q, after = agent.greedy_step(observation, _filled(state, given, observation))
        after = {key: part for key, part in flat(after).items() if key != REWARD and part[0].numel()}
        return (q.argmax(1), q.float(), *after.values())

    module = Function(step, agent, inputs)
    outputs = [
        Port("action", "the number of the best action", module.examples[0]),
        Port("q_values", "the value of every action", module.examples[1]),
    ]
    kept = [key for key, part in start.items() if key != REWARD and part[0].numel()]
    for key, part in zip(kept, module.examples[2:], strict=True):
        meaning = "the attention weights of this step" if key == ATTENTION else f"{key} of the next step"
        outputs.append(Port(f"next_{key}", meaning, part))

    def compare(run: Runner) -> Iterator[Comparison]:
        with closing(built.config.env.make(_NUM_ENVS)) as env:
            yield from _play(agent, built.learner.initial_state(_NUM_ENVS), env, run)

    return Graph("policy", module, inputs, outputs, compare, {"actions": actions})


def flat(state: RecurrentState, name: str = "state") -> dict[str, torch.Tensor]:
    """Return the tensors of a recurrent state by name, such as `state`, `state_0` or `state_recurrent_0`."""
    if state is None or isinstance(state, torch.Tensor):
        return {} if state is None else {name: state}
    parts = state.items() if isinstance(state, dict) else enumerate(state)
    return {key: leaf for part, value in parts for key, leaf in flat(value, f"{name}_{part}").items()}


def _filled(state: RecurrentState, given: Tensors, batch: torch.Tensor, name: str = "state") -> RecurrentState:
    """Return a state like `state` with the tensors `given` by name; the others are zeros for the rows of `batch`."""
    if isinstance(state, dict):
        return {part: _filled(value, given, batch, f"{name}_{part}") for part, value in state.items()}
    if isinstance(state, tuple):
        return tuple(_filled(value, given, batch, f"{name}_{part}") for part, value in enumerate(state))
    if state is None or name in given:
        return given.get(name)
    return torch.zeros((batch.shape[0], *state.shape[1:]), dtype=state.dtype)


def _meaning(key: str) -> str:
    if key == REWARD:
        return "the reward of the last step; 0 at an episode's start"
    return f"zeros at an episode's start, then next_{key} of the last step"


def _action_names(env: Environment, num_actions: int) -> list[str]:
    """Return the names of the actions, or their numbers."""
    named = [list(controls.actions) for controls in env.controls if len(controls.actions) == num_actions]
    return named[0] if named else [str(action) for action in range(num_actions)]


def _play(agent: Exportable, state: RecurrentState, env: Environment, run: Runner) -> Iterator[Comparison]:
    """Play with the agent and with its graph side by side; each carries a state of its own over the whole sequence."""
    observations, _ = env.reset(seed=1)
    rewards = np.random.default_rng(0).normal(size=(_STEPS, _NUM_ENVS)).astype(np.float32)  # an environment's may be 0
    theirs = {key: part.clone() for key, part in flat(state).items() if key != ATTENTION and part[0].numel()}
    for t in range(_STEPS):
        newest = torch.from_numpy(observations)
        with torch.no_grad():
            q = agent.q_values(agent.network_input(observations, state), state)
            _, state = agent.greedy_step(newest, state)
        outputs = run({"observation": newest, **theirs})
        yield Comparison(f"q_values at step {t}", q, outputs["q_values"])
        chosen = q.gather(1, outputs["action"][:, None])[:, 0]
        yield Comparison(f"best_value at step {t}", q.amax(1), chosen)
        observations, _, terminated, truncated, _ = env.step(outputs["action"].numpy())
        ended = terminated | truncated
        forgets = ended.copy()
        forgets[t // _RESET_PERIOD % _NUM_ENVS] |= t % _RESET_PERIOD == 0
        state = advance_state(state, rewards[t], forgets)
        theirs = {key: outputs[f"next_{key}"] for key in theirs if key != REWARD} | _reward(theirs, rewards[t])
        theirs = reset_where(theirs, forgets)
        for key, part in theirs.items():
            yield Comparison(f"{key} after step {t}", flat(state)[key], part)
        if ended.any():
            observations, _ = env.reset(options={"reset_mask": ended})


def _reward(state: Tensors, rewards: np.ndarray) -> dict[str, Any]:
    return {REWARD: torch.from_numpy(rewards).to(state[REWARD])} if REWARD in state else {}
