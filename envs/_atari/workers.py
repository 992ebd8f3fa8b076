"""Worker processes for Atari: the emulator holds Python's lock, so games share cores only as processes.

The calling process plays a part of the games itself. Frames lie in shared memory, actions and rewards go by socket.
A worker ends when its socket does, so nothing outlives the process that started it, however that one ends.
"""

import json
import mmap
import os
import subprocess
import sys
import tempfile
import traceback
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from multiprocessing.connection import Connection
from socket import socketpair
from time import perf_counter
from typing import Any

import numpy as np

from sandbox.core.errors import UserError
from sandbox.envs._atari.emulators import Games, Rules
from sandbox.envs._atari.screen import SIDE

_PATIENCE = 0.0002  # seconds
_PROGRAM = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from sandbox.envs._atari.workers import work; work(*map(int, sys.argv[2:]))"
)


class _Channel:
    """Messages to another process.

    Who waits looks at a byte in shared memory for a moment before it goes to sleep: waking it up would take longer than
    the work that there is for it.
    """

    def __init__(self, socket: int, ours: memoryview, theirs: memoryview) -> None:
        self._connection = Connection(socket)
        self._ours, self._theirs, self._heard = ours, theirs, 0
        self.close = self._connection.close

    def send(self, message: Any) -> None:
        self._connection.send(message)
        self._ours[0] = (self._ours[0] + 1) % 256

    def receive(self) -> Any:
        self._heard = (self._heard + 1) % 256
        deadline = perf_counter() + _PATIENCE
        while self._theirs[0] != self._heard and perf_counter() < deadline:
            pass
        return self._connection.recv()


class _Memory:
    """Shared: the observations, and two bytes a worker for the wires."""

    def __init__(self, file: int, num_envs: int) -> None:
        block = memoryview(mmap.mmap(file, 0))
        size = num_envs * SIDE * SIDE
        self.observations = np.frombuffer(block[:size], np.uint8).reshape(num_envs, SIDE, SIDE)
        self._bells = block[size:]

    def bells(self, worker: int) -> tuple[memoryview, memoryview]:
        return self._bells[2 * worker : 2 * worker + 1], self._bells[2 * worker + 1 : 2 * worker + 2]


def work(socket: int, file: int, num_envs: int, worker: int) -> None:
    """The life of a worker; `socket` and `file` are descriptors."""
    memory = _Memory(file, num_envs)
    callers, own = memory.bells(worker)
    wire = _Channel(socket, own, callers)
    try:
        rules, start, stop = wire.receive()
        methods = _methods(Games(rules, memory.observations[start:stop]))
        wire.send((None, None))
        while True:
            name, arguments = wire.receive()
            wire.send((None, methods[name](*arguments)))
    except (EOFError, OSError):
        pass  # the caller is gone
    except Exception:  # whatever went wrong, the caller raises it
        with suppress(OSError):
            wire.send((traceback.format_exc(), None))


def _methods(games: Games) -> dict[str, Callable[..., Any]]:
    return {each.__name__: each for each in (games.start, games.step, games.picture, games.save, games.restore)}


class _Worker:
    def __init__(self, rules: Rules, file: int, memory: _Memory, index: int, part: slice) -> None:
        ours, theirs = socketpair()
        environment = os.environ | {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
        with theirs:
            numbers = (theirs.fileno(), file, len(memory.observations), index)
            self.process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, json.dumps(sys.path), *map(str, numbers)],
                stdin=subprocess.DEVNULL,
                pass_fds=numbers[:2],
                env=environment,
                start_new_session=True,  # Ctrl-C is for the caller to handle
            )
        self.wire = _Channel(ours.detach(), *memory.bells(index))
        self.send((rules, part.start, part.stop))

    def send(self, message: Any) -> None:
        try:
            self.wire.send(message)
        except OSError:
            raise self._death() from None

    def receive(self) -> Any:
        try:
            problem, result = self.wire.receive()
        except (EOFError, OSError):
            raise self._death() from None
        if problem:
            raise RuntimeError(f"an Atari worker failed:\n{problem}")
        return result

    def _death(self) -> UserError:
        try:
            code = self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            code = None
        return UserError(
            f"an Atari worker process (pid {self.process.pid}) died with exit code {code}: killed, or out of memory? "
            "Its games are lost; make the environment anew, or resume from a checkpoint"
        )


def _dismiss(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        worker.wire.close()
    for worker in workers:
        try:
            worker.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()


class WorkerPool:
    """`num_envs` games, split among this process and `workers` - 1 others. `observations` [N, 84, 84] uint8."""

    def __init__(self, rules: Rules, num_envs: int, workers: int) -> None:
        bounds = [num_envs * part // workers for part in range(workers + 1)]
        self._parts = [slice(start, stop) for start, stop in pairwise(bounds)]
        others: list[_Worker] = []
        self.close = weakref.finalize(self, _dismiss, others)
        if workers == 1:
            self.observations = np.zeros((num_envs, SIDE, SIDE), np.uint8)
        else:
            with tempfile.TemporaryFile() as file:
                file.truncate(num_envs * SIDE * SIDE + 2 * workers)
                memory = _Memory(file.fileno(), num_envs)
                for index, part in enumerate(self._parts[1:]):
                    others.append(_Worker(rules, file.fileno(), memory, index, part))
            self.observations = memory.observations
        self._others = others
        games = Games(rules, self.observations[self._parts[0]])
        self.minimal_actions = games.minimal_actions
        self._methods = _methods(games)
        for worker in others:
            worker.receive()

    def start(self, mask: np.ndarray, noops: np.ndarray, fire: bool) -> np.ndarray:
        """`Games.start` where `mask` [N] says, with `noops` [N]: the lives of those games."""
        calls = [(np.flatnonzero(mask[part]), noops[part][mask[part]], fire) for part in self._parts]
        return np.concatenate(self._each("start", [call if len(call[0]) else None for call in calls]))

    def step(self, actions: np.ndarray, lives: np.ndarray) -> np.ndarray:
        """`Games.step` for all."""
        return np.concatenate(self._each("step", [(actions[part], lives[part]) for part in self._parts]))

    def picture(self, index: int) -> np.ndarray:
        """`Games.picture` of one."""
        mine = [part.start <= index < part.stop for part in self._parts]
        calls = [(index - part.start,) if own else None for part, own in zip(self._parts, mine, strict=True)]
        return self._each("picture", calls)[0]

    def save(self) -> list[dict[str, Any]]:
        """`Games.save` by part."""
        return self._each("save", [() for _ in self._parts])

    def restore(self, emulators: list[bytes], screens: np.ndarray, palette: np.ndarray) -> None:
        """`Games.restore` for all."""
        self._each("restore", [(emulators[part], screens[part], palette) for part in self._parts])

    def _each(self, name: str, calls: list[tuple[Any, ...] | None]) -> list[Any]:
        """One method in each part at the same time, with these arguments; None leaves a part out."""
        if not self.close.alive:
            raise RuntimeError("this environment was closed")
        own, *rest = calls
        busy = [(worker, call) for worker, call in zip(self._others, rest, strict=True) if call is not None]
        try:
            for worker, call in busy:
                worker.send((name, call))
            results = [] if own is None else [self._methods[name](*own)]
            return results + [worker.receive() for worker, _ in busy]
        except BaseException:
            self.close()  # answers that are still on their way would be taken for those to the next question
            raise
