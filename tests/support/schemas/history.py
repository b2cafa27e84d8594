"""Every version of a folder's files that was ever committed: what other people may hold."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]


def ever_committed(folder: str) -> Iterator[tuple[str, str]]:
    """File name and text of each version of each file in `folder`, as far back as git knows.

    Nothing where there is no history (a source archive, a new repository): the files of the
    working tree are what a test compares in any case.
    """
    commits = _git("log", "--format=%H", "--", folder).split()
    blobs = {
        (Path(path).name, entry.split()[2])
        for commit in commits
        for entry, path in (
            line.split("\t", 1) for line in _git("ls-tree", "-r", commit, folder + "/").splitlines()
        )
    }
    for name, blob in sorted(blobs):
        yield name, _git("cat-file", "blob", blob)


def _git(*arguments: str) -> str:
    finished = subprocess.run(  # noqa: S603 - fixed arguments, no outside input
        ["git", *arguments],  # noqa: S607 - whichever git the developer uses
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.stdout if finished.returncode == 0 else ""
