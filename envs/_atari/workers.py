"""Worker processes for Atari: the emulator holds Python's lock, so games share cores only as processes.

The calling process plays some of the games itself. Observations are in shared memory; actions and rewards are sent
through sockets. A worker ends when its socket is closed, so no worker outlives the process that started it.
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
from sandbox.environments.board import SIDE
from sandbox.envs._atari.emulators import Emulators, Rules

_SPIN_SECONDS = 0.0002  # Time to poll a flag before going to sleep.
_EXIT_SECONDS = 5  # Time that a worker has to end.
_PROGRAM = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from sandbox.envs._atari.workers import run_worker; run_worker(*map(int, sys.argv[2:]))"
)


class _Channel:
    """Messages to and from another process.

    A receiver first polls a wake flag in shared memory for a moment: waking a sleeping process would take longer than
    the work that it has to do. Each side counts its messages in a flag of its own.
    """

    def __init__(self, socket: int, own_flag: memoryview, other_flag: memoryview) -> None:
        self._connection = Connection(socket)
        self._own_flag, self._other_flag = own_flag, other_flag
        self._received = 0
        self.close = self._connection.close

    def send(self, message: Any) -> None:
        self._connection.send(message)
        self._own_flag[0] = (self._own_flag[0] + 1) % 256

    def receive(self) -> Any:
        self._received = (self._received + 1) % 256
        deadline = perf_counter() + _SPIN_SECONDS
        while self._other_flag[0] != self._received and perf_counter() < deadline:
            pass
        return self._connection.recv()


class _SharedMemory:
    """Memory that all processes share: the observations, and two wake flags of one byte for each worker.

    Attributes:
        observations: Observations of all games, [N, 84, 84] uint8.
    """

    def __init__(self, file: int, num_envs: int) -> None:
        block = memoryview(mmap.mmap(file, 0))
        size = num_envs * SIDE * SIDE
        self.observations = np.frombuffer(block[:size], np.uint8).reshape(num_envs, SIDE, SIDE)
        self._flags = block[size:]

    def wake_flags(self, worker: int) -> tuple[memoryview, memoryview]:
        """Return the flag that the caller sets for a worker, and the flag that the worker sets for the caller."""
        return self._flags[2 * worker : 2 * worker + 1], self._flags[2 * worker + 1 : 2 * worker + 2]


def run_worker(socket: int, file: int, num_envs: int, worker: int) -> None:
    """Serve calls until the caller closes the socket; the main function of a worker process.

    Args:
        socket: File descriptor of the socket to the caller.
        file: File descriptor of the shared memory.
        num_envs: Number of all games.
        worker: Number of this worker.
    """
    memory = _SharedMemory(file, num_envs)
    caller_flag, own_flag = memory.wake_flags(worker)
    channel = _Channel(socket, own_flag, caller_flag)
    try:
        rules, start, stop = channel.receive()
        methods = _methods(Emulators(rules, memory.observations[start:stop]))
        channel.send((None, None))
        while True:
            name, arguments = channel.receive()
            channel.send((None, methods[name](*arguments)))
    except (EOFError, OSError):
        pass  # The caller is gone.
    except Exception:  # The caller raises any other error.
        with suppress(OSError):
            channel.send((traceback.format_exc(), None))


def _methods(games: Emulators) -> dict[str, Callable[..., Any]]:
    """Return the methods that a caller may name in a message."""
    return {each.__name__: each for each in (games.start, games.step, games.screen, games.save, games.restore)}


class _Worker:
    """A worker process, as its caller sees it."""

    def __init__(self, rules: Rules, file: int, memory: _SharedMemory, index: int, part: slice) -> None:
        ours, theirs = socketpair()
        environment = os.environ | {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
        with theirs:
            numbers = (theirs.fileno(), file, len(memory.observations), index)
            self.process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, json.dumps(sys.path), *map(str, numbers)],
                stdin=subprocess.DEVNULL,
                pass_fds=numbers[:2],
                env=environment,
                start_new_session=True,  # Only the caller handles Ctrl-C.
            )
        self.channel = _Channel(ours.detach(), *memory.wake_flags(index))
        self.send((rules, part.start, part.stop))

    def send(self, message: Any) -> None:
        try:
            self.channel.send(message)
        except OSError:
            raise self._death() from None

    def receive(self) -> Any:
        try:
            problem, result = self.channel.receive()
        except (EOFError, OSError):
            raise self._death() from None
        if problem:
            raise RuntimeError(f"an Atari worker failed:\n{problem}")
        return result

    def _death(self) -> UserError:
        try:
            code = self.process.wait(timeout=_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        return UserError(
            f"an Atari worker process (pid {self.process.pid}) died with exit code {code}: killed, or out of memory? "
            "Its games are lost; make a new environment, or resume from a checkpoint"
        )


def _shut_down(workers: Sequence[_Worker]) -> None:
    """Close the sockets, which ends the workers, and kill those that do not end."""
    for worker in workers:
        worker.channel.close()
    for worker in workers:
        try:
            worker.process.wait(timeout=_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()


class WorkerPool:
    """N games, split among this process and others.

    Attributes:
        observations: Current observations of all games, [N, 84, 84] uint8.
        local: The games of this process, which are the first ones.
        close: Ends the other processes; further calls raise RuntimeError.
    """

    def __init__(self, rules: Rules, num_envs: int, num_processes: int) -> None:
        """Start `num_processes` - 1 workers, and load the games."""
        bounds = [num_envs * part // num_processes for part in range(num_processes + 1)]
        self._parts = [slice(start, stop) for start, stop in pairwise(bounds)]
        self._workers: list[_Worker] = []
        self.close = weakref.finalize(self, _shut_down, self._workers)
        if num_processes == 1:
            self.observations = np.zeros((num_envs, SIDE, SIDE), np.uint8)
        else:
            with tempfile.TemporaryFile() as file:
                file.truncate(num_envs * SIDE * SIDE + 2 * num_processes)
                memory = _SharedMemory(file.fileno(), num_envs)
                for index, part in enumerate(self._parts[1:]):
                    self._workers.append(_Worker(rules, file.fileno(), memory, index, part))
            self.observations = memory.observations
        self.local = Emulators(rules, self.observations[self._parts[0]])
        self._methods = _methods(self.local)
        for worker in self._workers:
            worker.receive()

    @property
    def processes(self) -> list[subprocess.Popen[bytes]]:
        """The other processes."""
        return [worker.process for worker in self._workers]

    def start(self, mask: np.ndarray, noops: np.ndarray, fire: bool) -> np.ndarray:
        """Run `Emulators.start` for the games of the mask [N], with `noops` [N]; return the lives of these games."""
        calls = [(np.flatnonzero(mask[part]), noops[part][mask[part]], fire) for part in self._parts]
        return np.concatenate(self.call("start", [call if len(call[0]) else None for call in calls]))

    def step(self, actions: np.ndarray, lives: np.ndarray) -> np.ndarray:
        """Run `Emulators.step` for all games."""
        return np.concatenate(self.call("step", [(actions[part], lives[part]) for part in self._parts]))

    def screen(self, index: int) -> np.ndarray:
        """Run `Emulators.screen` for one game."""
        mine = [part.start <= index < part.stop for part in self._parts]
        calls = [(index - part.start,) if own else None for part, own in zip(self._parts, mine, strict=True)]
        return self.call("screen", calls)[0]

    def save(self) -> list[dict[str, Any]]:
        """Run `Emulators.save` in every process."""
        return self.call("save", [() for _ in self._parts])

    def restore(self, emulators: list[bytes], screens: np.ndarray, palette: np.ndarray) -> None:
        """Run `Emulators.restore` for all games."""
        self.call("restore", [(emulators[part], screens[part], palette) for part in self._parts])

    def call(self, name: str, arguments: list[tuple[Any, ...] | None]) -> list[Any]:
        """Call one method of `Emulators` in several processes at the same time.

        Args:
            name: The method.
            arguments: Its arguments for each process, this one first; None leaves a process out.

        Returns:
            The results, without those of processes that were left out.

        Raises:
            UserError: If a worker has died.
            RuntimeError: If a worker raised an exception, or the pool is closed.
        """
        if not self.close.alive:
            raise RuntimeError("this environment was closed")
        own, *rest = arguments
        busy = [(worker, call) for worker, call in zip(self._workers, rest, strict=True) if call is not None]
        try:
            for worker, call in busy:
                worker.send((name, call))
            results = [] if own is None else [self._methods[name](*own)]
            return results + [worker.receive() for worker, _ in busy]
        except BaseException:
            self.close()  # Otherwise the next call would take a late answer for its own.
            raise
