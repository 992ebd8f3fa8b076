"""Titles, goals, actions and keys of third-party environments: from a table of well-known ids, or from the id."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from gymnasium import Space, spaces

from sandbox.envs._gym.keys import DIGITS, usable_keys
from sandbox.interfaces.environment import About, Controls

_DEFAULT_GOAL = "Collect as much reward as you can."
_COMPASS = ("left", "down", "right", "up")


class Known(NamedTuple):
    """A well-known environment, in words for people.

    Attributes:
        goal: Its goal.
        actions: Names of its actions, if they are Discrete.
        keys: Its keys; digits if it has none here.
        idle: The action while no key is pressed, as in `Controls`.
        fps: Steps per second at which people can play, if its own are too fast.
    """

    goal: str
    actions: tuple[str, ...] = ()
    keys: Mapping[str, int] = {}
    idle: int | tuple[int, ...] | None = 0
    fps: float | None = None


KNOWN = {  # keyed by the id without namespace and version
    "CartPole": Known(
        "Push the cart so that the pole stays upright. Do not leave the screen.",
        ("push left", "push right"),
        {"left": 0, "right": 1},
        (0, 1),
        15.0,
    ),
    "MountainCar": Known(
        "Swing the car up to the flag: its engine is too weak to climb directly.",
        ("push left", "coast", "push right"),
        {"left": 0, "right": 2},
        1,
    ),
    "Acrobot": Known(
        "Swing the free end of the arm above the line.",
        ("turn one way", "let go", "turn the other way"),
        {"left": 0, "right": 2},
        1,
    ),
    "LunarLander": Known(
        "Land gently between the flags, upright and with both legs on the ground.",
        ("nothing", "left engine", "main engine", "right engine"),
        {"left": 1, "up": 2, "right": 3},
        fps=30.0,
    ),
    "FrozenLake": Known(
        "Cross the ice to the goal without falling into a hole. The ice is slippery.",
        _COMPASS,
        dict(zip(_COMPASS, range(4), strict=True)),
        None,
    ),
    "CliffWalking": Known(
        "Walk to the goal without stepping off the cliff.",
        ("up", "right", "down", "left"),
        {"up": 0, "right": 1, "down": 2, "left": 3},
        None,
    ),
    "Taxi": Known(
        "Drive to the passenger, pick them up, and drop them off at their destination.",
        ("down", "up", "right", "left", "pick up", "drop off"),
        {"down": 0, "up": 1, "right": 2, "left": 3, "p": 4, "o": 5},
        None,
    ),
    "Blackjack": Known("Get closer to 21 than the dealer, but not above.", ("stick", "hit"), {"s": 0, "h": 1}, None),
    "CarRacing": Known(
        "Drive around the track as fast as you can.",
        ("coast", "steer right", "steer left", "gas", "brake"),
        {"right": 1, "left": 2, "up": 3, "down": 4},
    ),
    "Pendulum": Known("Swing the pendulum up and keep it upright."),
    "MountainCarContinuous": Known("Swing the car up to the flag: its engine is too weak to climb directly."),
    "LunarLanderContinuous": Known("Land gently between the flags, upright and with both legs on the ground."),
    "BipedalWalker": Known("Walk to the end of the ground without falling."),
    "Reacher": Known("Bring the arm's finger to the target."),
    "Pusher": Known("Push the object to the goal."),
    "InvertedPendulum": Known("Keep the pole on the cart upright."),
    "InvertedDoublePendulum": Known("Keep both poles on the cart upright."),
    "HalfCheetah": Known("Run forward as fast as you can."),
    "Hopper": Known("Hop forward without falling."),
    "Walker2d": Known("Walk forward without falling."),
    "Swimmer": Known("Swim forward as fast as you can."),
    "Ant": Known("Walk forward without falling over."),
    "Humanoid": Known("Walk forward without falling."),
    "HumanoidStandup": Known("Stand up, and stay up."),
}


def _bare_name(env_id: str) -> str:
    """Return an id without its module, namespace and version."""
    return re.sub(r"-v\d+$", "", env_id.split(":")[-1].split("/")[-1])


def about(env_id: str) -> About:
    """Return title and goal of an id: `module:Space/LunarLander-v3` is `Lunar Lander`."""
    name = _bare_name(env_id)
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_-]+", " ", name).split()
    known = KNOWN.get(name)
    return About(" ".join(words) or env_id, known.goal if known else _DEFAULT_GOAL)


def speed(env_id: str, own: float) -> float:
    """Return the steps per second at which people play an id: its own, or fewer if that is too fast."""
    known = KNOWN.get(_bare_name(env_id))
    return own if known is None or known.fps is None else min(own, known.fps)


def controls(keys: Mapping[str, int], space: Space, env_id: str) -> Controls:
    """Return the keyboard of an id: the given keys, or those of a well-known id, or digits.

    Raises:
        UserError: If given keys name actions that do not exist.
    """
    usable = usable_keys(keys, space, env_id)
    known = KNOWN.get(_bare_name(env_id))
    if known is None or not isinstance(space, spaces.Discrete) or len(known.actions) != space.n:
        return Controls(usable)
    return Controls(known.keys if keys == DIGITS else usable, known.idle, known.actions)
