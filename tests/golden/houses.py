"""Places of things in a checkout: the one table to edit when something is moved or renamed.

The "old house" is the base commit, the "new house" is the refactored tree. Everything else in this folder asks for a
thing by its key here and never imports from the checkout itself.
"""

import importlib
from pathlib import Path
from typing import Any

# key: (place in the old house, place in the new house); a place is `module:name`.
DOORS: dict[str, tuple[str, str]] = {
    "main": ("sandbox.cli.main:main", "sandbox.cli.main:main"),
    "resolve": ("sandbox.resolve:resolve", "sandbox.runs.resolve:resolve"),
    "begin": ("sandbox.assemble:begin", "sandbox.runs.build:build_new"),
    "restore": ("sandbox.assemble:restore", "sandbox.runs.build:restore"),
    "RunFolder": ("sandbox.runfolder:RunFolder", "sandbox.storage.run_folder:RunFolder"),
}

# key: (name in the old house, name in the new house) of attributes and methods; one that is not here has one name.
ATTRIBUTES: dict[str, tuple[str, str]] = {
    "config.env": ("env", "env"),  # of what `resolve` returns
    "environment.draw": ("draw", "render_frame"),
    "built.learner": ("learner", "learner"),  # of what `begin` and `restore` return
    "built.source": ("source", "data"),
    "built.run": ("run", "ready_to_resume"),
    "run.stream": ("stream", "stream"),
    "generator.damage": ("damage", "corrupt"),
    "generator.memories": ("memories", "stored_patterns"),
    "generator.recalling": ("recalling", "recall_steps"),
    "generator.dreaming": ("dreaming", "gibbs_chain"),
}

# family: (folder in the old house, folder in the new house); each file without a leading underscore is a member.
FAMILIES: dict[str, tuple[str, str]] = {
    "agent": ("agents", "sandbox/agents"),
    "generator": ("generators", "sandbox/generators"),
    "env": ("envs", "sandbox/envs"),
    "wrapper": ("sandbox/wrappers", "sandbox/environments/wrappers"),
    "data": ("sandbox/data", "sandbox/data"),
}


class House:
    """Finds things in one checkout, in the column of its house, and where they are not there, in the other column."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.is_new = (checkout / "sandbox" / "runs").is_dir()

    def door(self, key: str) -> Any:
        """Import the function or class called `key` in `DOORS`."""
        problems = []
        for place in self._columns(DOORS[key]):
            module, name = place.split(":")
            try:
                return getattr(importlib.import_module(module), name)
            except (ImportError, AttributeError) as error:
                problems.append(f"{place}: {error}")
        raise LookupError(f"no {key} in this checkout; edit DOORS in houses.py ({'; '.join(problems)})")

    def get(self, key: str, thing: Any) -> Any:
        """Look up the attribute of `thing` called `key` in `ATTRIBUTES`, or else by its plain name; None if absent."""
        return next(iter(self.candidates(key, thing)), None)

    def candidates(self, key: str, thing: Any) -> list[Any]:
        """Look up all attributes of `thing` that `ATTRIBUTES` has for `key`, the more likely one first."""
        last = key.rpartition(".")[2]
        names = self._columns(ATTRIBUTES.get(key, (last, last)))
        return [getattr(thing, name) for name in dict.fromkeys(names) if hasattr(thing, name)]

    def need(self, key: str, thing: Any) -> Any:
        """Do as `get`, but raise LookupError if the attribute is absent."""
        found = self.get(key, thing)
        if found is None:
            raise LookupError(f"a {type(thing).__name__} has no {key}; edit ATTRIBUTES in houses.py")
        return found

    def members(self, family: str) -> list[str]:
        """List the names of the members of a family."""
        for folder in self._columns(FAMILIES[family]):
            files = sorted((self.checkout / folder).glob("[!_]*.py"))
            if files:
                return [file.stem for file in files]
        return []

    def _columns(self, pair: tuple[str, str]) -> tuple[str, ...]:
        return pair[::-1] if self.is_new else pair
