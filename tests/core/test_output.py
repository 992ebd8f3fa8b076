"""Results alone on standard output."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, sys
from sandbox.core.output import keep_results_apart
print("before")
keep_results_apart()
keep_results_apart()
os.write(1, b"from C\\n")
print("result \\u00e9")
"""


def test_what_c_code_prints_is_no_result() -> None:
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", PROGRAM], capture_output=True, timeout=60, check=True)
    assert done.stdout.decode().splitlines() == ["before", "result é"]
    assert done.stderr.decode().splitlines() == ["from C"]


@pytest.mark.parametrize("closed", [[1], [2], [0, 1, 2]])
@pytest.mark.parametrize("words", ["'list', 'envs'", "'list', 'envs', '--json'"])
def test_closed_output_is_no_error(closed, words):
    """Without standard error the rest of the output is as it was, and nothing is mixed into it."""
    code = f"import sys; sys.argv = ['sandbox', {words}]\nfrom sandbox.cli.main import main; main()"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, preexec_fn=lambda: close(closed))
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert ("catch" in done.stdout) == (1 not in closed)
    assert "imports" not in done.stdout


def close(handles):
    for handle in handles:
        os.close(handle)
