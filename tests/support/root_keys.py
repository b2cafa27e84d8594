"""What an operator does to a root key file: each change is put in place at once, by a rename."""

import os
from pathlib import Path


def rotate(path: Path) -> None:
    """A new root key becomes the first line; those before stay behind it."""
    put(path, [os.urandom(32).hex(), *path.read_text().split()])


def take_older_out(path: Path) -> None:
    """Only the newest root key stays."""
    put(path, path.read_text().split()[:1])


def put(path: Path, keys: list[str]) -> None:
    """The file holds exactly these keys, as hex."""
    fresh = path.with_name(path.name + ".new")
    fresh.touch(mode=0o600)
    fresh.write_text("\n".join(keys))
    fresh.replace(path)


def copied(path: Path, name: str) -> Path:
    """Another process's file, beside it, with the same keys."""
    other = path.with_name(name)
    put(other, path.read_text().split())
    return other
