"""Results alone on standard output."""

import subprocess
import sys

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
