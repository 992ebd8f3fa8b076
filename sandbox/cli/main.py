"""The program `sandbox`: shows progress before the slow imports, and prints errors as messages."""

import os
import signal
import sys

_INTERRUPTED = 128 + signal.SIGINT
_SILENT = {"-h", "--help", "--version", "--quiet", "-q"}  # such a command line shows no progress
_READ = {"--json", "--quiet", "-q"}  # the output of such a command line is read by programs


def main() -> None:
    """Run a command line; a user's mistake gives one message on standard error and exit code 2."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)  # a traceback out of an import would tell nothing
    from sandbox.core.closing import close_everything
    from sandbox.core.errors import UserError
    from sandbox.core.messages import say
    from sandbox.core.output import forget_lost_readers, keep_results_apart, open_closed
    from sandbox.core.progress import progress

    open_closed()
    words = sys.argv[1:]
    if _READ.intersection(words):
        keep_results_apart()
    if words and not _SILENT.intersection(words) and "_SANDBOX_COMPLETE" not in os.environ:
        progress.start()
    message = ""
    try:
        from sandbox.cli._app import run

        if before is signal.default_int_handler:
            signal.signal(signal.SIGINT, before)
        run(words)
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
        forget_lost_readers()
    if message:
        say(f"error: {message}", err=True)
        sys.exit(2)


def _leave(number: int, frame: object) -> None:
    """End the program without a traceback, and without a line about its progress."""
    if os.isatty(2):
        os.write(2, b"\r\x1b[K")
    os._exit(_INTERRUPTED)
