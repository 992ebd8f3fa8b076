"""Play an environment with the keyboard: alone, with as many people as it has controls for, or against an agent."""

from collections.abc import Iterator
from pathlib import Path

from sandbox.environment import Environment
from sandbox.errors import UserError
from sandbox.viewer.episode import Frame, Player, episodes
from sandbox.viewer.keyboard import Keyboard
from sandbox.viewer.remote import Remote
from sandbox.viewer.versus import Versus
from sandbox.viewer.window import Key, Window


def play(
    window: Window,
    env: Environment,
    *,
    seed: int,
    fps: float | None = None,
    opponent: Player | None = None,
    folder: Path = Path(),
) -> Iterator[Frame]:
    """Let people play episode after episode and yield each one's last frame, until they quit.

    It begins paused, unless it waits for keys anyway; an episode's end stays until it is answered. `fps` is the
    environment's own if not given; an `opponent` takes the second player's place.

    Raises:
        UserError: if the environment names no keys.
    """
    if not any(controls.keys for controls in env.controls):
        raise UserError("this environment cannot be played by hand: its `controls` name no keys. Try `sandbox watch`.")
    people = env.controls if opponent is None else env.controls[:1]
    try:
        keyboard = Keyboard(people)
    except ValueError as error:
        raise UserError(f"{error}; see the environment's option `keys`") from None
    player: Player = keyboard if opponent is None else Versus([keyboard, opponent])
    go = "p" if keyboard.take(Key("space", False)) else "space"
    names = [f"player {n}" for n in range(1, 1 + len(people))] if len(people) > 1 else ["play"]
    single = [dict.fromkeys(key for chord in controls.keys for key in chord.split("+")) for controls in people]
    keys = [(" ".join(each), name) for each, name in zip(single, names, strict=True)]
    remote = Remote(
        window,
        keyboard,
        [*keys, (go, "pause"), ("+ –", "speed"), ("r", "again"), ("q", "quit")],
        fps=fps or env.fps,
        folder=folder,
    )
    remote.paused = not keyboard.waiting  # a game that waits for its players needs no start
    for episode in episodes(player, env, seed=seed):
        for frame in episode:
            if frame.ended:
                remote.paused = True
                wish = remote.wait(frame, banner=f"return {frame.return_:g}  ·  r to play again")
            else:
                wish = remote.wait(frame, banner=f"{go} to start" if remote.paused and frame.step == 0 else "")
            if wish != "next":
                break
        yield frame
        if wish == "quit":
            return
        remote.paused = False
