"""Checks of the kind of a name: a command that is given an agent in place of a config says what to type instead."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.cli._options import RUNS
from sandbox.config.files import load
from sandbox.config.foreign_names import atari_games, member_meant
from sandbox.config.option_hints import list_typed
from sandbox.config.schema import numbers
from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean, nearest
from sandbox.runs import registry
from sandbox.storage.reference import parse_reference
from sandbox.storage.run_folder import RunFolder

_QUICK = ("catch_", "digits_")  # beginnings of the names of configs that train in a minute
_MOST_NAMED = 3  # configs that a message names


def sections_with(word: str) -> list[str]:
    """Return the sections of a config in which a member of this name may stand: `env`, `agent`, `generator`, `data`."""
    return [section for section, family in registry.KINDS.items() if word in registry.names(family)]


def configs_with(section: str, name: str) -> list[str]:
    """Return the shipped configs that have this member in a section, the simplest first."""
    found = []
    for config, file in registry.configs().items():
        if name in file.read_text("utf-8"):
            raw, _ = load([file], [], {})
            chosen: Any = raw.get(section)
            if isinstance(chosen, dict) and chosen.get("name") == name:
                found.append(config)
    return sorted(found, key=lambda config: (config != f"{name}_dqn", not config.startswith(_QUICK), len(config)))


def require_configs(files: Sequence[str], runs: Path) -> None:
    """Require that each word looks like a config file or is the name of a shipped config; no file is read.

    Raises:
        UserError: For the name of something else, with the commands that take it; or with the nearest configs.
    """
    known = registry.configs()
    for word in files:
        if word in known or word.endswith((".yaml", ".yml")):
            continue
        is_there = "/" in word or "\\" in word or Path(word).exists()
        if (not is_there or Path(word).is_dir()) and is_run(word, runs):
            run = parse_reference(runs, word).run
            raise UserError(f"{word!r} is a run, not a config: go on with `sandbox resume {run}{_at(runs)}`.")
        if is_there:
            continue
        sections = sections_with(word)
        if sections:
            raise UserError(" ".join(_member_to_train(section, word) for section in sections))
        if word.startswith("-"):
            continue
        raise UserError(
            f"no config is called {word!r}.{did_you_mean(word, known)} See `sandbox list configs`. "
            "Options are written key=value."
        )


def is_run(word: str, runs: Path) -> bool:
    """Return whether a word names a run."""
    try:
        RunFolder.find(runs, word)
    except UserError:
        return False
    return True


def require_environment(name: str, runs: Path) -> None:
    """Require the name of an environment.

    Raises:
        UserError: For the name of something else, with the command that shows it; or with the nearest environments.
    """
    if name in registry.names("envs"):
        return
    if name in registry.configs():
        raw, _ = load([name], [], registry.configs())
        env: Any = raw.get("env")
        own = f"`sandbox play {env['name']}`" if isinstance(env, dict) and "name" in env else "`sandbox list envs`"
        raise UserError(f"{name!r} is a config, not an environment. Play its environment with {own}.")
    for section in sections_with(name):
        raise UserError(f"{name!r} is {_article(section)}, not an environment. {_to_see(section, name)}")
    if "/" not in name and is_run(name, runs):
        raise UserError(
            f"{name!r} is a run, not an environment. See it with `sandbox watch {name}{_at(runs)}`, where t gives you "
            f"the controls. Against an agent of pong you play with `sandbox play pong --vs {name}{_at(runs)}`."
        )
    if meant := member_meant("env", name):  # such as {name: gym, id: CartPole-v1}
        (_, kind), *options = re.findall(r"(\w+): ([^,}]+)", meant)
        words = " ".join([kind, *(f"{key}={value}" for key, value in options)])
        raise UserError(f"no environment is called {name!r} here. Did you mean `sandbox play {words}`?")
    if not nearest(name, registry.names("envs")) and (games := nearest(name, atari_games())):
        words = " or ".join(f"`sandbox play atari game={game}`" for game in games)
        raise UserError(f"no environment is called {name!r}. Did you mean {words}? See `sandbox list envs`.")
    registry.config_class("envs", name)


def _member_to_train(section: str, name: str) -> str:
    """Return a sentence about a member that was given in place of a config."""
    about = f"{name!r} is {_article(section)}, not a config."
    if section == "wrapper":
        listed = [{name: _needed(section, name)}]
        return f"{about} Put it around an environment with {list_typed(('env', 'wrappers'), listed)}."
    configs = configs_with(section, name)
    if not configs:
        needed = [f"{section}.{option}={value}" for option, value in _needed(section, name).items()]
        own = " ".join([f"{section}.name={name}", *needed])
        rest = {
            "env": f"{own} agent.name=dqn steps=100_000",
            "agent": f"env.name=catch {own} steps=100_000",
            "generator": f"data.name=digits {own} steps=3_000",
            "data": f"{own} generator.name=vae steps=3_000",
        }[section]
        return f"{about} No shipped config uses it. This command trains with it: `sandbox train {rest}`."
    more = len(configs) - _MOST_NAMED
    some = ", ".join(configs[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{about} These configs use it: {some}. Train one with `sandbox train {configs[0]}`."


def _needed(section: str, name: str) -> dict[str, Any]:
    """Return the options that a member must be given, each with a number or its name in capitals."""
    fields = registry.config_class(registry.KINDS[section], name).model_fields.items()
    return {
        option: 100 if numbers(field.annotation) else option.upper() for option, field in fields if field.is_required()
    }


def _at(runs: Path) -> str:
    """Return the option that a command about a run needs."""
    return "" if runs == RUNS else f" --runs {shlex.quote(str(runs))}"


def _to_see(section: str, name: str) -> str:
    configs = configs_with(section, name)
    if section in ("env", "wrapper", "data") or not configs:
        return f"See `sandbox show {name}`."
    look = "watch" if section == "agent" else "sample"
    return f"Train it with `sandbox train {configs[0]}`, then see it with `sandbox {look} latest`."


def _article(section: str) -> str:
    noun = registry.FAMILIES[registry.KINDS[section]].noun
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
