"""Each peer in a small environment of its own, made from its own hashed lock under var/bench."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "bench" / "peers"
_HOME = ROOT / "var" / "bench" / "peers"
_UV = Path(sys.executable).with_name("uv")


def own_python() -> str:
    return sys.executable


def python_of(peer: str) -> str:
    """The interpreter that has what the peer's lock names; made anew when the lock has changed."""
    lock, home = PEERS / peer / "requirements.lock", _HOME / peer
    python, made_of = home / "bin" / "python", home / "made-of"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not made_of.is_file() or made_of.read_text() != wanted:
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(home))
        if any(line[:1].isalpha() for line in lock.read_text().splitlines()):
            _uv("pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(lock))
        made_of.write_text(wanted)
    return str(python)


def _uv(*arguments: str) -> None:
    subprocess.run([_UV, *arguments], check=True)  # noqa: S603


def measured(python: str, script: Path, folder: Path, repeats: int) -> str:
    """What the script prints, run in a process of its own with the project's root on its path."""
    # Without its own folder on the path: bench/peers/numpy is no numpy.
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(  # noqa: S603
        [python, str(script), str(folder), str(repeats)],
        env=environment,
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout
