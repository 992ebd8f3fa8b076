"""Contracts of environments that are batch programs."""

import warnings
from collections.abc import Callable

import numpy as np
from gymnasium import Space
from gymnasium.utils.env_checker import check_env

from sandbox.environments.batch import BatchEnv
from sandbox.envs._gymnasium import SingleEnv
from sandbox.runs.contracts.broken import require

Make = Callable[[int], BatchEnv]  # makes N copies
_STEPS = 300


def gymnasiums_checker_passes(make: Make) -> None:
    """Check a single copy with Gymnasium's own checker; its warnings count."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            check_env(SingleEnv.of(make(1)), skip_render_check=True)
        except Exception as error:  # whatever the checker raises
            require(None, f"Gymnasium's checker says: {error}")
    require(not said, f"Gymnasium's checker warns: {said[0].message if said else ''}")


def the_same_seed_gives_the_same_episodes(make: Make) -> None:
    """Check that seeds and actions decide everything, and that a copy does not depend on the others."""
    draw = "draw all random numbers from `rng`"
    many, again, alone = make(3), make(3), make(1)
    first = many.reset(seed=[5, 6, 7])[0]
    require(np.array_equal(first, again.reset(seed=[5, 6, 7])[0]), f"two resets with one seed differ; {draw}")
    require(
        np.array_equal(first[1:2], alone.reset(seed=6)[0]),
        f"copy 1 of 3 and a single copy begin differently; {draw}",
    )
    many.action_space.seed(0)
    for step in range(_STEPS):
        actions = many.action_space.sample()
        results = play(many, actions), play(again, actions), play(alone, actions[1:2])
        for ours, same, single in zip(*results, strict=True):
            require(
                np.array_equal(ours, same),
                f"two runs of one seed differ in step {step}; {draw}",
            )
            require(np.array_equal(ours[1:2], single), f"copy 1 of 3 and a single one differ in step {step}")


def a_restored_state_has_the_same_future(make: Make) -> None:
    """Check that a saved state, in another copy of the environment, goes on as it did: at random, or standing still."""
    lacks = "return every array that `step` changes from `state_arrays`"
    for constant in (False, True):  # by the same action again and again, episodes reach their limits
        env = other = make(3)
        env.action_space.seed(0)
        env.reset(seed=1)
        actions = env.action_space.sample()
        for step in range(_STEPS):
            if step % 50 == 25:
                other = make(3)
                other.reset(seed=99)
                other.load_state_dict(env.state_dict())
                is_same = np.array_equal(env.render_frame(0), other.render_frame(0))
                require(is_same, f"a restored environment is rendered differently; {lacks}")
            actions = actions if constant else env.action_space.sample()
            ours = play(env, actions)
            if other is not env:
                for a, b in zip(ours, play(other, actions), strict=True):
                    require(np.array_equal(a, b), f"a restored environment goes on differently; {lacks}")


def observations_and_rewards_are_as_declared(make: Make) -> None:
    """Check that observations lie in their space, that rewards are finite, and that episodes end."""
    env = make(4)
    env.action_space.seed(0)
    observations, _ = env.reset(seed=0)
    ends = 0
    for step in range(10 * _STEPS):
        space = env.single_observation_space
        is_fine = observations.shape[1:] == space.shape and observations.dtype == space.dtype
        require(is_fine and all(map(space.contains, observations)), _outside(observations, space, step))
        _, rewards, terminated, truncated, observations = play(env, env.action_space.sample())
        is_fine = rewards.dtype == np.float32 and np.isfinite(rewards).all()
        require(is_fine, f"the rewards of step {step} are not finite float32")
        require(not (terminated & truncated).any(), f"an episode is both terminated and truncated in step {step}")
        ends += int((terminated | truncated).sum())
    require(ends, f"no episode ends in {10 * _STEPS} random steps; set a limit and return `truncated`")


def _outside(observations: np.ndarray, space: Space, step: int) -> str:
    """Return what observations have that their space has not."""
    shape = ", ".join(["N", *map(str, observations.shape[1:])])
    return (
        f"in step {step} `observe` returns {observations.dtype} [{shape}], from {observations.min():.4g} to "
        f"{observations.max():.4g}, but `observation_space` is {space}; change one of them"
    )


def state_arrays_are_the_state_itself(make: Make) -> None:
    """Check that `state_arrays` returns the arrays, not copies: a state is restored by writing into them."""
    env = make(3)
    env.reset(seed=0)
    first, again = env.state_arrays(), env.state_arrays()
    for name, array in first.items():
        require(
            np.shares_memory(array, again[name]),
            f"`state_arrays` returns a copy of {name}, which cannot be restored; return the array that `step` changes",
        )
        require(len(array) == 3, f"`state_arrays` returns {name} of shape {array.shape} for 3 copies")


def frames_are_images_of_one_size(make: Make) -> None:
    """Check that `render_frame` returns new uint8 images [H, W, 3] of one size."""
    env = make(2)
    env.action_space.seed(0)
    env.reset(seed=0)
    shapes = set()
    for _ in range(20):
        frame = env.render_frame(1)
        is_image = frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3
        require(is_image, f"`render_frame` returns {frame.dtype} of shape {frame.shape}, not uint8 [H, W, 3]")
        shapes.add(frame.shape)
        play(env, env.action_space.sample())
    require(len(shapes) == 1, f"frames have several sizes: {sorted(shapes)}")


def play(env: BatchEnv, actions: np.ndarray) -> tuple[np.ndarray, ...]:
    """Take one step and reset the copies whose episode it ends; return its results and the next observations."""
    *results, _ = env.step(actions)
    ended = results[2] | results[3]
    fresh = env.reset(options={"reset_mask": ended})[0] if ended.any() else results[0]
    return *results, fresh


CONTRACTS = (
    observations_and_rewards_are_as_declared,
    state_arrays_are_the_state_itself,
    the_same_seed_gives_the_same_episodes,
    a_restored_state_has_the_same_future,
    frames_are_images_of_one_size,
    gymnasiums_checker_passes,
)
