"""Somebody who reads a page, types its commands one after the other, and has the runs that it takes for granted."""

import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from docs.command_line import IncompleteError, first_runs, runs_in, values
from docs.elsewhere import entry_of
from docs.pages import Command, Page
from docs.presumed import filled, make_files, words_for
from docs.tiny import evaluation, resuming, training

from sandbox.cli._members import take_members
from sandbox.config.files import split
from sandbox.runs.config import RunConfig
from sandbox.runs.own_members import family_of, own
from sandbox.runs.resolve import resolve
from sandbox.runs.start import with_name
from sandbox.runs.sweeps.settings import grid
from sandbox.runs.sweeps.start import defined
from sandbox.storage.run_folder import RunFolder

ROOT = Path("runs")
REFUSED = {"sandbox train catch_dqn gamma=0.9": "Did you mean 'agent.discount'?"}  # commands that are shown as mistakes
LONG_AGO = 1_000_000_000.0  # seconds since 1970; a run of then is never the latest one
Say = Callable[..., Any]


class NeedsImagesError(Exception):
    """A command needs MNIST, which is not on this machine."""


class TinyRuns:
    """Trained runs by the words that train them; each is trained once."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, words: Sequence[str], place: Path, say: Say, modified_at: float) -> None:
        """Copy a run to `place`.

        Raises:
            NeedsImagesError: If it cannot be trained here.
        """
        kept = self._root / re.sub(r"\W+", "_", " ".join(words))
        if not kept.exists():
            config = config_of(words)
            done = say("train", *words, *training(config), f"name={kept.name}", "--runs", str(self._root))
            assert done.code == 0, done.err
        shutil.copytree(kept, place)
        for file in (place / "run.json", place / "metrics.jsonl"):
            os.utime(file, (modified_at, modified_at))


class Reader:
    """A reader of a page, in the working folder.

    Attributes:
        left_out: The commands that need MNIST, which is not on this machine.
    """

    def __init__(self, say: Say, runs: TinyRuns) -> None:
        self._say, self._runs = say, runs
        self._presumed: dict[Path, Sequence[str]] = {}
        self._has_trained = False
        self.left_out: list[str] = []

    def save_files(self, page: Page) -> list[str]:
        """Save the Python that the page says to save, and return the paths of members."""
        files = {Path(block.file).absolute(): block.text for block in page.snippets if block.file}
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return [str(file) for file in files if family_of(file)]

    def follow(self, page: Page) -> None:
        """Type the commands of a page: those of its blocks, then those within its lines.

        One within a line may be a part of a command: then its command and its options exist.
        """
        commands = sorted(page.commands, key=lambda command: command.inline)
        typed = {command.text for command in commands if not command.inline}
        for command in commands:
            is_again = command.inline and command.text in typed
            if command.program == "sandbox" and len(command.words) > 1 and entry_of(command) is None and not is_again:
                typed.add(command.text)
                try:
                    self._type_or_look_up(command)
                except (Exception, SystemExit) as problem:
                    problem.add_note(f"{page.name}:{command.line}: {command.text}")
                    raise

    def _type_or_look_up(self, command: Command) -> None:
        if not command.inline:
            self.type(command)
            return
        with suppress(IncompleteError):
            if command.text in REFUSED:
                said = self._say(*command.words[1:])
                assert REFUSED[command.text] in said.err
            elif len(command.words) == 2:
                values(command.words[1:])
            else:
                self.type(command)

    def type(self, command: Command) -> None:
        """Run a command at a tiny size, with the runs and files that it takes for granted; it must end with 0.

        One within a line of text has nothing to do with what was trained before it: its `latest` is a run that fits.

        Raises:
            IncompleteError: If something is missing in the command.
            WrongError: For a command or an option that does not exist.
        """
        words = filled(command.words)[1:]
        given = values(words)
        make_files(" ".join(words))
        try:
            for run in runs_in(words, given) if given else ():
                if run != "latest" or command.inline or not self._has_trained:
                    self.presume(run, words)
            done = self._say(*words, *self._smaller(words, given))
        except NeedsImagesError:
            self.left_out.append(" ".join(words))
            return
        assert done.code == 0, f"exit code {done.code}\n{done.out}{done.err}"

    def presume(self, run: str, command: Sequence[str]) -> None:
        """Have a run that a command names, unless the page has made it, or should have made it.

        Raises:
            NeedsImagesError: If it cannot be trained here.
        """
        name = run.partition("@")[0]
        place = Path(name) if "/" in name else ROOT / ("newest" if name == "latest" else name)
        words = words_for(place.name if "/" in name else name, command)
        if words is None or self._presumed.get(place) == words or (place.exists() and place not in self._presumed):
            return
        if place.exists():
            shutil.rmtree(place)
        self._runs.put(words, place, self._say, time.time() if name == "latest" else LONG_AGO)
        self._presumed[place] = words

    def _smaller(self, words: Sequence[str], given: dict[str, Any]) -> list[str]:
        """Return more words for a command, which make it tiny."""
        if not given:
            return []
        match words[0]:
            case "train":
                config = config_of(given["words"], words)
                if not given["resume"]:  # commands that train a run of one name are alternatives
                    shutil.rmtree(ROOT / str(config.name), ignore_errors=True)
                    self._presumed.pop(ROOT / str(config.name), None)
                self._has_trained = True
                return training(config)
            case "sweep":
                definition = defined(given["words"])
                shutil.rmtree(ROOT / "sweeps" / str(definition.name), ignore_errors=True)
                first = grid(definition)[0].runs[0]
                return training(resolve(definition.config, first.words))
            case "resume" if given["steps"]:
                return resuming(RunFolder.find(ROOT, first_runs(words, given)[0]))
            case "evaluate":
                return evaluation(RunFolder.find(ROOT, first_runs(words, given)[0]))
            case "watch" if given["video"]:
                return ["--episodes", "1"]
        return []


def config_of(arguments: Sequence[str], words: Sequence[str] = ()) -> RunConfig:
    """Return the config that `sandbox train` would run as it is written, with its name.

    Args:
        arguments: Configs and overrides.
        words: The whole command, which may name members.

    Raises:
        NeedsImagesError: If it needs MNIST, and SANDBOX_DATA does not name a folder.
    """
    own.forget()
    take_members(words)
    files, overrides = split(arguments)
    config = with_name(resolve(files, overrides), files)
    data = config.model_dump().get("data", {})
    if "mnist" in data.get("name", "") and not (data.get("root") or "SANDBOX_DATA" in os.environ):
        raise NeedsImagesError
    return config
