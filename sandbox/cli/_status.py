"""How far a run has come, read from its folder alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.config.files import load
from sandbox.core.errors import UserError
from sandbox.report.run_record import SCORES
from sandbox.storage.run_folder import RunFolder


@dataclass(frozen=True)
class Status:
    """`source` and `learner` are members' names; `score` is the latest value of the metric that matters most.

    `state`: finished, running or stopped.
    """

    settings: Mapping[str, Any]
    source: str
    learner: str
    step: int
    steps: int
    score: tuple[str, float] | None
    modified_at: datetime
    state: str

    @property
    def finished(self) -> bool:
        return self.state == "finished"


def status(run: RunFolder) -> Status:
    """Raises UserError if the run's config cannot be read."""
    raw, _ = load([run.config], [], {})
    latest = run.latest()
    try:
        members = {key: raw[key]["name"] for key in ("env", "data", "agent", "generator") if raw.get(key)}
        return _status(run, raw, members, latest)
    except (KeyError, TypeError):
        raise UserError(f"{run.config} is not the config of a run.") from None


def _status(run: RunFolder, raw: dict[str, Any], members: dict[str, str], latest: dict[str, float]) -> Status:
    step = int(latest.get("step", 0))
    return Status(
        settings=raw,
        source=members.get("env") or members["data"],
        learner=members.get("agent") or members["generator"],
        step=step,
        steps=raw["steps"],
        score=next(((name, latest[name]) for name in SCORES if name in latest), None),
        modified_at=datetime.fromtimestamp(run.modified_at, UTC),
        state=run.state(step, raw["steps"]),
    )


def age(modified_at: datetime) -> str:
    """Such as `5 min`."""
    seconds = (datetime.now(UTC) - modified_at).total_seconds()
    for limit, unit, size in ((60, "s", 1), (3_600, "min", 60), (86_400, "h", 3_600)):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"
