"""A process keeps the memory that a chunk gave back for the next one."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from streams.memory import tune_memory

if sys.argv[1] == "tuned":
    tune_memory()
for _ in range(20):  # as a chunk has them: some large blocks, of which nothing stays
    blocks = [np.ones(500_000) for _ in range(8)]
    del blocks
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    blocks = [np.ones(500_000) for _ in range(8)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    return int(subprocess.run([sys.executable, "-c", FAULTS, how], check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_what_a_chunk_gave_back_is_not_asked_of_the_system_again() -> None:
    assert 10 * faults("tuned") < faults("as it is")
