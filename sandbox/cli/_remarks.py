"""Notes about a config before its training starts: replaced sections, and too few steps."""

from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.config.files import load
from sandbox.core.messages import note
from sandbox.runs import registry
from sandbox.runs.config import AgentRun, RunConfig
from sandbox.streams.experience import ExperienceConfig
from sandbox.streams.prioritized import PrioritizedConfig
from sandbox.streams.sequences import SequencesConfig
from sandbox.streams.stored_sequences import StoredSequencesConfig


def note_replaced(files: Sequence[str], overrides: Sequence[str]) -> None:
    """Print a note about every section of the files that an override replaces as a whole by changing its name."""
    typed = {word.partition("=")[0] for word in overrides}
    if not any(".name=" in word or "name:" in word for word in overrides):
        return
    known = registry.configs()
    before, origins = load(files, [], known)
    after, _ = load(files, overrides, known)
    for path, old, new in _renamed(before, after):
        others = [option for option in old if option != "name"]
        section = ".".join(path)
        alone = f"{section}.name" in typed or set(new) == {"name"}  # else a whole section was typed, on purpose
        if others and alone:
            lost = ", ".join(f"{section}.{option}" for option in others[:4]) + (", ..." if len(others) > 4 else "")
            where = origins.get(path, origins[()])
            note(
                f"{section}.name={new['name']} replaces the whole section {section} of {where}: "
                f"its {lost} {'is' if len(others) == 1 else 'are'} not used"
            )


def note_short(config: RunConfig) -> None:
    """Print a note if a run has fewer steps than its warm-up, and so ends with its first update."""
    if not isinstance(config, AgentRun):
        return
    match config.agent.stream:
        case (
            ExperienceConfig(replay=replay)
            | PrioritizedConfig(replay=replay)
            | SequencesConfig(replay=replay)
            | StoredSequencesConfig(replay=replay)
        ) if config.steps < replay.warmup:
            note(
                f"steps={config.steps} is less than the warm-up of {replay.warmup:,} steps "
                "(agent.stream.replay.warmup): the run ends with its first update, beyond its last step"
            )


def _renamed(
    before: dict[str, Any], after: dict[str, Any], at: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, Any], dict[str, Any]]]:
    """Yield (path, old section, new section) for each outermost section whose name differs."""
    for key, old in before.items():
        new = after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            if "name" in old and "name" in new and old["name"] != new["name"]:
                yield (*at, key), old, new
            else:
                yield from _renamed(old, new, (*at, key))
