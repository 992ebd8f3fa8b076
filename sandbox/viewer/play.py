"""Play an environment with the keyboard, alone or with as many people as it has controls for."""

from collections.abc import Iterator
from pathlib import Path

from sandbox.environment import Environment
from sandbox.errors import UserError
from sandbox.viewer.episode import Frame, episodes
from sandbox.viewer.keyboard import Keyboard
from sandbox.viewer.remote import Remote
from sandbox.viewer.window import Key, Window


def play(window: Window, env: Environment, *, seed: int, fps: float = 12.0, folder: Path = Path()) -> Iterator[Frame]:
    """Let people play episode after episode and yield each one's last frame, until they quit.

    It begins paused; an episode's end stays until it is answered.

    Raises:
        UserError: if the environment names no keys.
    """
    if not any(controls.keys for controls in env.controls):
        raise UserError("this environment cannot be played by hand: its `controls` name no keys. Try `sandbox watch`.")
    keyboard = Keyboard(env.controls)
    go = "p" if keyboard.take(Key("space", False)) else "space"
    players = [f"player {n}" for n in range(1, 1 + len(env.controls))] if len(env.controls) > 1 else ["play"]
    keys = [(" ".join(controls.keys), player) for controls, player in zip(env.controls, players, strict=True)]
    remote = Remote(
        window,
        keyboard,
        [*keys, (go, "pause"), ("+ –", "speed"), ("r", "again"), ("q", "quit")],
        fps=fps,
        folder=folder,
    )
    remote.paused = True
    for episode in episodes(keyboard, env, seed=seed):
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
