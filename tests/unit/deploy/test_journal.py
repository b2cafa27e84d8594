"""Log lines carry the name of their part, whole lines only."""

import asyncio
from contextlib import suppress
from pathlib import Path

from deploy.embedded import journal
from deploy.embedded.journal import Journal, LogFile
from tests.support.eventually import eventually


async def test_lines_written_from_now_on_are_prefixed(tmp_path: Path) -> None:
    log = tmp_path / "ticket-svc.log"
    log.write_text("an earlier run\n")
    said: list[str] = []
    followed = Journal(said.append)
    followed.add(log)
    following = asyncio.create_task(followed.follow())

    with log.open("a") as part:
        part.write("first\nsecond\nhalf a li")
        part.flush()
        await eventually(lambda: len(said) == 2)
        part.write("ne\n")
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following

    assert said == [
        "ticket-svc         | first",
        "ticket-svc         | second",
        "ticket-svc         | half a line",
    ]


def test_a_log_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write = LogFile(path)
    line = "x" * (journal.KEEP_BYTES // 4)

    for _ in range(10):
        write(line)
    write.close()

    kept = [file.stat().st_size for file in sorted(tmp_path.iterdir())]
    assert len(kept) == 2
    assert sum(kept) < 2.5 * journal.KEEP_BYTES
