"""Alembic's entry: see shared.migrate."""

from portal_svc.tables import metadata
from shared.migrate import run

run(metadata)
