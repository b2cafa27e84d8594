"""What a person at the terminal asks of the installation."""

import os
import subprocess
import sys


def test_a_reader_that_has_seen_enough_is_no_fault() -> None:
    """`make status | head` ended in a traceback."""
    reads, writes = os.pipe()
    os.close(reads)
    try:
        asked = subprocess.run(
            [sys.executable, "-m", "deploy.embedded", "status"],
            stdout=writes,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writes)
    assert asked.stderr == ""
    assert asked.returncode in (0, 1), "all is well, or not"
