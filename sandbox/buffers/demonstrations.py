"""Demonstrations: steps of human play in a file, and their transfer into a replay.

The file is an npz without pickle: `header` (JSON: the environment), `observations` [T, ...], `actions`, `rewards`,
`terminated` and `ended` [T], and `finals` [E, ...], the true observations after the steps that ended an episode, in
order. The last step counts as ended, because nothing follows it.
"""

import hashlib
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.buffers.replay import Replay
from sandbox.core.errors import UserError

_FORMAT = "sandbox-demos-1"
_COLUMNS = ("observations", "actions", "rewards", "terminated", "ended", "finals")


@dataclass(frozen=True)
class Demos:
    """The content of a file; `played` is {"env": options of the environment, "id": its id with version}."""

    played: dict[str, Any]
    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    ended: np.ndarray
    finals: np.ndarray

    def __len__(self) -> int:
        return len(self.actions)


def write_demos(path: Path, demos: Demos) -> None:
    """Write a file, whole or not at all.

    Raises:
        OSError: If it cannot be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    columns = {name: vars(demos)[name] for name in _COLUMNS}
    with partial.open("wb") as file:
        header = json.dumps({"format": _FORMAT, **demos.played})
        np.savez_compressed(file, allow_pickle=False, header=np.array(header), **columns)
    os.replace(partial, path)


def read_demos(path: Path) -> Demos:
    """Read a file.

    Raises:
        UserError: If it is missing, damaged or of another format.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            header = json.loads(str(archive["header"]))
            if (form := header.pop("format")) != _FORMAT:
                raise UserError(f"{path} is of the format {form!r}, but this version reads {_FORMAT!r}. {_RECORD}")
            demos = Demos(header, **{name: archive[name] for name in _COLUMNS})
    except FileNotFoundError:
        raise UserError(f"no demonstrations in {path}: there is no such file. {_RECORD}") from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile):
        raise UserError(
            f"{path} holds no demonstrations: it is not an .npz file as `sandbox play` writes it, with a header of the "
            f"format {_FORMAT!r} and the columns {', '.join(_COLUMNS)}. {_RECORD}"
        ) from None
    lengths = {len(demos), *(len(vars(demos)[name]) for name in _COLUMNS[:-1])}
    if len(lengths) != 1 or len(demos.finals) != demos.ended.sum() or not len(demos) or not demos.ended[-1]:
        raise UserError(f"{path} is damaged: its columns do not belong together. {_RECORD}")
    return demos


_RECORD = "Record some with `sandbox play ENV --record FILE`."


def digest(path: Path) -> str:
    """Return the file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fill(replay: Replay, demos: Demos, num_envs: int) -> int:
    """Store demonstrations as if each of `num_envs` environments had made an equal share of the steps.

    If a share begins within an episode, stacks do not reach back before it. If it ends within one, the replay holds the
    next observation, and learners bootstrap from it. Remaining steps, fewer than `num_envs`, are left out.

    Returns:
        The number of steps that were stored.

    Raises:
        UserError: If there are fewer steps than environments.
    """
    share = len(demos) // num_envs
    if not share:
        raise UserError(
            f"{len(demos)} demonstrated steps are too few for {num_envs} environments; record more, "
            f"or set agent.stream.replay.num_envs={len(demos)} or less"
        )
    rounds = np.arange(share)[:, None] + share * np.arange(num_envs)
    finals = np.cumsum(demos.ended) - 1  # number of the final observation after a step that ended
    for number, steps in enumerate(rounds):
        replay.add(demos.observations[steps], demos.actions[steps], demos.rewards[steps], demos.terminated[steps])
        after = demos.observations[np.minimum(steps + 1, len(demos) - 1)]
        after = np.where(_broad(demos.ended[steps], after), demos.finals[finals[steps].clip(0)], after)
        replay.add_last(after, demos.ended[steps] | (number == share - 1))
    return share * num_envs


def _broad(mask: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Reshape a mask [N] to [N, 1, ...]."""
    return mask.reshape(-1, *[1] * (like.ndim - 1))
