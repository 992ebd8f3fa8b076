import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from sandbox.core.freed_memory import keep_freed_memory

if {keeps}:
    keep_freed_memory()

def work():
    parts = [np.full(size, 1, np.uint8) for size in (6_000_000, 3_000_000, 9_000_000, 9_000_000)]

work()
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    work()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_memory_that_was_freed_causes_no_page_faults_again():
    """Without it, each round of 27 MB costs hundreds of faults or more, by what the heap holds."""

    def faults(keeps: bool) -> int:
        words = [sys.executable, "-c", PROGRAM.format(keeps=keeps)]
        return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)

    assert faults(keeps=True) < 10 < 200 < faults(keeps=False)
