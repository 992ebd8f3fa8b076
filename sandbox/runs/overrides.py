"""Overrides in evaluation: options of the environment or data set, and options that are read in evaluation only."""

import shlex
from collections.abc import Sequence

from gymnasium import spaces

from sandbox.core.errors import UserError
from sandbox.interfaces.spec import Spec
from sandbox.runs.build import RunsIn
from sandbox.runs.config import RunConfig
from sandbox.runs.data_facts import DataFacts
from sandbox.runs.resolve import config_of
from sandbox.storage.run_folder import RunFolder

_COMPUTE = ("device", "precision", "threads")


def overridden(folder: RunFolder, overrides: Sequence[str]) -> RunConfig:
    """Return the config of a run with overrides that its trained learner can be evaluated under.

    Raises:
        UserError: For an override that is no option, that affects training, or that changes the shapes that the
            learner was built for.
    """
    config = config_of(folder)
    if not overrides:
        return config
    changed = config_of(folder, overrides)
    source, learner = config.sections
    evaluation = [*(f"{learner}.{name}" for name in config.learner.evaluation_settings()), *_COMPUTE]
    for override in overrides:
        option = override.partition("=")[0]
        if not _is_one_of(option, [source, *evaluation]):
            raise UserError(
                f"{override}: {option} affects training, and {folder.name} is trained already. Only {source}.* and "
                f"{', '.join(evaluation)} can be changed. Train a new run with it: "
                f"`sandbox train {shlex.quote(str(folder.config))} {shlex.quote(override)} name=another`"
            )
    from_source = [override for override in overrides if _is_one_of(override.partition("=")[0], [source])]
    if from_source:
        _require_split(folder, config, changed)
        _require_same(folder, config, changed, " ".join(from_source))
    return changed


def _is_one_of(option: str, known: Sequence[str]) -> bool:
    return any(option == name or option.startswith(f"{name}.") for name in known)


def _require_split(folder: RunFolder, config: RunConfig, changed: RunConfig) -> None:
    """Raise `UserError` unless both configs have the same test images: others may have been trained on."""
    source, _ = config.sections
    before, after = dict(dict(config)[source]), dict(dict(changed)[source])
    if "test_fraction" not in before:
        return
    for option in ("test_fraction", "count"):
        if before.get(option) != after.get(option):
            raise UserError(
                f"{source}.{option} decides which images are test images, and {folder.name} was trained on the others. "
                f"Train a new run with it: `sandbox train {shlex.quote(str(folder.config))} "
                f"{source}.{option}={after[option]} name=another`"
            )


def _require_same(folder: RunFolder, config: RunConfig, changed: RunConfig, overrides: str) -> None:
    """Raise `UserError` unless both configs have the same shapes."""
    others = RunsIn(folder.path.parent)
    known = DataFacts.read(folder)
    trained, now = config.spec(others) if known is None else known.spec, changed.spec(others)
    if trained != now:
        raise UserError(
            f"{overrides}: {folder.name} was built for {_words(trained)}, but this gives {_words(now)}. Leave it out, "
            "or train a new run with it."
        )


def _words(spec: Spec) -> str:
    """Return the shapes in words, such as `[1, 84, 84] bytes and 3 actions`."""
    kind = "bytes" if spec.is_bytes else "numbers"
    rest = f"{spec.num_classes} classes" if spec.action_space is None else f"{spec.num_actions} actions"
    if isinstance(spec.action_space, spaces.Box):
        rest = f"actions {spec.action_space}"
    sources = "" if spec.source_shape is None else f" translated from {list(spec.source_shape)}"
    return f"{list(spec.shape)} {kind}{sources} and {rest}"
