"""What a random player and a person score, so that a score means something: where it was published, or was measured."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Reference:
    """Returns of whole episodes; None where nobody knows. `source`: who says so."""

    random: float | None
    human: float | None
    source: str

    def normalised(self, score: float) -> float | None:
        """0 is random, 1 human (Mnih et al. 2015)."""
        if self.random is None or self.human is None:
            return None
        return (score - self.random) / (self.human - self.random)


Find = Callable[[Mapping[str, Any]], Reference | None]  # of the section `env` of a config


def published(env: Mapping[str, Any]) -> Reference | None:
    """What `references.json` has of an environment, with or without wrappers around it."""
    known = json.loads(Path(__file__).with_name("references.json").read_text("utf-8"))
    scores = known["scores"].get(env.get(known["option"])) if env["name"] == known["env"] else None
    if scores is None:
        return None
    random, human = scores
    return Reference(random, human, known["source"])
