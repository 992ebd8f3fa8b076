"""The program `sandbox`: shows progress before the slow imports, and prints errors as messages."""

import atexit
import gc
import io
import os
import signal
import sys
import threading
from contextlib import suppress

_INTERRUPTED = 128 + signal.SIGINT
_PATIENCE = 10.0  # seconds for which the program waits for the threads of other people's environments
_SILENT = {"-h", "--help", "--version", "--quiet", "-q"}  # such a command line shows no progress
_READ = {"--json", "--quiet", "-q"}  # the output of such a command line is read by programs


def program() -> None:
    """Run the command line of this program, and end it at once: freeing PyTorch piece by piece takes a second.

    It ends the process that calls it; other Python code calls `main`.
    """
    ended: list[int] = []
    atexit.register(_leave_at_once, ended)  # the first one that is registered runs last
    try:
        main()
        ended.append(0)
    except SystemExit as end:
        if isinstance(end.code, int):
            ended.append(end.code)
        raise
    finally:
        watch = threading.Timer(_PATIENCE, _leave_threads, [ended[0] if ended else 1])
        watch.daemon = True
        watch.start()


def main() -> None:
    """Run a command line; a user's mistake gives one message on standard error and exit code 2."""
    before = signal.getsignal(signal.SIGINT)
    is_completing = "_SANDBOX_COMPLETE" in os.environ  # for a shell, whose line stays as it is
    if before is signal.default_int_handler:  # a traceback out of an import would tell nothing
        signal.signal(signal.SIGINT, signal.SIG_DFL if is_completing else _leave)
    from sandbox.core.closing import close_everything
    from sandbox.core.errors import UserError
    from sandbox.core.messages import say
    from sandbox.core.output import flush, ignore_stderr_errors, keep_results_apart, open_closed
    from sandbox.core.progress import progress

    open_closed()
    ignore_stderr_errors()
    words = sys.argv[1:]
    if _READ.intersection(words):
        keep_results_apart()
    if words and not _SILENT.intersection(words) and not is_completing:
        progress.start()
    message = ""
    try:
        from sandbox.cli._app import run

        if before is signal.default_int_handler and not is_completing:
            signal.signal(signal.SIGINT, before)
        try:
            run(words)
        except SystemExit as end:
            if not end.code:
                flush()
            raise
    except UserError as error:
        message = str(error)
    except (MemoryError, OverflowError, RuntimeError) as error:
        from sandbox.core.allocations import is_allocation_error

        if not is_allocation_error(error):
            raise
        message = f"not enough memory: {' '.join(str(error).split())}. Ask for less."
    except OSError as error:
        message = f"{error}. Check the path, its permissions and the space on the disk."
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    finally:
        close_everything()
        progress.stop()
        with suppress(OSError):
            flush()
    if message:
        say(f"error: {message}", err=True)
        sys.exit(2)


def _leave(number: int, frame: object) -> None:
    """End the program without a traceback, and without a line about its progress."""
    if os.isatty(2):
        os.write(2, b"\r\x1b[K")
    os._exit(_INTERRUPTED)


def _leave_at_once(ended: list[int]) -> None:
    """End the program with the code in the list, if there is one: otherwise an error is on its way to the terminal."""
    if ended:
        for each in gc.get_objects():  # files that other code has left open
            if issubclass(type(each), io.TextIOWrapper | io.BufferedWriter):
                with suppress(OSError, ValueError):
                    each.flush()
        os._exit(ended[0])


def _leave_threads(code: int) -> None:
    """End the program without the threads that Python still waits for."""
    from sandbox.core.messages import note

    rest = [each.name for each in threading.enumerate() if not (each.daemon or each is threading.main_thread())]
    if rest:
        note(f"ended without waiting any longer for threads of other code: {', '.join(rest)}")
        os._exit(code)
