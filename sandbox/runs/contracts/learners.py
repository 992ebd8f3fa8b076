"""Contracts of agents and generators."""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sandbox.core.stateful import Stateful
from sandbox.interfaces.classifier import Classifier
from sandbox.runs.agent_run import BuiltAgentRun
from sandbox.runs.build import BuiltRun
from sandbox.runs.contracts.broken import BrokenContractError, require
from sandbox.runs.generator_run import BuiltGeneratorRun
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.tree import write_tree
from sandbox.training.loop import Run

Make = Callable[[int], BuiltRun]  # builds the same run anew, with a seed


def metrics_are_single_numbers(make: Make, folder: Path) -> None:
    """Check that `update` returns 0-d tensors without gradients or numbers, and that batches can be saved."""
    for _, (batch, metrics) in zip(range(9), make(0).ready_to_resume().steps(), strict=False):
        write_tree(folder, "batch", batch)  # as the recorder does if the loss is not finite
        for name, value in metrics.items():
            is_scalar = isinstance(value, torch.Tensor) and value.dim() == 0 and not value.requires_grad
            require(
                is_scalar or isinstance(value, int | float),
                f"the metric {name} is {_described(value)}; return a 0-d tensor (`loss.detach()`) or a number",
            )


def the_seed_decides_all_numbers(make: Make, folder: Path) -> None:
    """Check that runs of one seed are the same, whatever the global random state is, and those of another are not."""
    runs = [make(seed).ready_to_resume() for seed in (1, 1, 2)]
    rows = []
    for number, run in enumerate(runs):
        torch.manual_seed(number)
        np.random.seed(number)
        rows.append(go(run, 4))
    random = "random numbers come from `rng.torch(name, device)` or `rng.numpy(name)`, weights from `rng.initializing`"
    require(rows[0] == rows[1], f"two runs with one seed have different metrics; {random}")
    same(runs[0], runs[1], f"in two runs with one seed; {random}")
    try:
        same(runs[0], runs[2], "")
    except BrokenContractError:
        return
    raise BrokenContractError(f"another seed gives the same run; {random}")


def a_checkpoint_changes_nothing(make: Make, folder: Path) -> None:
    """Check that a run that is saved and loaded in the middle goes on as if it had not been."""
    built = make(0)
    other = make(1) if isinstance(built, BuiltAgentRun) else make(0)  # a data set's images hang on the seed, too
    whole, resumed = built.ready_to_resume(), other.ready_to_resume()
    go(whole, 6)
    store = Checkpoints(folder)
    store.save(whole.stream.step, whole.parts())
    go(resumed, 2)  # traces of another past, and another beginning, must not survive
    store.load(resumed.parts())
    same(whole, resumed, "after loading a checkpoint; its `load_state_dict` does not restore all of it")
    missing = "`parts()` lacks something that decides what comes next"
    require(go(whole, 6) == go(resumed, 6), f"a run has other metrics after it was saved and loaded; {missing}")
    same(whole, resumed, f"six updates after loading a checkpoint; {missing}")


def actions_come_in_batches(make: Make, folder: Path) -> None:
    """Check that `act` returns an action for each environment, and changes nothing when it does not explore."""
    built = make(0)
    assert isinstance(built, BuiltAgentRun)
    for count in (1, 3):
        envs = built.config.env.make(count)
        observations, _ = envs.reset(seed=0)
        state = built.learner.initial_state(count)
        for _ in range(5):
            before = state_of(built.learner.parts())
            actions, state = built.learner.act(observations, state, explore=False)
            expected = (count, *(envs.single_action_space.shape or ()))
            require(
                isinstance(actions, np.ndarray) and actions.shape == expected,
                f"`act` returns {_described(actions)} for {count} environments, not an array of shape {expected}",
            )
            is_allowed = all(envs.single_action_space.contains(action) for action in actions)
            require(is_allowed, f"`act` returns {_described(actions)}, which is not in {envs.single_action_space}")
            changed = differences(before, state_of(built.learner.parts()))
            require(not changed, f"`act` without exploration changes {', '.join(changed[:3])}")
            observations, _, terminated, truncated, _ = envs.step(actions)
            if (ended := terminated | truncated).any():
                observations, _ = envs.reset(options={"reset_mask": ended})


def predictions_have_a_row_for_each_image(make: Make, folder: Path) -> None:
    """Check that `predict` of N images returns N rows, which a second call repeats."""
    built = make(0)
    assert isinstance(built, BuiltGeneratorRun)
    assert isinstance(built.learner, Classifier)
    go(built.ready_to_resume(), 2)
    for count in (1, 3):
        images = built.data.test[:count]
        rows = built.learner.predict(images)
        width = built.facts.spec.num_classes or built.facts.spec.num_numbers
        require(
            isinstance(rows, torch.Tensor) and rows.shape == (count, width) and rows.is_floating_point(),
            f"`predict` returns {_described(rows)} for {count} images, not floats of shape {(count, width)}",
        )
        require(torch.isfinite(rows).all(), "`predict` returns numbers that are not finite")
        require(torch.equal(rows, built.learner.predict(images)), "`predict` of the same images returns other numbers")


def samples_have_the_shape_of_the_data(make: Make, folder: Path) -> None:
    """Check that `sample(N)` returns N samples like the data, after the first updates; a classifier predicts."""
    built = make(0)
    assert isinstance(built, BuiltGeneratorRun)
    learner, shape = built.learner, built.facts.spec.shape
    if isinstance(learner, Classifier):
        predictions_have_a_row_for_each_image(make, folder)
        return
    run = built.ready_to_resume()
    for _ in range(2):
        go(run, 2)
        for count in (1, 5):
            samples = learner.sample(count)
            require(
                isinstance(samples, torch.Tensor) and samples.shape == (count, *shape) and samples.is_floating_point(),
                f"`sample({count})` returns {_described(samples)}, not floats of shape {(count, *shape)}",
            )
            require(torch.isfinite(samples).all(), "`sample` returns numbers that are not finite")
            is_in_range = len(shape) != 3 or (samples.min() >= 0 and samples.max() <= 1)
            require(is_in_range, "`sample` returns pixels outside of 0 to 1")


def go(run: Run, updates: int) -> list[dict[str, float]]:
    """Take some updates, and return the metrics of each."""
    rows = []
    for _, (_, metrics) in zip(range(updates), run.steps(), strict=False):
        rows.append({key: float(value) for key, value in metrics.items()})
    return rows


def leaves(tree: Any, path: str = "") -> dict[str, Any]:
    """Return every tensor, array and number in nested state by its path."""
    if isinstance(tree, dict):
        return {k: v for key, value in tree.items() for k, v in leaves(value, f"{path}/{key}").items()}
    if isinstance(tree, list | tuple):
        return {k: v for i, value in enumerate(tree) for k, v in leaves(value, f"{path}/{i}").items()}
    return {path: tree}


def state_of(parts: Mapping[str, Stateful]) -> dict[str, Any]:
    """Return a copy of every tensor, array and number of a learner or a run by its path."""
    return leaves(copy.deepcopy({name: part.state_dict() for name, part in parts.items()}))


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """Return the paths at which two states differ."""

    def equal(a: Any, b: Any) -> bool:
        return torch.equal(a, b) if isinstance(a, torch.Tensor) else np.array_equal(a, b)

    changed = [path for path in ours if path in theirs and not equal(ours[path], theirs[path])]
    return [*changed, *sorted(ours.keys() ^ theirs.keys())]


def same(a: Run, b: Run, where: str) -> None:
    """Do nothing if two runs have the same state.

    Raises:
        BrokenContractError: Names what differs.
    """
    if changed := differences(state_of(a.parts()), state_of(b.parts())):
        raise BrokenContractError(f"{', '.join(changed[:3])} differ{'' if len(changed) > 1 else 's'} {where}")


def _described(value: Any) -> str:
    if isinstance(value, torch.Tensor | np.ndarray):
        kind = "a tensor" if isinstance(value, torch.Tensor) else "an array"
        gradient = " with a gradient" if isinstance(value, torch.Tensor) and value.requires_grad else ""
        return f"{kind} of shape {tuple(value.shape)} and {str(value.dtype).removeprefix('torch.')}{gradient}"
    return f"a {type(value).__name__}"


EVERY = (metrics_are_single_numbers, the_seed_decides_all_numbers, a_checkpoint_changes_nothing)
CONTRACTS = {
    "agents": (actions_come_in_batches, *EVERY),
    "generators": (samples_have_the_shape_of_the_data, *EVERY),
}
