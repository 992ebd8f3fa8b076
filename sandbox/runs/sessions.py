"""Sessions for the viewer's faces: from the words of a command line to somebody at a joystick, or a film."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.core.rng import Rng
from sandbox.data.frames import FramesConfig
from sandbox.envs import id_of
from sandbox.evaluate.latent_walks import spread
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.environment import Environment
from sandbox.interfaces.generator import Coder, Dreams, Generator, Recalls, Reconstructs
from sandbox.runs.build import BuiltRun, actor_for, learner_parts, restore
from sandbox.runs.registry import config_class, names
from sandbox.runs.resolve import member, resolve
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.run_folder import RunFolder
from sandbox.viewer.checkpoint_player import CheckpointPlayer
from sandbox.viewer.demonstration_recorder import Demonstrations
from sandbox.viewer.episode import PlayerSlot
from sandbox.viewer.game_session import GameSession, Setting
from sandbox.viewer.generator_session import GeneratorSession
from sandbox.viewer.generator_views import ChainSamples, GeneratorView, Live, Samples, Sliders
from sandbox.viewer.keyboard import KeyboardController
from sandbox.viewer.memory_repair import MemoryRepair
from sandbox.viewer.session import Session


def restored(folder: RunFolder) -> tuple[BuiltRun, CheckpointPlayer]:
    """A run's learner as its newest checkpoint holds it, and the way to its other checkpoints.

    It computes with one thread unless the run says how many: enough for one game, and the rest is for who trains.
    """
    assembly, step = restore(folder)
    torch.set_num_threads(assembly.config.threads or 1)
    return assembly, CheckpointPlayer(
        learner_parts(assembly.learner), [Checkpoints(folder.checkpoints), Checkpoints(folder.snapshots)], step
    )


def agent_of(folder: RunFolder, what: str) -> tuple[BuiltRun, CheckpointPlayer]:
    """As `restored`; raises UserError if the run is a generator, with `what` before it."""
    assembly, trained = restored(folder)
    if assembly.config.agent is None:
        raise UserError(f"{what}: {folder.name} is a generator and cannot play; give an agent's run")
    return assembly, trained


_MEASURED = 1_000  # test images, whose codes say how far a latent reaches


class Table(NamedTuple):
    """Who plays what: an environment, its seats, what to call it, and the first agent's checkpoints."""

    env: Environment
    seats: list[PlayerSlot]
    title: str
    trained: CheckpointPlayer


def table(folder: RunFolder, vs: RunFolder | None) -> Table:
    """A run's agent in its environment, alone or against another run's.

    Raises:
        UserError: for a generator's run, or agents that cannot play each other.
    """
    assembly, trained = restored(folder)
    if assembly.config.env is None:
        raise UserError(
            f"{folder.name} is a generator, of which there is no film to make here: watch it on a screen, or in a "
            f"browser with `--web`, or draw a picture with `sandbox sample {folder.name}`"
        )
    if vs is None:
        return Table(assembly.config.env.make(1), [PlayerSlot(assembly.learner)], folder.name, trained)
    env = pair(world_of(folder)["name"], {}, folder, vs)
    seats = [PlayerSlot(assembly.learner), PlayerSlot(agent_of(vs, "--vs")[0].learner)]
    return Table(env, seats, f"{folder.name} against {vs.name}", trained)


def watching(folder: RunFolder, vs: RunFolder | None, *, seed: int, fps: float | None) -> Session:
    """A run's agent at play, alone or against another's, where Tab gives a person its joystick; or a generator."""
    if vs is None and resolve([str(folder.config)], []).env is None:
        return imagining(folder, fps=fps)
    env, seats, title, trained = table(folder, vs)
    with suppress(ValueError):  # keys of a game that no face knows: then it is watched only
        seats[0].hand = KeyboardController(env.controls[0])
    return GameSession(env, seats, Setting(title, seed, fps, folder.path), trained)


def imagining(folder: RunFolder, *, fps: float | None) -> Session:
    """A run's generator, with all that can be done with one of its kind."""
    assembly, trained = restored(folder)
    generator, data = assembly.learner, assembly.source
    assert isinstance(data, DataSet)
    images = len(data.spec.shape) == 3
    rooms: list[GeneratorView] = []
    if images and isinstance(generator, Recalls):
        rooms.append(MemoryRepair(generator))
    if isinstance(generator, Generator):
        rooms.append(Samples(generator.sample, data.spec.shape))
    if images and isinstance(generator, Coder):
        rooms.append(Sliders(generator, spread(data.test, _MEASURED)))
    if images and isinstance(generator, Dreams):
        rooms.append(ChainSamples(generator))
    if isinstance(assembly.config.data, FramesConfig) and isinstance(generator, Reconstructs):
        rooms.append(Live(generator, _frames(assembly.config.data, assembly.rng, folder.path.parent)))
    return GeneratorSession(rooms, Setting(folder.name, 0, fps, folder.path), trained)


def _frames(data: FramesConfig, rng: Rng, runs: Path) -> Iterator[np.ndarray]:
    """What the agent sees that a set of frames is made of, [1, C, H, W] each, while it plays on."""
    actor = actor_for(runs, data.env, data.agent, 1, rng.child("viewer"))
    while True:
        yield actor.step().observations


def playing(
    name: str,
    options: dict[str, Any],
    vs: str | None,
    runs: Path,
    *,
    seed: int,
    fps: float | None,
    record: Path | None,
) -> Session:
    """People at an environment's joysticks, or one against a run's agent, which Tab gives that joystick, too.

    Raises:
        UserError: if the environment names no keys, or unknown ones; if the agent cannot be an opponent.
    """
    known = config_class("envs", name)  # refuses unknown names
    if vs is not None:
        if record is not None:
            raise UserError(_ONE_PLAYER)
        if "players" not in known.model_fields:
            raise UserError(_no_second(name))
        folder = RunFolder.find(runs, vs)
        env = pair(name, options, folder)
        hands = _hands(env)
        assembly, trained = agent_of(folder, "--vs")
        first = PlayerSlot(assembly.learner, hands[0])
        first.by_hand = True
        setting = Setting(f"{name} against {folder.name}", seed, fps)
        return GameSession(env, [first, PlayerSlot(assembly.learner)], setting, trained)
    config = member("envs", {"name": name, **options}, "env")
    env = config.make(1)
    hands, recorder = _hands(env), None
    if record is not None:
        if len(hands) > 1:
            raise UserError(_ONE_PLAYER)
        recorder = Demonstrations(record, {"env": config.model_dump(mode="json"), "id": id_of(name)})
    return GameSession(env, [PlayerSlot(None, hand) for hand in hands], Setting(name, seed, fps), recorder=recorder)


_ONE_PLAYER = "--record: a demonstration is of one player; leave out --vs, and players=2"


def _no_second(name: str) -> str:
    known = [each for each in names("envs") if "players" in config_class("envs", each).model_fields]
    return f"--vs: {name} is for one player; take an environment that two can play: {', '.join(known)}"


def _hands(env: Environment) -> list[KeyboardController]:
    if not any(controls.keys for controls in env.controls):
        raise UserError("this environment cannot be played by hand: its `controls` name no keys. Try `sandbox watch`.")
    try:
        return [KeyboardController(controls) for controls in env.controls]
    except ValueError as error:
        raise UserError(f"{error}; see the environment's option `keys`") from None


def world_of(folder: RunFolder) -> dict[str, Any]:
    """The environment that a run has learnt.

    Raises:
        UserError: if it is a generator's.
    """
    trained = resolve([str(folder.config)], []).env
    if trained is None:
        raise UserError(f"--vs: {folder.name} is a generator and cannot play; give an agent's run")
    return trained.model_dump(mode="json")


def pair(name: str, options: dict[str, Any], *folders: RunFolder) -> Environment:
    """The environment of the first run with two players, which is what all of them have learnt.

    Raises:
        UserError: if there is no second player, or an agent has not learnt to be one.
    """
    if "players" not in config_class("envs", name).model_fields:
        raise UserError(_no_second(name))
    for folder in folders:
        if world_of(folder)["name"] != name:
            raise UserError(
                f"--vs: {folder.name} has learnt {world_of(folder)['name']}, not {name}; give a run of {name}"
            )
    env = member("envs", {**world_of(folders[0]), **options, "players": 2}, "env").make(1)
    seen = list(env.single_observation_space.shape or ())
    for folder in folders:
        known = list(member("envs", world_of(folder), "env").make(1).single_observation_space.shape or ())
        if seen != [2, *known]:
            raise UserError(
                f"--vs: {folder.name} has learnt from observations {known}, but a pair of players sees {seen}, "
                f"not {[2, *known]}; leave out `observe`, and wrappers that change the shape"
            )
    return env


def in_a_window(session: Session) -> Iterator[str]:
    """Show it until somebody quits, and yield what it has to tell. Call `require_display` first."""
    from sandbox.viewer.window import Window

    with Window() as window:
        yield from window.run(session)


def in_a_browser(session: Session, port: int) -> Iterator[str]:
    """As `in_a_window`, for pages that open the address which this notes. Call `require_web` first.

    Raises:
        UserError: if the port cannot be had.
    """
    from sandbox.viewer.web.server import Browser

    with Browser(port) as browser:
        note(f"open {browser.url} to see {session.title}; Ctrl-C ends it")
        note(f"from another machine, run this there first: {browser.tunnel}")
        yield from browser.run(session)
