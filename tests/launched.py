"""Command lines in processes of their own. They start quickly, as forks of a server that has imported the program."""

import os
import signal
import sys
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(["sandbox.cli.train", "sandbox.cli.resume", "sandbox.runs.sessions", "torch._dynamo"])


class Launched:
    """A command line that runs in `folder`, as a person would have started it there."""

    def __init__(self, folder: Path, *words: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._out, self._err = folder / ".out", folder / ".err"
        self._process: ForkServerProcess = CONTEXT.Process(
            target=_run, args=(str(folder), words, str(self._out), str(self._err))
        )
        self._process.start()

    def send(self, number: signal.Signals) -> None:
        os.kill(self._process.pid or 0, number)

    def kill(self) -> None:
        """Kill it, if it still runs."""
        with suppress(ProcessLookupError):
            self.send(signal.SIGKILL)
        self._process.join()

    def ended(self) -> bool:
        return self._process.exitcode is not None

    def wait(self, seconds: float = 120) -> tuple[int, str, str]:
        """Return exit code (negative for a signal that killed it), output and errors when it has ended."""
        self._process.join(seconds)
        assert self._process.exitcode is not None, "it still runs"
        return self._process.exitcode, self._out.read_text(), self._err.read_text()


def _run(folder: str, words: tuple[str, ...], out: str, err: str) -> None:
    os.chdir(folder)
    os.setsid()
    for handle, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), handle)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    sys.argv = ["sandbox", *words]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the server ignores Ctrl-C
    from sandbox.cli.main import main

    main()
