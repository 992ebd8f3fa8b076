"""Checks of the kind of a name: a command that is given an agent in place of a config says what to type instead."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.config.files import load
from sandbox.config.foreign_names import member_meant
from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean
from sandbox.runs import registry
from sandbox.storage.run_folder import RunFolder

_QUICK = ("catch_", "digits_")  # beginnings of the names of configs that train in a minute
_MOST_NAMED = 3  # configs that a message names
_FAMILIES = {**registry.SECTIONS, "wrapper": "wrappers"}  # section of a config -> family


def sections_with(word: str) -> list[str]:
    """Return the sections of a config in which a member of this name may stand: `env`, `agent`, `generator`, `data`."""
    return [section for section, family in _FAMILIES.items() if word in registry.names(family)]


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
        if word in known or "/" in word or "\\" in word or word.endswith((".yaml", ".yml")) or Path(word).exists():
            continue
        sections = sections_with(word)
        if sections:
            raise UserError(" ".join(_member_to_train(section, word) for section in sections))
        if word.startswith("-"):
            continue
        if is_run(word, runs):
            raise UserError(f"{word!r} is a run, not a config: go on with `sandbox resume {word}`.")
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
            f"{name!r} is a run, not an environment. See it with `sandbox watch {name}`, where t gives you the "
            f"controls. Against an agent of pong you play with `sandbox play pong --vs {name}`."
        )
    if meant := member_meant("env", name):  # such as {name: gym, id: CartPole-v1}
        (_, kind), *options = re.findall(r"(\w+): ([^,}]+)", meant)
        words = " ".join([kind, *(f"{key}={value}" for key, value in options)])
        raise UserError(f"no environment is called {name!r} here. Did you mean `sandbox play {words}`?")
    registry.config_class("envs", name)


def _member_to_train(section: str, name: str) -> str:
    """Return a sentence about a member that was given in place of a config."""
    about = f"{name!r} is {_article(section)}, not a config."
    if section == "wrapper":
        return f"{about} Put it around an environment with env.wrappers='[{{{name}: {{}}}}]'."
    configs = configs_with(section, name)
    if not configs:
        rest = {
            "env": f"env.name={name} agent.name=dqn steps=100_000",
            "agent": f"env.name=catch agent.name={name} steps=100_000",
            "generator": f"data.name=digits generator.name={name} steps=3_000",
            "data": f"data.name={name} generator.name=vae steps=3_000",
        }[section]
        return f"{about} No shipped config has it; such as this trains with it: `sandbox train {rest}`."
    more = len(configs) - _MOST_NAMED
    some = ", ".join(configs[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{about} These configs have it: {some}. Train one with `sandbox train {configs[0]}`."


def _to_see(section: str, name: str) -> str:
    configs = configs_with(section, name)
    if section in ("env", "wrapper", "data") or not configs:
        return f"See `sandbox show {name}`."
    look = "watch" if section == "agent" else "sample"
    return f"Train it with `sandbox train {configs[0]}`, then see it with `sandbox {look} latest`."


def _article(section: str) -> str:
    noun = registry.FAMILIES[_FAMILIES[section]].noun
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
