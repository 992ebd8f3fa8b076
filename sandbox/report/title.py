"""Titles of reports: the learners, and the environments or data sets, of their runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.report.run_record import RunRecord

_MOST_PARTS = 3


def report_title(records: Sequence[RunRecord]) -> str:
    """Return a title for a report on runs, such as `dqn and pqn on catch: 6 runs`."""
    pairs = list(dict.fromkeys((str(record.learner["name"]), _subject(record.source)) for record in records))
    sources = list(dict.fromkeys(source for _, source in pairs))
    learners = {source: [learner for learner, other in pairs if other == source] for source in sources}
    subject = "; ".join(f"{listed(learners[source])} on {source}" for source in sources)
    if len(sources) > _MOST_PARTS:
        subject = f"{len({learner for learner, _ in pairs})} learners on {listed(sources)}"
    return f"{records[0].name}: {subject}" if len(records) == 1 else f"{subject}: {len(records)} runs"


def _subject(source: Mapping[str, Any]) -> str:
    """Return the name of a data set or environment: the id or game if it has one, such as `CartPole-v1`."""
    names = [source.get(key) for key in ("id", "game")]
    return next((name for name in names if isinstance(name, str)), str(source["name"]))


def listed(words: Sequence[str], most: int = 4) -> str:
    """Return `a`, `a and b` or `a, b and c`; more than `most` words end with the number of the others."""
    shown = list(words) if len(words) <= most else [*words[: most - 1], f"{len(words) - most + 1} others"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
