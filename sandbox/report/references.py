"""Reference scores of environments: the returns of a random and of a human player."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Reference:
    """Mean returns of reference players in one environment.

    Attributes:
        random: Return of a random player; None if unknown.
        human: Return of a human player; None if unknown.
        source: Publication or measurement that the returns come from.
    """

    random: float | None
    human: float | None
    source: str

    def human_normalized(self, score: float) -> float | None:
        """Return the human-normalized score, 0 for random and 1 for human play (Mnih et al. 2015)."""
        if self.random is None or self.human is None:
            return None
        return (score - self.random) / (self.human - self.random)


FindReference = Callable[[Mapping[str, Any]], Reference | None]  # from the section `env` of a config


def published(env: Mapping[str, Any]) -> Reference | None:
    """Return the reference scores in `references.json`; wrappers around the environment make no difference.

    Args:
        env: The section `env` of a config.
    """
    known = json.loads(Path(__file__).with_name("references.json").read_text("utf-8"))
    scores = known["scores"].get(env.get(known["option"])) if env["name"] == known["env"] else None
    if scores is None:
        return None
    random, human = scores
    return Reference(random, human, known["source"])
