"""Builds viewer sessions: a person or an agent plays an environment, or a generator is explored."""

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
from sandbox.environments.config import EnvConfig
from sandbox.envs import id_of
from sandbox.evaluate.latent_walks import evenly_spaced
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.capabilities import HasAssociativeMemory, HasEncoder, HasGibbsChain, HasReconstruction
from sandbox.interfaces.classifier import Classifier
from sandbox.interfaces.environment import About, Environment
from sandbox.interfaces.learner import model_parts
from sandbox.runs.build import BuiltRun, actor_for, restore_agent, restore_generator
from sandbox.runs.config import GeneratorRun
from sandbox.runs.registry import config_class, names
from sandbox.runs.resolve import config_of, member
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.run_folder import RunFolder
from sandbox.viewer.checkpoint_player import CheckpointPlayer
from sandbox.viewer.demonstration_recorder import DemonstrationRecorder
from sandbox.viewer.episode import PlayerSlot
from sandbox.viewer.game_session import GameSession
from sandbox.viewer.generator_session import GeneratorSession
from sandbox.viewer.generator_views import ChainSamples, GeneratorView, LiveReconstruction, Samples, Sliders
from sandbox.viewer.keyboard import KeyboardController
from sandbox.viewer.memory_repair import MemoryRepair
from sandbox.viewer.session import Session
from sandbox.viewer.session_settings import SessionSettings

_ENCODED = 1_000  # test images whose codes give the range of a slider


class Match(NamedTuple):
    """An environment and its words for people, its players, a title, and the checkpoints of the first player's run."""

    env: Environment
    about: About
    players: list[PlayerSlot]
    title: str
    checkpoints: CheckpointPlayer


def match_of(folder: RunFolder, vs: RunFolder | None) -> Match:
    """Return a run's agent in its environment, alone or against the agent of another run.

    Raises:
        UserError: For a generator's run, or agents that cannot play against each other.
    """
    if isinstance(config_of(folder), GeneratorRun):
        raise UserError(
            f"{folder.name} is a generator, which has no episodes for a video. Watch it in a window, in a browser with "
            f"`--web`, or write an image with `sandbox sample {folder.name}`."
        )
    built, step = restore_agent(folder)
    checkpoints = _checkpoints(folder, built, step)
    if vs is None:
        env = built.config.env.make(1, for_people=True)
        return Match(env, built.config.env.about, [PlayerSlot(built.learner)], folder.name, checkpoints)
    env = two_player_env(built.config.env, {}, folder, vs)
    players = [PlayerSlot(built.learner), PlayerSlot(_opponent(vs)[0])]
    return Match(env, built.config.env.about, players, f"{folder.name} against {vs.name}", checkpoints)


def watch_session(folder: RunFolder, vs: RunFolder | None, *, seed: int, fps: float | None) -> Session:
    """Return a session in which a run's agent plays, alone or against another's, or a run's generator is explored.

    Tab hands the first agent's controls to a person, if the environment names keys that can be pressed.
    """
    if vs is None and isinstance(config_of(folder), GeneratorRun):
        return generator_session(folder, fps=fps)
    match = match_of(folder, vs)
    with suppress(ValueError):  # a key that no viewer knows: then nobody can take over
        match.players[0].controller = KeyboardController(match.env.controls[0])
    settings = SessionSettings(match.title, seed, fps, folder.path, match.about)
    return GameSession(match.env, match.players, settings, match.checkpoints)


def generator_session(folder: RunFolder, *, fps: float | None) -> Session:
    """Return a session with all views that a run's generator and data allow."""
    built, step = restore_generator(folder, "be explored")
    checkpoints = _checkpoints(folder, built, step)
    generator, shape = built.learner, built.facts.spec.shape
    if isinstance(generator, Classifier):
        raise UserError(
            f"{folder.name} is a {built.config.generator.name}, which generates nothing to watch. See its mistakes "
            f"with `sandbox classify {folder.name}`."
        )
    views: list[GeneratorView] = []
    images = len(shape) == 3
    if images and isinstance(generator, HasAssociativeMemory):
        views.append(MemoryRepair(generator))
    views.append(Samples(generator.sample, shape))
    if images and isinstance(generator, HasEncoder):
        try:
            views.append(Sliders(generator, evenly_spaced(built.data.test, _ENCODED)))
        except UserError as error:  # the data may be elsewhere; samples need none
            note(f"without sliders, which need test images: {error}")
    if images and isinstance(generator, HasGibbsChain):
        views.append(ChainSamples(generator))
    if isinstance(built.config.data, FramesConfig) and isinstance(generator, HasReconstruction):
        views.append(LiveReconstruction(generator, _frames(built.config.data, built.rng, folder.path.parent)))
    return GeneratorSession(views, SessionSettings(folder.name, 0, fps, folder.path), checkpoints)


def play_session(
    name: str, options: dict[str, Any], *, seed: int, fps: float | None, record: Path | None = None
) -> Session:
    """Return a session in which people play an environment.

    Args:
        name: Name of the environment.
        options: Its options.
        seed: Seed of the first episode.
        fps: Steps per second; None is the environment's own speed.
        record: File for what the person does, as demonstrations; None records nothing.

    Raises:
        UserError: If the environment names no keys, or unknown ones; or if two people are to be recorded.
    """
    config = member("envs", {"name": name, **options}, "env")
    env = config.make(1, for_people=True)
    keyboards = _keyboards(env)
    recorder = None
    if record is not None:
        if len(keyboards) > 1:
            raise UserError("--record: demonstrations have one player; leave out players=2")
        recorder = DemonstrationRecorder(record, {"env": config.model_dump(mode="json"), "id": id_of(name)})
    players, title = [PlayerSlot(None, keyboard) for keyboard in keyboards], config.about.title
    return GameSession(env, players, SessionSettings(title, seed, fps, about=config.about), recorder=recorder)


def opponent_session(
    name: str, options: dict[str, Any], vs: str, runs: Path, *, seed: int, fps: float | None
) -> Session:
    """Return a session in which a person plays an environment against a run's agent; Tab gives it both sides.

    Args:
        name: Name of the environment, in which the agent was trained.
        options: Options on top of those that it was trained with.
        vs: The agent's run, as on the command line.
        runs: Folder of the runs.
        seed: Seed of the first episode.
        fps: Steps per second; None is the environment's own speed.

    Raises:
        UserError: If the environment is not for two players, or the agent was not trained in it.
    """
    kind = config_class("envs", name)
    if not (issubclass(kind, EnvConfig) and kind.supports_two_players):
        raise UserError(_no_second_player(name))
    folder = RunFolder.find(runs, vs)
    trained_in = config_of(folder).require_agent(f"--vs: {folder.name}").env
    if trained_in.name != name:
        raise UserError(_other_environment(folder, trained_in.name, name))
    env = two_player_env(trained_in, options, folder)
    keyboards = _keyboards(env)
    agent, checkpoints = _opponent(folder)
    person = PlayerSlot(agent, keyboards[0])
    person.person_in_control = True
    settings = SessionSettings(f"{trained_in.about.title} against {folder.name}", seed, fps, about=trained_in.about)
    return GameSession(env, [person, PlayerSlot(agent)], settings, checkpoints)


def two_player_env(config: EnvConfig, options: dict[str, Any], *folders: RunFolder) -> Environment:
    """Make an environment for two players.

    Args:
        config: The environment that the first run was trained in.
        options: Options on top.
        *folders: Runs whose agents are to play in it.

    Raises:
        UserError: If the environment has no second player, or an agent was not trained to be one.
    """
    if not config.supports_two_players:
        raise UserError(_no_second_player(config.name))
    trained_in = {folder: config_of(folder).require_agent(f"--vs: {folder.name}").env for folder in folders}
    for folder, other in trained_in.items():
        if other.name != config.name:
            raise UserError(_other_environment(folder, other.name, config.name))
    env: Environment = member("envs", {**config.model_dump(mode="json"), **options, "players": 2}, "env").make(1)
    shape = list(env.single_observation_space.shape or ())
    for folder, other in trained_in.items():
        known = list(other.make(1).single_observation_space.shape or ())
        if shape != [2, *known]:
            raise UserError(
                f"--vs: {folder.name} was trained on observations {known}, but two players observe {shape} instead of "
                f"{[2, *known]}; leave out `observe`, and wrappers that change the shape"
            )
    return env


def in_a_window(session: Session) -> Iterator[str]:
    """Show a session in a window until it ends, and yield lines for the terminal. Call `require_display` first."""
    from sandbox.viewer.window import Window

    with Window() as window:
        yield from window.run(session)


def in_a_browser(session: Session, port: int) -> Iterator[str]:
    """Serve a session to browsers until it ends, and yield lines for the terminal. Call `require_web` first.

    Raises:
        UserError: If the port is taken.
    """
    from sandbox.viewer.web.server import ViewerServer

    with ViewerServer(port) as server:
        note(f"open {server.url} to see {session.title}; Ctrl-C ends it")
        note(f"from another machine, run this there first: {server.ssh_tunnel}")
        yield from server.run(session)


def _checkpoints(folder: RunFolder, built: BuiltRun, step: int) -> CheckpointPlayer:
    """Return the way to a run's other checkpoints, and set the number of threads.

    One thread is enough for one environment, and leaves the others to programs that train.
    """
    torch.set_num_threads(built.config.threads or 1)
    stores = [Checkpoints(folder.checkpoints), Checkpoints(folder.snapshots)]
    return CheckpointPlayer(model_parts(built.learner), stores, step, follows=folder.at is None)


def _opponent(folder: RunFolder) -> tuple[Agent, CheckpointPlayer]:
    built, step = restore_agent(folder, "--vs")
    return built.learner, _checkpoints(folder, built, step)


def _frames(data: FramesConfig, rng: Rng, runs: Path) -> Iterator[np.ndarray]:
    """Yield the observations [1, C, H, W] of the agent whose frames a data set is made of, as it plays on."""
    actor = actor_for(runs, data.env, data.agent, 1, rng.child("viewer"))
    while True:
        yield actor.step().observations


def _no_second_player(name: str) -> str:
    kinds = {each: config_class("envs", each) for each in names("envs")}
    known = [each for each, kind in kinds.items() if issubclass(kind, EnvConfig) and kind.supports_two_players]
    return f"--vs: {name} has one player only; use an environment for two players: {', '.join(known)}"


def _other_environment(folder: RunFolder, trained_in: str, name: str) -> str:
    return f"--vs: {folder.name} was trained in {trained_in}, not in {name}; give a run of {name}"


def _keyboards(env: Environment) -> list[KeyboardController]:
    """Return a keyboard for each player.

    Raises:
        UserError: If the environment names no keys, or unknown ones.
    """
    if not any(controls.keys for controls in env.controls):
        raise UserError("this environment cannot be played by hand: its `controls` name no keys. Try `sandbox watch`.")
    try:
        return [KeyboardController(controls) for controls in env.controls]
    except ValueError as error:
        raise UserError(f"{error}; see the environment's option `keys`") from None
