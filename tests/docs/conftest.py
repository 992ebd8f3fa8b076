"""A reader of the documentation, and everything that is made shorter for it, in one place."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import gymnasium
import pytest
from docs.reader import Reader, TinyRuns
from docs.tiny import MORE_STEPS, training

from sandbox.runs import start
from sandbox.runs.option_sweep import Variation
from sandbox.runs.resolve import resolve
from sandbox.runs.sweeps.definition import Definition
from sandbox.runs.sweeps.settings import grid
from sandbox.runs.sweeps.start import sweep
from sandbox.runs.sweeps.words import split_options
from sandbox.storage.run_folder import RunFolder
from sandbox.viewer.keys import Key
from sandbox.viewer.session import Session


class Person:
    """A window, or the page of a browser, with somebody who starts the game, plays for a few steps and quits."""

    url = ssh_tunnel = "http://127.0.0.1"

    def __init__(self, port: int = 0) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        pass

    def run(self, session: Session) -> Iterator[str]:
        now = 0.0
        for key in ["space", *[""] * 10, *["left", ""] * 10, "q"]:  # without a key: a countdown, and steps
            session.update(now)
            if key:
                session.handle_key(Key(key, True))
            now += session.timeout(now)
        assert session.render(400, 300).shape == (300, 400, 3)
        assert session.quit_requested
        session.close()
        yield from session.pop_messages()


def first_two(variation: Variation) -> Variation:
    return replace(variation, values=variation.values[:2])


def one_run(words: Any) -> tuple[list[str], dict[str, list[Any]]]:
    """Return the options of a sweep with the first of several values."""
    fixed, varied = split_options(words)
    return fixed, {key: values[:1] for key, values in varied.items()}


@pytest.fixture(scope="session")
def tiny_runs(tmp_path_factory: pytest.TempPathFactory) -> TinyRuns:
    return TinyRuns(tmp_path_factory.mktemp("tiny_runs"))


@pytest.fixture
def reader(sandbox: Any, tiny_runs: TinyRuns, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Reader]:
    """A reader who waits for nothing: no window opens, no speed is measured, and classifiers hardly learn."""
    monkeypatch.setattr("sandbox.viewer.display.require_display", lambda instead: None)
    monkeypatch.setattr("sandbox.viewer.window.Window", Person)
    monkeypatch.setattr("sandbox.viewer.web.server.ViewerServer", Person)
    monkeypatch.setattr("sandbox.runs.feature_classifier._MAX_UPDATES", 2)
    monkeypatch.setattr("sandbox.cli._speed.PRESETS", {})
    monkeypatch.setattr("sandbox.cli.bench.import_module", lambda name: SimpleNamespace(rows=lambda: []))
    monkeypatch.setattr("sandbox.runs.trainer._mirrors", lambda *_: [])  # no service of Weights & Biases
    parse = Variation.parse
    monkeypatch.setattr(Variation, "parse", lambda text: first_two(parse(text)))
    monkeypatch.setattr("sandbox.runs.sweeps.start.split_options", one_run)
    monkeypatch.setattr(sys, "path", list(sys.path))
    ids, modules = set(gymnasium.registry), set(sys.modules)
    yield Reader(sandbox, tiny_runs)
    for name in gymnasium.registry.keys() - ids:
        del gymnasium.registry[name]
    for name in sys.modules.keys() - modules:
        if str(vars(sys.modules[name]).get("__file__")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def tiny_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `sandbox.train` and `resume` of Python tiny, once the documented options have been checked."""
    whole = start.resume

    def resume(folder: RunFolder, overrides: Any = (), *, quiet: bool = False) -> int | None:
        del overrides
        return whole(folder, [f"steps={folder.step + MORE_STEPS}"], quiet=quiet)

    def resolved(files: Any, words: Any, typed: str) -> Any:
        return resolve(files, [*words, *training(resolve(files, words, typed))], typed)

    def tiny_sweep(definition: Definition, *rest: Any, **named: Any) -> Any:
        first = grid(definition)[0].runs[0]
        more = training(resolve(definition.config, first.words))
        return sweep(definition.model_copy(update={"options": (*definition.options, *more)}), *rest, **named)

    monkeypatch.setattr("sandbox.api.sweeping.train_all", tiny_sweep)
    monkeypatch.setattr("sandbox.api.training.resolve", resolved)
    monkeypatch.setattr("sandbox.api.loaded_run.start.resume", resume)
