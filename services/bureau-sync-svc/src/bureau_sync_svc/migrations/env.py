"""Alembic's entry: see shared.migrate."""

from bureau_sync_svc.tables import metadata
from shared.migrate import run

run(metadata)
