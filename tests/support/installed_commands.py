"""Commands of a service of a running installation, as a person at its terminal gives them."""

import asyncio
import sys
from pathlib import Path

from deploy.databases import urls
from deploy.embedded.stack import Stack


async def command(running: Stack, service: str, *arguments: str) -> str:
    """`payroll-svc replay`, with that service's settings; AssertionError unless it succeeds."""
    package = service.replace("-", "_")
    owner = urls(running.postgres_url, package, running.credentials.passwords).owner
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name(service)),
        *arguments,
        env={**running.env[service], "DATABASE_OWNER_URL": owner},
        stdout=-1,
        stderr=-2,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, f"{service} {arguments}: {out.decode()[-3000:]}"
    return out.decode()
