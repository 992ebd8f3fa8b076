"""A short episode, played twice before a run: notes about what its environment will not do."""

import math
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, Protocol

import numpy as np

from sandbox.core.errors import UserError
from sandbox.envs._gym.errors import note_once
from sandbox.interfaces.environment import Environment, RenderError

_STEPS, _SECONDS = 40, 1.0  # length of an episode, at most
_LARGE, _SMALL = 1e3, 3e-3  # numbers that networks learn badly from
_LARGE_IMAGE = 10  # largest number of an image of floats that networks learn well from
_DARK = 25  # the same for images of bytes: least value of the largest byte
_LISTED = 12  # factors that are listed


class Watched(Environment, Protocol):
    """An environment that knows whether it drew from global generators."""

    @property
    def draws_globally(self) -> bool:
        """True if a copy drew from the global generators of NumPy or `random`."""


def examine(
    env_id: str,
    make: Callable[[int], Watched],
    make_for_people: Callable[[int], Watched] | None,
    together: bool,
) -> None:
    """Play the episode in two copies, and compare them.

    Args:
        env_id: The environment's id.
        make: Makes a number of copies.
        make_for_people: Makes copies that can be rendered; None if no frames will be needed.
        together: Whether copies will be made next to others; if not, there is never more than one here.

    Raises:
        UserError: If the environment misbehaves, or cannot be made next to another one.
    """
    with closing(make(1)) as env:
        first, bounds = _walk(env, _STEPS), env.single_observation_space
        draws_globally = env.draws_globally
        if together:
            second = _walk_second(make, len(first))
    if not together:
        with closing(make(1)) as env:
            second = _walk(env, len(first))
    where = f"env.id={env_id}"
    if draws_globally:
        note_once(
            f"{where} draws from the global generators of NumPy or `random`. They are seeded with each episode from "
            "the run's seed, for every copy by itself."
        )
    if not _same(first, second):
        note_once(
            f"{where} does not repeat itself: the same seed and actions led to other observations or rewards. Runs "
            "with the same seed will differ, and a resume cannot be exact: it begins new episodes. Let reset(seed=...) "
            "seed all its random numbers."
        )
    observations = np.stack([row[0] for row in first])
    _note_scales(where, observations)
    _note_bounds(where, observations, bounds)
    if make_for_people is not None:
        _note_frames(env_id, make_for_people)


def one_only(error: UserError) -> UserError:
    """Return the message about a copy that could not be made although another one could."""
    return UserError(
        f"{str(error).removesuffix('.')}. Another copy is open at that time. If only one may be, set "
        "num_envs=1 (in agent.stream or agent.stream.replay), evaluate_period=0 and media_period=0."
    )


def _walk_second(make: Callable[[int], Watched], steps: int) -> list[tuple[Any, ...]]:
    try:
        env = make(1)
    except UserError as error:
        raise one_only(error) from None
    with closing(env):
        return _walk(env, steps)


def _walk(env: Watched, steps: int) -> list[tuple[Any, ...]]:
    """Return what a copy shows during random actions."""
    space, end, seen = env.single_action_space, time.monotonic() + _SECONDS, list[tuple[Any, ...]]()
    space.seed(0)
    observations, _ = env.reset(seed=0)
    seen.append((observations[0],))
    while len(seen) < steps and time.monotonic() < end:
        observations, *results, _ = env.step(np.asarray([space.sample()]))
        seen.append((observations[0], *(result[0] for result in results)))
        if seen[-1][2] or seen[-1][3]:
            env.reset(options={"reset_mask": np.ones(1, bool)})
    return seen


def _same(first: list[tuple[Any, ...]], second: list[tuple[Any, ...]]) -> bool:
    return all(
        np.array_equal(a, b) for row, other in zip(first, second, strict=False) for a, b in zip(row, other, strict=True)
    )


def _note_scales(where: str, observations: np.ndarray) -> None:
    """Print a note about numbers that are far from 1, with the wrapper that scales them."""
    if observations.ndim != 2:
        _note_image_scale(where, observations)
        return
    largest = abs(observations).max(0)
    far = (largest > _LARGE) | ((largest > 0) & (largest < _SMALL))
    if not far.any():
        return
    examples = ", ".join(f"number {index} reaches {largest[index]:.1g}" for index in np.flatnonzero(far)[:3])
    command = "env.wrappers='[{scale: {by: [...]}}]'"
    if len(largest) <= _LISTED:
        sizes = zip(largest.tolist(), far.tolist(), strict=True)
        factors = [10.0 ** -math.floor(math.log10(size)) if is_far else 1.0 for size, is_far in sizes]
        command = command.replace("...", ", ".join(f"{factor:g}" for factor in factors))
    note_once(
        f"{where}: networks learn best from numbers near 1, and in observations {examples}. Scale them with the "
        f"wrapper `scale`: {command}"
    )


def _note_image_scale(where: str, observations: np.ndarray) -> None:
    """Print a note about images whose numbers are all far from 1, with one factor that scales them."""
    is_bytes, largest = observations.dtype == np.uint8, float(abs(observations).max())
    if not 0 < largest < _DARK if is_bytes else largest <= _LARGE_IMAGE:
        return
    seen = (
        f"divide bytes by 255, and those of observations reach only {largest:g}"
        if is_bytes
        else (f"learn best from numbers near 1, and those of observations reach {largest:g}")
    )
    note_once(f"{where}: networks {seen}. Scale them: env.wrappers='[{{scale: {{by: {1 / largest:.2g}}}}}]'")


def _note_bounds(where: str, observations: np.ndarray, bounds: Any) -> None:
    """Print a note about numbers outside the declared bounds."""
    outside = (observations < bounds.low) | (observations > bounds.high)
    if outside.any():
        index = tuple(np.argwhere(outside)[0])
        low, high = bounds.low[index[1:]], bounds.high[index[1:]]
        note_once(
            f"{where}: observations leave the bounds that its observation_space declares, such as "
            f"{observations[index]:g}, where {low:g} to {high:g} are declared. They are used as they are."
        )


def _note_frames(env_id: str, make_for_people: Callable[[int], Watched]) -> None:
    """Print a note if there are no frames for videos."""
    env = make_for_people(1)
    try:
        env.reset(seed=0)
        env.render_frame(0)
    except RenderError as problem:
        note_once(f"env.id={env_id}: no videos are made: {problem}")
    finally:
        env.close()
