"""`sandbox check`."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, cast

import typer

from sandbox.cli._complete import complete_checked
from sandbox.core.messages import say
from sandbox.core.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.runs.build import BuiltRun

_AGENT = ("env.name=catch", "device=cpu", "steps=100")
_GENERATOR = ("data.name=digits", "device=cpu", "steps=100")
_FAMILIES = ("agents", "generators", "envs", "data")


def check(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|NAME [key=value…]",
            help="A file or the name of a member, then options of the run.",
            autocompletion=complete_checked,
        ),
    ],
) -> None:
    """Run the contract tests of an agent, a generator, an environment or a data set.

    Agents train on Catch, from features if they can, and generators on 8x8 digits, for a few updates; `key=value`
    options change that. Prints one line per contract; the exit code is 1 if any is broken.

    \b
    sandbox check my_agent.py
    sandbox check my_agent.py env.name=grid_world agent.discount=0.9
    sandbox check my_maze.py env.size=5
    sandbox check dqn
    """
    from sandbox.config.files import split
    from sandbox.core.errors import UserError

    members, options = split(words)
    if len(members) != 1:
        raise UserError(f"`sandbox check` takes one member and options, got {' '.join(words)!r}")
    family, name = _member(members[0])
    progress.now("checking")
    problems: list[str] = []
    for contract, keep in _contracts(family, name, options):
        problem, title = _broken(keep), contract.replace("_", " ")
        if problem is None:
            say(f"ok      {title}")
            continue
        say(f"BROKEN  {title}: {'the same' if problem in problems else problem}")
        problems.append(problem)
    if problems:
        raise typer.Exit(1)


def _member(word: str) -> tuple[str, str]:
    """Return family and name of a file or of a known member.

    Raises:
        UserError: If there is no such member.
    """
    from sandbox.core.errors import UserError
    from sandbox.core.messages import did_you_mean, of_a_file
    from sandbox.runs import registry
    from sandbox.runs.own_members import files_at, own

    if word.endswith(".py"):
        own.add(Path(word))
        (family, file), *_ = files_at(Path(word).absolute())
        word = file.stem
    else:
        families = [family for family in _FAMILIES if word in registry.files(family)]
        if not families:
            known = [name for family in _FAMILIES for name in registry.files(family)]
            raise UserError(
                f"no member is called {word!r}.{of_a_file(word) or did_you_mean(word, known)} See `sandbox list`."
            )
        family = families[0]
    if family not in _FAMILIES:
        raise UserError(f"{word} is in {family}: only {', '.join(_FAMILIES)} can be checked")
    return family, word


def _broken(keep: "Callable[[], None]") -> str | None:
    """Return how a contract is broken, or None if it is kept."""
    import traceback

    from sandbox.core.errors import UserError
    from sandbox.runs.contracts.broken import BrokenContractError

    try:
        keep()
    except BrokenContractError as problem:
        return str(problem)
    except UserError as problem:
        return str(problem)
    except Exception as error:  # the member may do anything
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})"
    return None


def _contracts(family: str, name: str, options: list[str]) -> "Iterator[tuple[str, Callable[[], None]]]":
    """Yield each contract's name and a function that checks it."""
    from sandbox.interfaces.runs import NO_RUNS
    from sandbox.runs.contracts import data_sets, learners
    from sandbox.runs.resolve import resolve

    if family == "envs":
        yield from _environment_contracts(name, options)
        return
    if family == "data":
        run = resolve([], [f"data.name={name}", "generator.name=gan", "steps=1", *options])
        data = run.require_generator(name, "be checked").data
        for contract in data_sets.CONTRACTS:
            yield contract.__name__, partial(contract, lambda rng: data.make(rng, NO_RUNS))
        return
    words = _words(family, name, options)
    with TemporaryDirectory() as folder:
        for learners_contract in learners.CONTRACTS[family]:
            place = Path(folder) / learners_contract.__name__
            place.mkdir()
            yield learners_contract.__name__, partial(learners_contract, partial(_build, words, place), place)


def _words(family: str, name: str, options: list[str]) -> list[str]:
    """Return the options of a run of an agent or a generator; an agent sees features, or pixels if it needs images.

    Raises:
        UserError: If it cannot be built.
    """
    words = [f"generator.name={name}", *_GENERATOR, *options]
    if family == "agents":
        words = [f"agent.name={name}", *_AGENT, *options]
    with TemporaryDirectory() as folder:
        if family == "agents":
            try:
                features = [words[0], *_AGENT, "env.observe=features", *options]
                _build(features, Path(folder), 0)
                return features
            except Exception:  # its network may need images
                pass
        _build(words, Path(folder), 0)
    return words


def _environment_contracts(name: str, options: list[str]) -> "Iterator[tuple[str, Callable[[], None]]]":
    """Yield the contracts of an environment for each of its views, unless the options name one."""
    from sandbox.config.schema import literals
    from sandbox.core.errors import UserError
    from sandbox.environments.batch import BatchEnvConfig
    from sandbox.runs.contracts import environments
    from sandbox.runs.registry import config_class
    from sandbox.runs.resolve import resolve

    field = config_class("envs", name).model_fields.get("observe")
    is_named = any(word.startswith("env.observe=") for word in options)
    views = ([] if field is None or is_named else literals(field.annotation)) or [""]
    for view in views:
        words = [f"env.observe={view}"] if view else []
        run = resolve([], [f"env.name={name}", "agent.name=random", "steps=1", *words, *options])
        config = run.require_agent(name).env
        if not isinstance(config, BatchEnvConfig):
            raise UserError(
                f"{name} is not based on BatchEnvConfig: only such environments can be checked here. Gymnasium's own "
                "checker is gymnasium.utils.env_checker.check_env."
            )
        for contract in environments.CONTRACTS:
            title = f"{contract.__name__} (env.observe={view})" if view else contract.__name__
            yield title, partial(contract, cast("environments.Make", config.make))


def _build(words: list[str], folder: Path, seed: int) -> "BuiltRun":
    from sandbox.runs.build import build
    from sandbox.runs.resolve import resolve

    return build(resolve([], [*words, f"seed={seed}"]), folder)
