"""The end of the program: at once, with everything written and released."""

import os
import subprocess
import sys

import pytest

START = "import sys\nfrom sandbox.cli import main as module\nmodule.main = main\n"


def ended(body: str) -> subprocess.CompletedProcess[str]:
    """Run the program with a `main` of the test's own."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    code = f"import atexit, sys, threading, time\ndef main():\n{lines}{START}module.program()"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60, env=environment
    )


def test_exit_functions_run_and_nothing_is_freed_afterwards():
    done = ended(
        "class Slow:\n"
        "    def __del__(self): print('freed')\n"
        "sys.slow = Slow()\n"
        "atexit.register(print, 'exit functions')\n"
        "print('results')"
    )
    assert (done.returncode, done.stdout) == (0, "results\nexit functions\n")


def test_the_exit_code_is_kept():
    assert ended("sys.exit(2)").returncode == 2
    assert ended("sys.exit()").returncode == 0
    assert ended("sys.exit('text')").returncode == 1


def test_an_error_of_the_program_keeps_its_traceback():
    done = ended("1 / 0")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_a_thread_that_never_ends_does_not_keep_the_program():
    done = ended(
        "module._PATIENCE = 0.2\nthreading.Thread(target=time.sleep, args=[50], name='theirs').start()\nsys.exit(3)"
    )
    assert done.returncode == 3
    assert done.stderr == "note: ended without waiting any longer for threads of other code: theirs\n"


def test_files_that_other_code_has_left_open_are_written(tmp_path):
    place = tmp_path / "log.txt"
    assert ended(f"sys.log = open({str(place)!r}, 'w')\nsys.log.write('all of it')").returncode == 0
    assert place.read_text() == "all of it"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list", "backbones", "--json"], "error: [Errno 28] No space left on device."),
        (["show", "nothing"], "error: no member, config or run is called 'nothing'. See `sandbox list`."),
    ],
)
def test_results_that_cannot_be_written_are_an_error(words, said):
    command = [sys.executable, "-m", "sandbox", *words]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert done.returncode == 2
    *_, last = done.stderr.splitlines()
    assert last.startswith(said)
