"""Alembic's door: the service's own tables, run by the one runner."""

from reconciliation_svc.tables import metadata
from shared.migrate import run

run(metadata)
